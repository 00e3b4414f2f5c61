//! The tables the tests plan against: clients with their owners, projects, tasks, tags, profiles, staff.

use super::bed::{Bed, register};
use pando_sql::catalog::{Action, Catalog, Column, Command, ForeignKey, Key, Policy, Table};
use pando_sql::expr::{Expr, Function};
use pando_sql::types::EnumType;
use pando_sql::{Type, Value};
use rusqlite::Connection;
use std::sync::Arc;

pub fn table(name: &str, columns: &[(&str, Type)], key: &[&str]) -> Table {
    Table {
        schema: "public".to_owned(),
        name: name.to_owned(),
        columns: columns
            .iter()
            .map(|(column, ty)| Column {
                name: (*column).to_owned(),
                ty: ty.clone(),
                not_null: key.contains(column),
                default: None,
                identity: None,
                comment: None,
            })
            .collect(),
        primary_key: Some(Key {
            name: format!("{name}_pkey"),
            columns: key.iter().map(|column| (*column).to_owned()).collect(),
        }),
        uniques: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        indexes: Vec::new(),
        rls_enabled: true,
        policies: Vec::new(),
        comment: None,
        grants: Vec::new(),
    }
}

fn refer(table: &mut Table, column: &str, to: &str) {
    table.foreign_keys.push(ForeignKey {
        name: format!("{}_{column}_fkey", table.name),
        columns: vec![column.to_owned()],
        foreign_schema: "public".to_owned(),
        foreign_table: to.to_owned(),
        foreign_columns: vec!["id".to_owned()],
        on_delete: Action::NoAction,
        on_update: Action::NoAction,
    });
}

fn column(name: &str) -> Expr {
    Expr::Column {
        level: 0,
        source: 0,
        name: name.to_owned(),
        ty: Type::Text,
    }
}

/// `create policy .. for select using (owner = auth.uid())`, or `using (true)`.
pub fn readable(table: &mut Table, owner: Option<&str>) {
    let using = match owner {
        Some(owner) => Expr::Call {
            function: Function::Eq,
            args: vec![
                column(owner),
                Expr::Call {
                    function: Function::AuthUid,
                    args: Vec::new(),
                    ty: Type::Text,
                },
            ],
            ty: Type::Bool,
        },
        None => Expr::Literal {
            value: Value::Int(1),
            ty: Type::Bool,
        },
    };
    table.policies.push(Policy {
        name: "readable".to_owned(),
        command: Command::Select,
        roles: vec!["authenticated".to_owned()],
        permissive: true,
        using: Some(using),
        check: None,
        source: String::new(),
    });
}

pub fn bed() -> Bed {
    let state = Arc::new(EnumType {
        schema: "public".to_owned(),
        name: "state".to_owned(),
        labels: vec!["todo".to_owned(), "doing".to_owned(), "done".to_owned()],
    });
    let mut clients = table(
        "clients",
        &[
            ("id", Type::Int8),
            ("name", Type::Text),
            ("owner", Type::Text),
        ],
        &["id"],
    );
    readable(&mut clients, Some("owner"));
    let mut projects = table(
        "projects",
        &[
            ("id", Type::Int8),
            ("title", Type::Text),
            ("client_id", Type::Int8),
            ("budget", Type::Numeric(None)),
            ("open", Type::Bool),
            ("data", Type::Jsonb),
            ("labels", Type::Array(Box::new(Type::Text))),
            ("state", Type::Enum(Arc::clone(&state))),
            ("seal", Type::Bytea),
        ],
        &["id"],
    );
    refer(&mut projects, "client_id", "clients");
    readable(&mut projects, None);
    let mut tasks = table(
        "tasks",
        &[
            ("id", Type::Int8),
            ("project_id", Type::Int8),
            ("name", Type::Text),
            ("owner", Type::Text),
        ],
        &["id"],
    );
    refer(&mut tasks, "project_id", "projects");
    readable(&mut tasks, Some("owner"));
    let mut tags = table("tags", &[("id", Type::Int8), ("word", Type::Text)], &["id"]);
    readable(&mut tags, None);
    let mut project_tags = table(
        "project_tags",
        &[("project_id", Type::Int8), ("tag_id", Type::Int8)],
        &["project_id", "tag_id"],
    );
    refer(&mut project_tags, "project_id", "projects");
    refer(&mut project_tags, "tag_id", "tags");
    readable(&mut project_tags, None);
    let mut profiles = table(
        "profiles",
        &[("client_id", Type::Int8), ("bio", Type::Text)],
        &["client_id"],
    );
    refer(&mut profiles, "client_id", "clients");
    readable(&mut profiles, None);
    let mut staff = table(
        "staff",
        &[
            ("id", Type::Int8),
            ("name", Type::Text),
            ("boss_id", Type::Int8),
        ],
        &["id"],
    );
    refer(&mut staff, "boss_id", "staff");
    readable(&mut staff, None);
    let mut letters = table(
        "letters",
        &[
            ("id", Type::Int8),
            ("sender_id", Type::Int8),
            ("receiver_id", Type::Int8),
            ("text", Type::Text),
        ],
        &["id"],
    );
    refer(&mut letters, "sender_id", "staff");
    refer(&mut letters, "receiver_id", "staff");
    readable(&mut letters, None);
    let mut open = table("open_book", &[("id", Type::Int8)], &["id"]);
    open.rls_enabled = false;

    let mut catalog = Catalog::default();
    for table in [
        clients,
        projects,
        tasks,
        tags,
        project_tags,
        profiles,
        staff,
        letters,
        open,
    ] {
        catalog
            .tables
            .insert((table.schema.clone(), table.name.clone()), Arc::new(table));
    }
    let conn = Connection::open_in_memory().unwrap();
    register(&conn);
    conn.execute_batch(
        r#"
        create table clients(id integer primary key, name text, owner text) strict;
        create table projects(id integer primary key, title text, client_id integer references clients, budget text collate pg_numeric,
            open integer, data text, labels text, state text, seal blob) strict;
        create table tasks(id integer primary key, project_id integer references projects, name text, owner text) strict;
        create table tags(id integer primary key, word text) strict;
        create table project_tags(project_id integer references projects, tag_id integer references tags,
            primary key (project_id, tag_id)) strict;
        create table profiles(client_id integer primary key references clients, bio text) strict;
        create table staff(id integer primary key, name text, boss_id integer references staff) strict;
        create table letters(id integer primary key, sender_id integer, receiver_id integer, text text) strict;
        insert into clients values (1, 'Acme "A"', 'ann'), (2, 'Bobs', 'bob');
        insert into projects values
            (1, 'Roof', 1, '10.50', 1, '{"a": {"b": [1, "x"]}, "n": 12345678901234567890}', '["red","blue"]', 'doing', x'c0de'),
            (2, 'Wall', 2, 'NaN', 0, null, '[]', 'todo', null),
            (3, 'Door', null, null, null, '[]', null, 'done', null);
        insert into tasks values (1, 1, 'nail', 'ann'), (2, 1, 'saw', 'bob'), (3, 1, 'cut', 'ann'), (4, 2, 'dig', 'bob');
        insert into tags values (1, 'hot'), (2, 'new');
        insert into project_tags values (1, 2), (1, 1), (2, 2);
        insert into profiles values (1, 'of Acme');
        insert into staff values (1, 'Eve', null), (2, 'Dan', 1), (3, 'Flo', 1);
        insert into letters values (1, 1, 2, 'hi');
        "#,
    )
    .unwrap();
    Bed { catalog, conn }
}
