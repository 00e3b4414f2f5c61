//! Tables and indexes as SQLite keeps them. Defaults, identity and policies stay in the catalog; constraints are in the file as well, so
//! that no program can write what the schema forbids.

use crate::catalog::{Action, Catalog, Column, Index, Table};
use crate::error::SqlError;
use crate::render::render_ddl;
use crate::statement::Statement;
use crate::types::Type;

/// The name of the check that keeps a column to its type; no constraint of the team's may start with it.
pub const TYPE_CHECK: &str = "pando_type_";

/// The column that is SQLite's own row id: an integer that alone is the primary key.
pub fn rowid_key(table: &Table) -> Option<&Column> {
    let [name] = &table.primary_key.as_ref()?.columns[..] else {
        return None;
    };
    table
        .column(name)
        .filter(|column| matches!(column.ty, Type::Int2 | Type::Int4 | Type::Int8))
}

/// `create table` under another name than its own, for rebuilding.
pub(crate) fn create_table(
    catalog: &Catalog,
    table: &Table,
    file_name: &str,
) -> Result<Statement, SqlError> {
    let mut out = Statement::new();
    out.push("CREATE TABLE ").ident(file_name).push(" (");
    let rowid = rowid_key(table).map(|column| column.name.as_str());
    for (index, column) in table.columns.iter().enumerate() {
        if index > 0 {
            out.push(", ");
        }
        out.ident(&column.name).push(" ").push(storage(&column.ty));
        if rowid == Some(column.name.as_str()) {
            out.push(" PRIMARY KEY");
            continue;
        }
        if let Some(collation) = column.ty.collation() {
            out.push(" COLLATE ").push(collation);
        }
        if let Some(generated) = &column.generated {
            out.push(" GENERATED ALWAYS AS (");
            render_ddl(catalog, generated, &mut out)?;
            out.push(") STORED");
        }
        if column.not_null {
            out.push(" NOT NULL");
        }
    }
    if let (Some(key), None) = (&table.primary_key, rowid) {
        out.push(", CONSTRAINT ")
            .ident(&key.name)
            .push(" PRIMARY KEY (");
        names(&key.columns, &mut out);
        out.push(")");
    }
    for key in &table.uniques {
        out.push(", CONSTRAINT ").ident(&key.name).push(" UNIQUE (");
        names(&key.columns, &mut out);
        out.push(")");
    }
    for column in &table.columns {
        type_check(column, &mut out);
    }
    for check in &table.checks {
        out.push(", CONSTRAINT ")
            .ident(&check.name)
            .push(" CHECK (");
        render_ddl(catalog, &check.expr, &mut out)?;
        out.push(")");
    }
    for key in &table.foreign_keys {
        out.push(", CONSTRAINT ")
            .ident(&key.name)
            .push(" FOREIGN KEY (");
        names(&key.columns, &mut out);
        out.push(") REFERENCES ")
            .ident(&Catalog::file_name(&key.foreign_schema, &key.foreign_table))
            .push(" (");
        names(&key.foreign_columns, &mut out);
        out.push(")")
            .push(action(" ON DELETE ", key.on_delete))
            .push(action_name(key.on_delete));
        out.push(action(" ON UPDATE ", key.on_update))
            .push(action_name(key.on_update));
    }
    out.push(") STRICT");
    Ok(out)
}

/// `create index`. Index names live in one space in SQLite, so those of other schemas carry theirs.
pub(crate) fn create_index(
    catalog: &Catalog,
    table: &Table,
    index: &Index,
) -> Result<Statement, SqlError> {
    let mut out = Statement::new();
    out.push(if index.unique {
        "CREATE UNIQUE INDEX "
    } else {
        "CREATE INDEX "
    });
    out.ident(&index_file_name(table, index))
        .push(" ON ")
        .ident(&table.file_name())
        .push(" (");
    for (at, part) in index.parts.iter().enumerate() {
        if at > 0 {
            out.push(", ");
        }
        render_ddl(catalog, &part.expr, &mut out)?;
        if part.descending {
            out.push(" DESC");
        }
    }
    out.push(")");
    if let Some(predicate) = &index.predicate {
        out.push(" WHERE ");
        render_ddl(catalog, predicate, &mut out)?;
    }
    Ok(out)
}

/// The name of an index in the file.
pub fn index_file_name(table: &Table, index: &Index) -> String {
    Catalog::file_name(&table.schema, &index.name)
}

fn names(columns: &[String], out: &mut Statement) {
    for (index, name) in columns.iter().enumerate() {
        if index > 0 {
            out.push(", ");
        }
        out.ident(name);
    }
}

pub(crate) fn storage(ty: &Type) -> &'static str {
    match ty {
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Bool => "INTEGER",
        Type::Float4 | Type::Float8 => "REAL",
        Type::Bytea => "BLOB",
        _ => "TEXT",
    }
}

/// Whether a column of the type needs neither check nor collation.
pub(crate) fn plain(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::Int2 | Type::Int4 | Type::Bool | Type::Varchar(Some(_)) | Type::Enum(_)
    ) && ty.collation().is_none()
}

fn type_check(column: &Column, out: &mut Statement) {
    let mut check = |write: &dyn Fn(&mut Statement)| {
        out.push(", CONSTRAINT ")
            .ident(&format!("{TYPE_CHECK}{}", column.name))
            .push(" CHECK (");
        write(out);
        out.push(")");
    };
    match &column.ty {
        Type::Int2 => check(&|out| {
            out.ident(&column.name).push(" BETWEEN -32768 AND 32767");
        }),
        Type::Int4 => check(&|out| {
            out.ident(&column.name)
                .push(" BETWEEN -2147483648 AND 2147483647");
        }),
        Type::Bool => check(&|out| {
            out.ident(&column.name).push(" IN (0, 1)");
        }),
        Type::Varchar(Some(limit)) => check(&|out| {
            out.push("length(")
                .ident(&column.name)
                .push(&format!(") <= {limit}"));
        }),
        Type::Enum(labels) => check(&|out| {
            out.ident(&column.name).push(" IN (");
            for (index, label) in labels.labels.iter().enumerate() {
                if index > 0 {
                    out.push(", ");
                }
                out.push("'").push(&label.replace('\'', "''")).push("'");
            }
            out.push(")");
        }),
        _ => {}
    }
}

fn action(when: &'static str, action: Action) -> &'static str {
    if action == Action::NoAction { "" } else { when }
}

fn action_name(action: Action) -> &'static str {
    match action {
        Action::NoAction => "",
        Action::Restrict => "RESTRICT",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    }
}
