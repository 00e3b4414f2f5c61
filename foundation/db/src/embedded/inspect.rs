//! Whether a file that nobody has open is whole: what a copy must prove before it is called one.

use super::connection::{Mode, open};
use super::deferred::orphan;
use super::migrator;
use super::violation;
use crate::error::BackupError;
use rusqlite::Connection;
use std::path::Path;

/// Memory for looking at a file, kibibytes as SQLite's `cache_size` has them.
const CACHE: i64 = -65_536;
/// Complaints of the integrity check that are told.
const COMPLAINTS: u32 = 5;

/// What a whole file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Tables the migrations declared, ours too.
    pub tables: usize,
    /// Rows of all of them.
    pub rows: u64,
    /// The file's size.
    pub bytes: u64,
}

/// Opens a copy as the server would, with our functions and collations, and reads all of it: every page and index, every foreign
/// key, the catalog. Blocks for as long as reading the file takes.
pub fn inspect(file: &Path) -> Result<Contents, BackupError> {
    let broken = |reason: String| BackupError::Broken {
        path: file.to_owned(),
        reason,
    };
    let io = |source| BackupError::Io {
        path: file.to_owned(),
        source,
    };
    // SQLite would make an empty database of a file that is not there.
    let bytes = std::fs::metadata(file).map_err(io)?.len();
    if bytes == 0 {
        return Err(broken("it is empty".to_owned()));
    }
    let (connection, _) = open(file, Mode::Read).map_err(|error| broken(error.to_string()))?;
    let refused = |error: rusqlite::Error| broken(error.to_string());
    connection
        .pragma_update(None, "cache_size", CACHE)
        .map_err(refused)?;
    let complaints = integrity(&connection).map_err(refused)?;
    if !complaints.is_empty() {
        return Err(broken(complaints.join("; ")));
    }
    let format = migrator::format(&connection).map_err(refused)?;
    migrator::known(format, file)?;
    let catalog = migrator::catalog(&connection).map_err(|error| broken(error.message))?;
    let tables = catalog.tables.values().map(|table| &**table);
    let orphaned = orphan(&connection, tables, |key| key.validated).map_err(refused)?;
    if let Some(orphaned) = orphaned {
        let error = violation::missing_parent(&orphaned);
        return Err(broken(error.message));
    }
    let mut rows = 0;
    let names = table_names(&connection).map_err(refused)?;
    for name in &names {
        let count: i64 = connection
            .query_row(
                &format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\"")),
                [],
                |row| row.get(0),
            )
            .map_err(refused)?;
        rows += count.unsigned_abs();
    }
    Ok(Contents {
        tables: names.len(),
        rows,
        bytes,
    })
}

fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({COMPLAINTS})"))?;
    let lines = check.query_map([], |row| row.get::<_, String>(0))?;
    lines
        .filter(|line| !line.as_ref().is_ok_and(|line| line == "ok"))
        .collect()
}

fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}
