//! Looking a database over: whether what it holds is whole.

use crate::embedded::deferred::orphan;
use crate::embedded::error::sql_error;
use crate::embedded::violation;
use pando_sql::{Catalog, SqlError};
use rusqlite::Connection;

/// The most lines of damage that are told.
const LINES: i64 = 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What SQLite says is wrong with the file and its indexes; empty if nothing is.
    pub damage: Vec<String>,
    /// A row that breaks a foreign key, in Postgres' words.
    pub orphan: Option<String>,
    /// The file's length in bytes, without its log.
    pub bytes: u64,
    /// How many bytes of it hold nothing.
    pub free_bytes: u64,
}

/// Reads every page, and every index against its table.
pub(crate) fn inspect(connection: &Connection, catalog: &Catalog) -> Result<Health, SqlError> {
    let ask = || {
        let number = |pragma: &str| {
            connection.pragma_query_value(None, pragma, |row| {
                row.get::<_, i64>(0).map(i64::unsigned_abs)
            })
        };
        let page = number("page_size")?;
        let damage = connection
            .prepare(&format!("PRAGMA integrity_check({LINES})"))?
            .query_map([], |row| row.get::<_, String>(0))?
            .filter(|line| !matches!(line, Ok(line) if line == "ok"))
            .collect::<rusqlite::Result<_>>()?;
        let tables = catalog.tables.values().map(|table| &**table);
        let orphan = orphan(connection, tables, |key| key.validated)?;
        Ok(Health {
            damage,
            orphan: orphan.map(|orphan| {
                let error = violation::missing_parent(&orphan);
                format!("{}: {}", error.message, error.detail.unwrap_or_default())
            }),
            bytes: number("page_count")? * page,
            free_bytes: number("freelist_count")? * page,
        })
    };
    ask().map_err(sql_error)
}
