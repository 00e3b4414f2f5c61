//! The triggers that run after rows are written: SQLite's, on the writing connection alone. The file knows nothing of them.

use super::error::sql_error;
use pando_sql::render::after_triggers;
use pando_sql::{Catalog, SqlError, Statement};
use rusqlite::Connection;

/// Makes those of a catalog.
pub(crate) fn install(connection: &Connection, catalog: &Catalog) -> Result<(), SqlError> {
    for (_, statement) in after_triggers(catalog)? {
        connection.execute(&statement.sql, []).map_err(sql_error)?;
    }
    Ok(())
}

/// Takes them all away: none may stand while tables change.
pub(crate) fn uninstall(connection: &Connection) -> Result<(), SqlError> {
    let names: Vec<String> = connection
        .prepare("SELECT name FROM temp.sqlite_schema WHERE type = 'trigger'")
        .and_then(|mut statement| {
            let names = statement.query_map([], |row| row.get(0))?;
            names.collect()
        })
        .map_err(sql_error)?;
    for name in names {
        let mut drop = Statement::new();
        drop.push("DROP TRIGGER temp.").ident(&name);
        connection.execute(&drop.sql, []).map_err(sql_error)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
