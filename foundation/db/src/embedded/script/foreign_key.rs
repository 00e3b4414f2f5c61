//! Which foreign key a statement broke: SQLite does not say.
//!
//! The statement is run once more with the keys unenforced, and the rows that refer to nothing are looked for; the caller undoes all of it.
//! Only on the failure path, and only while the tables are small enough to be looked through.

use super::Parameters;
use pando_sql::catalog::{Action, ForeignKey, Table};
use pando_sql::render::Rendered;
use pando_sql::{Catalog, SqlError};
use rusqlite::Connection;

/// Rows of a table that are looked through.
const ROWS_MAX: i64 = 50_000;

/// Explains a broken foreign key; none if it can't be found.
pub(super) fn explain(
    connection: &Connection,
    catalog: &Catalog,
    rendered: &Rendered,
    parameters: Parameters<'_>,
) -> Option<SqlError> {
    let changed = catalog.table(&rendered.table.as_ref()?.0, &rendered.table.as_ref()?.1)?;
    let found = unenforced(connection, catalog, rendered, parameters, changed);
    let restricting = || {
        referring(catalog, changed).find(|(_, key)| {
            matches!(key.on_delete, Action::Restrict) || matches!(key.on_update, Action::Restrict)
        })
    };
    let (table, key) = found.or_else(restricting)?;
    Some(said(changed, table, key))
}

fn unenforced<'c>(
    connection: &Connection,
    catalog: &'c Catalog,
    rendered: &Rendered,
    parameters: Parameters<'_>,
    changed: &'c Table,
) -> Option<(&'c Table, &'c ForeignKey)> {
    connection
        .pragma_update(None, "defer_foreign_keys", true)
        .ok()?;
    let ran = super::one(connection, rendered, parameters);
    let found = if ran.is_ok() {
        let others = referring(catalog, changed).map(|(table, _)| table);
        std::iter::once(changed)
            .chain(others)
            .find_map(|table| broken(connection, table))
    } else {
        None
    };
    connection
        .pragma_update(None, "defer_foreign_keys", false)
        .ok()?;
    found
}

/// The key of a table's that a row of it breaks.
fn broken<'c>(connection: &Connection, table: &'c Table) -> Option<(&'c Table, &'c ForeignKey)> {
    let file_name = table.file_name();
    let quoted = file_name.replace('"', "\"\"");
    let last: Option<i64> = connection
        .query_row(&format!("SELECT max(rowid) FROM \"{quoted}\""), [], |row| {
            row.get(0)
        })
        .ok()?;
    if last.unwrap_or(0) > ROWS_MAX {
        return None;
    }
    let id: i64 = connection
        .query_row(
            &format!(
                "SELECT fkid FROM pragma_foreign_key_check('{}')",
                file_name.replace('\'', "''")
            ),
            [],
            |row| row.get(0),
        )
        .ok()?;
    // SQLite counts a table's keys from the last one declared.
    let at = table
        .foreign_keys
        .len()
        .checked_sub(1 + usize::try_from(id).ok()?)?;
    Some((table, table.foreign_keys.get(at)?))
}

fn referring<'c>(
    catalog: &'c Catalog,
    table: &'c Table,
) -> impl Iterator<Item = (&'c Table, &'c ForeignKey)> {
    catalog.tables.values().flat_map(move |other| {
        other
            .foreign_keys
            .iter()
            .filter(move |key| {
                key.foreign_table == table.name && key.foreign_schema == table.schema
            })
            .map(move |key| (&**other, key))
    })
}

fn said(changed: &Table, table: &Table, key: &ForeignKey) -> SqlError {
    let own = table.name == changed.name && table.schema == changed.schema;
    SqlError::new(
        "23503",
        if own {
            format!(
                "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                table.name, key.name
            )
        } else {
            format!(
                "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                key.foreign_table, key.name, table.name
            )
        },
    )
}
