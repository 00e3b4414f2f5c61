//! hand
use super::bed::Bed;
use pando_sql::catalog::*;
use pando_sql::expr::{Expr, Function};
use pando_sql::{Catalog, Type, Value};
use rusqlite::Connection;
use std::sync::Arc;
fn col(name: &str, ty: Type) -> Column {
    Column {
        name: name.into(),
        ty,
        not_null: false,
        default: None,
        identity: None,
        comment: None,
    }
}
fn tab(name: &str, columns: Vec<Column>, pk: &[&str]) -> Table {
    Table {
        schema: "public".into(),
        name: name.into(),
        columns,
        primary_key: Some(Key {
            name: format!("{name}_pkey"),
            columns: pk.iter().map(|c| c.to_string()).collect(),
        }),
        uniques: vec![],
        foreign_keys: vec![],
        checks: vec![],
        indexes: vec![],
        rls_enabled: true,
        policies: vec![],
        comment: None,
        grants: vec![],
    }
}
fn ne(c: &str, v: &str) -> Expr {
    Expr::Call {
        function: Function::Ne,
        args: vec![
            Expr::Column {
                level: 0,
                source: 0,
                name: c.into(),
                ty: Type::Text,
            },
            Expr::Literal {
                value: v.into(),
                ty: Type::Text,
            },
        ],
        ty: Type::Bool,
    }
}
fn owner() -> Expr {
    Expr::Call {
        function: Function::Eq,
        args: vec![
            Expr::Column {
                level: 0,
                source: 0,
                name: "owner".into(),
                ty: Type::Text,
            },
            uid(),
        ],
        ty: Type::Bool,
    }
}
fn uid() -> Expr {
    Expr::Call {
        function: Function::AuthUid,
        args: vec![],
        ty: Type::Text,
    }
}
fn pol(command: Command, using: Option<Expr>, check: Option<Expr>) -> Policy {
    Policy {
        name: "p".into(),
        command,
        roles: vec![],
        permissive: true,
        using,
        check,
        source: String::new(),
    }
}
fn fk(t: &mut Table, c: &str, to: &str, on_delete: Action) {
    t.foreign_keys.push(ForeignKey {
        name: format!("{}_{c}_fkey", t.name),
        columns: vec![c.into()],
        foreign_schema: "public".into(),
        foreign_table: to.into(),
        foreign_columns: vec!["id".into()],
        on_delete,
        on_update: Action::NoAction,
    });
}
pub(super) fn bed() -> Bed {
    let mut t = tab(
        "t",
        vec![
            col("id", Type::Int4),
            col("a", Type::Text),
            col("o", Type::Text),
        ],
        &["id"],
    );
    t.uniques.push(Key {
        name: "t_o_key".into(),
        columns: vec!["o".into()],
    });
    t.policies = vec![
        pol(Command::Insert, None, Some(ne("a", "bad"))),
        pol(Command::Select, Some(ne("a", "hidden")), None),
        pol(
            Command::Update,
            Some(ne("a", "frozen")),
            Some(ne("a", "nope")),
        ),
    ];
    let mut notes = tab(
        "notes",
        vec![
            col("id", Type::Int8),
            col("title", Type::Text),
            col("owner", Type::Text),
            col("pinned", Type::Bool),
            col("at", Type::Timestamptz),
            col("folder_id", Type::Int8),
            col("price", Type::Numeric(None)),
        ],
        &["id"],
    );
    notes.columns[0].identity = Some(Identity::ByDefault);
    notes.columns[1].not_null = true;
    notes.columns[2].default = Some(uid());
    notes.columns[3].default = Some(Expr::Literal {
        value: Value::Int(0),
        ty: Type::Bool,
    });
    notes.columns[4].default = Some(Expr::Call {
        function: Function::Now,
        args: vec![],
        ty: Type::Timestamptz,
    });
    fk(&mut notes, "folder_id", "folders", Action::NoAction);
    notes.policies = vec![pol(Command::All, Some(owner()), Some(owner()))];
    let mut folders = tab(
        "folders",
        vec![
            col("id", Type::Int8),
            col("number", Type::Int4),
            col("name", Type::Text),
            col("shelf_id", Type::Int8),
        ],
        &["id"],
    );
    folders.columns[1].identity = Some(Identity::ByDefault);
    folders.uniques.push(Key {
        name: "folders_name_key".into(),
        columns: vec!["name".into()],
    });
    fk(&mut folders, "shelf_id", "shelves", Action::Cascade);
    folders.policies = vec![pol(
        Command::All,
        Some(Expr::Literal {
            value: Value::Int(1),
            ty: Type::Bool,
        }),
        None,
    )];
    let mut shelves = tab("shelves", vec![col("id", Type::Int8)], &["id"]);
    shelves.columns[0].identity = Some(Identity::Always);
    shelves.policies = vec![pol(
        Command::All,
        Some(Expr::Literal {
            value: Value::Int(1),
            ty: Type::Bool,
        }),
        Some(Expr::Literal {
            value: Value::Int(1),
            ty: Type::Bool,
        }),
    )];
    let mut catalog = Catalog::default();
    for t in [t, notes, folders, shelves] {
        catalog
            .tables
            .insert((t.schema.clone(), t.name.clone()), Arc::new(t));
    }
    let conn = Connection::open_in_memory().unwrap();
    conn.create_collation("pg_numeric", |a, b| {
        a.parse::<f64>()
            .unwrap()
            .total_cmp(&b.parse::<f64>().unwrap())
    })
    .unwrap();
    conn.execute_batch(r#"pragma foreign_keys = on;
        create table "pando.sequences"(name text primary key, last integer);
        create table t(id integer primary key not null, a text, o text unique) strict;
        create table shelves(id integer primary key autoincrement) strict;
        create table folders(id integer primary key not null, number integer not null, name text unique, shelf_id integer references shelves on delete cascade) strict;
        create table notes(id integer primary key autoincrement not null, title text not null, owner text, pinned integer, at text, folder_id integer references folders, price text collate pg_numeric, constraint "notes_title_check" check (title <> 'taboo')) strict;
        insert into t values (1,'x','o1'), (10,'hidden','h'), (11,'frozen','f');"#).unwrap();
    Bed { catalog, conn }
}
