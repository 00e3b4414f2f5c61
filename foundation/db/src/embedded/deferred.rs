//! Foreign keys that are looked at late. A key that is broken when a batch commits would fail the whole batch, so each request is
//! looked at before its savepoint is released.

use pando_sql::catalog::{ForeignKey, Table};
use pando_sql::{Catalog, SqlError, Value};
use rusqlite::{Connection, OptionalExtension as _, ffi};

/// Whether a foreign key of the open transaction is broken.
pub(crate) fn is_broken(connection: &Connection) -> bool {
    let (mut current, mut highest) = (0, 0);
    // SAFETY: the handle is open as long as the connection is, and the call writes to the two integers alone.
    #[expect(
        unsafe_code,
        reason = "rusqlite has no call for the status of a connection"
    )]
    let code = unsafe {
        ffi::sqlite3_db_status(
            connection.handle(),
            ffi::SQLITE_DBSTATUS_DEFERRED_FKS,
            &raw mut current,
            &raw mut highest,
            0,
        )
    };
    code == ffi::SQLITE_OK && current != 0
}

/// A row whose foreign key refers to nothing.
pub(crate) struct Orphan<'a> {
    pub(crate) table: &'a Table,
    pub(crate) key: &'a ForeignKey,
    /// The values of the key's columns.
    pub(crate) values: Vec<Value>,
}

/// The first row of the given tables, or of all, that breaks a foreign key for which `counts` says yes.
pub(crate) fn orphan<'a>(
    connection: &Connection,
    tables: impl Iterator<Item = &'a Table>,
    counts: impl Fn(&ForeignKey) -> bool,
) -> rusqlite::Result<Option<Orphan<'a>>> {
    for table in tables.filter(|table| !table.foreign_keys.is_empty()) {
        let file_name = table.file_name();
        let mut check =
            connection.prepare("SELECT rowid, fkid FROM pragma_foreign_key_check(?1)")?;
        let mut rows = check.query([&file_name])?;
        while let Some(row) = rows.next()? {
            let (rowid, number): (i64, i64) = (row.get(0)?, row.get(1)?);
            let columns: Vec<String> = connection
                .prepare(
                    "SELECT \"from\" FROM pragma_foreign_key_list(?1) WHERE id = ?2 ORDER BY seq",
                )?
                .query_map((&file_name, number), |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let parent: Option<String> = connection
                .query_row(
                    "SELECT \"table\" FROM pragma_foreign_key_list(?1) WHERE id = ?2",
                    (&file_name, number),
                    |row| row.get(0),
                )
                .optional()?;
            let key = table.foreign_keys.iter().find(|key| {
                key.columns == columns
                    && parent.as_deref()
                        == Some(&*Catalog::file_name(
                            &key.foreign_schema,
                            &key.foreign_table,
                        ))
            });
            let Some(key) = key.filter(|key| counts(key)) else {
                continue;
            };
            let list = columns
                .iter()
                .map(|column| format!("\"{}\"", column.replace('"', "\"\"")))
                .collect::<Vec<_>>()
                .join(", ");
            let sql = format!(
                "SELECT {list} FROM \"{}\" WHERE rowid = ?1",
                file_name.replace('"', "\"\"")
            );
            let values = connection.query_row(&sql, [rowid], |row| {
                (0..columns.len())
                    .map(|at| Ok(crate::tx::value(row.get_ref(at)?)))
                    .collect::<rusqlite::Result<_>>()
            })?;
            return Ok(Some(Orphan { table, key, values }));
        }
    }
    Ok(None)
}

/// What a request that broke a key and can't be asked about more is told.
pub(crate) fn unexplained() -> SqlError {
    SqlError::new(
        "23503",
        "insert, update or delete violates a foreign key constraint",
    )
}
