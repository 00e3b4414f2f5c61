//! Which foreign key a statement broke that was run as it was written. SQLite does not say, so the statement is run once more with the
//! keys counted and not enforced, the row that refers to nothing is looked for, and all of it is undone.
//!
//! Only on the failure path, and bounded: beyond so many rows the message names no key.

use super::Parameters;
use pando_sql::catalog::{Action, ForeignKey, Table};
use pando_sql::render::Rendered;
use pando_sql::{Catalog, SqlError};
use rusqlite::Connection;

/// Rows of a table looked at to find the one that refers to nothing, the newest first.
const ROWS_SEARCHED_MAX: usize = 100_000;

/// Names the key, if it is found.
pub(super) fn explain(
    connection: &Connection,
    catalog: &Catalog,
    rendered: &Rendered,
    parameters: Parameters<'_>,
) -> Option<SqlError> {
    let (schema, name) = rendered.table.as_ref()?;
    let table = catalog.table(schema, name)?;
    let writes_rows = !rendered.statement.sql.starts_with("DELETE");
    connection
        .execute_batch("SAVEPOINT broken; PRAGMA defer_foreign_keys = ON;")
        .ok()?;
    let explained = match super::one(connection, rendered, parameters) {
        Ok(_) => dangling(connection, catalog, table, writes_rows),
        Err(error) if super::is_foreign_key(&error) => restricted(catalog, table),
        Err(_) => None,
    };
    // What can't be undone here goes with the request's own savepoint.
    let undone = connection
        .execute_batch("ROLLBACK TO broken; RELEASE broken; PRAGMA defer_foreign_keys = OFF;");
    undone.ok().and(explained)
}

/// The key by which a row refers to nothing now: one of the table itself, or one that refers to it or to what it cascades to.
fn dangling(
    connection: &Connection,
    catalog: &Catalog,
    table: &Table,
    writes_rows: bool,
) -> Option<SqlError> {
    let own = table
        .foreign_keys
        .iter()
        .filter(|key| writes_rows && refers_to_nothing(connection, table, key))
        .map(|key| missing(table, key))
        .next();
    own.or_else(|| {
        references(catalog, table)
            .into_iter()
            .find(|(child, key)| refers_to_nothing(connection, child, key))
            .map(|(child, key)| referenced(child, key))
    })
}

/// The key that forbids at once, if there is but one that may have.
fn restricted(catalog: &Catalog, table: &Table) -> Option<SqlError> {
    let mut keys = references(catalog, table)
        .into_iter()
        .filter(|(_, key)| key.on_delete == Action::Restrict || key.on_update == Action::Restrict);
    match (keys.next(), keys.next()) {
        (Some((child, key)), None) => Some(referenced(child, key)),
        _ => None,
    }
}

/// The keys that refer to a table, and those that refer to the tables its rows take along.
fn references<'c>(catalog: &'c Catalog, table: &'c Table) -> Vec<(&'c Table, &'c ForeignKey)> {
    let mut found: Vec<(&Table, &ForeignKey)> = Vec::new();
    let mut parents = vec![table];
    let mut at = 0;
    while let Some(parent) = parents.get(at).copied() {
        at += 1;
        for child in catalog.tables.values() {
            for key in &child.foreign_keys {
                if (&key.foreign_schema, &key.foreign_table) != (&parent.schema, &parent.name) {
                    continue;
                }
                found.push((child, key));
                let takes_along =
                    key.on_delete == Action::Cascade || key.on_update == Action::Cascade;
                let known = parents
                    .iter()
                    .any(|known| (&known.schema, &known.name) == (&child.schema, &child.name));
                if takes_along && !known {
                    parents.push(child);
                }
            }
        }
    }
    found
}

fn refers_to_nothing(connection: &Connection, child: &Table, key: &ForeignKey) -> bool {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let parent = Catalog::file_name(&key.foreign_schema, &key.foreign_table);
    let columns: Vec<String> = key.columns.iter().map(|name| quoted(name)).collect();
    let known: Vec<String> = columns
        .iter()
        .map(|name| format!("{name} IS NOT NULL"))
        .collect();
    let equal: Vec<String> = key
        .foreign_columns
        .iter()
        .zip(&columns)
        .map(|(foreign, name)| format!("p.{} = c.{name}", quoted(foreign)))
        .collect();
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM (SELECT {} FROM {} WHERE {} ORDER BY rowid DESC LIMIT {ROWS_SEARCHED_MAX}) AS c \
         WHERE NOT EXISTS (SELECT 1 FROM {} AS p WHERE {}))",
        columns.join(", "),
        quoted(&child.file_name()),
        known.join(" AND "),
        quoted(&parent),
        equal.join(" AND "),
    );
    connection
        .query_row(&sql, [], |row| row.get(0))
        .unwrap_or(false)
}

fn missing(child: &Table, key: &ForeignKey) -> SqlError {
    SqlError::new(
        "23503",
        format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            child.name, key.name
        ),
    )
}

fn referenced(child: &Table, key: &ForeignKey) -> SqlError {
    SqlError::new(
        "23503",
        format!(
            "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
            key.foreign_table, key.name, child.name
        ),
    )
}
