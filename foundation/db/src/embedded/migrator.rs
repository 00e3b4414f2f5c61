//! Migrations: each in one transaction of its own with its record and the catalog it leaves.

use super::deferred::orphan;
use super::error::sql_error;
use super::identity::resolve;
use super::mutate::Parameters;
use super::sequences::Sequences;
use super::triggers;
use super::violation;
use crate::error::{DbError, MigrateError, OpenError};
use crate::migration::{AppliedMigration, Migration};
use pando_kernel::{Caller, Role, Timestamp};
use pando_sql::ddl::TYPE_CHECK;
use pando_sql::{Bind, Catalog, SqlError, Statement, Type};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::Path;

/// The format of the file this version writes; kept in SQLite's `user_version`.
const FORMAT: i64 = 2;

/// Where the sequences stand.
pub(crate) const SEQUENCES: &str = "CREATE TABLE IF NOT EXISTS \"pando.sequences\" (name TEXT PRIMARY KEY, last INTEGER NOT NULL, called INTEGER NOT NULL) STRICT;";

/// Makes our own tables in a new file, and gives the catalog of any file.
pub(crate) fn prepare(connection: &Connection, path: &Path) -> Result<Catalog, OpenError> {
    let refused = |error: rusqlite::Error| OpenError::Sqlite {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let found = format(connection).map_err(refused)?;
    if found != 0 {
        known(found, path)?;
    }
    if found == 0 {
        let sql = format!(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS \"pando.migrations\" (owner TEXT NOT NULL, version TEXT NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL, PRIMARY KEY (owner, version)) STRICT;
             CREATE TABLE IF NOT EXISTS \"pando.catalog\" (id INTEGER PRIMARY KEY CHECK (id = 1), catalog TEXT NOT NULL) STRICT;
             {SEQUENCES}
             PRAGMA user_version = {FORMAT};
             COMMIT;"
        );
        connection.execute_batch(&sql).map_err(refused)?;
    }
    catalog(connection).map_err(|error| OpenError::Sqlite {
        path: path.to_owned(),
        reason: error.message,
    })
}

/// The format the file says it has; 0 in a file that nobody has prepared.
pub(crate) fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Refuses a format that this version does not read.
pub(crate) fn known(found: i64, path: &Path) -> Result<(), OpenError> {
    let (path, known) = (path.to_owned(), FORMAT);
    match found {
        FORMAT => Ok(()),
        _ if found > FORMAT => Err(OpenError::Newer { path, found, known }),
        _ => Err(OpenError::Older { path, found, known }),
    }
}

/// The catalog as it is stored.
pub(crate) fn catalog(connection: &Connection) -> Result<Catalog, SqlError> {
    let stored: Option<String> = connection
        .query_row("SELECT catalog FROM \"pando.catalog\"", [], |row| {
            row.get(0)
        })
        .optional()
        .map_err(sql_error)?;
    match stored {
        None => Ok(Catalog::default()),
        Some(text) => serde_json::from_str(&text).map_err(|error| {
            SqlError::new(
                "XX001",
                format!("the stored catalog can't be read: {error}"),
            )
        }),
    }
}

/// The migrations of `owner` that ran, in order.
pub(crate) fn applied(
    connection: &Connection,
    owner: &str,
) -> Result<Vec<AppliedMigration>, SqlError> {
    let sql = "SELECT version, name, checksum, applied_at FROM \"pando.migrations\" WHERE owner = ?1 ORDER BY version";
    let mut statement = connection.prepare(sql).map_err(sql_error)?;
    let rows = statement.query_map([owner], |row| {
        Ok(AppliedMigration {
            version: row.get(0)?,
            name: row.get(1)?,
            checksum: row.get(2)?,
            applied_at: row.get(3)?,
        })
    });
    rows.and_then(Iterator::collect).map_err(sql_error)
}

/// Runs those that have not run yet. Gives their names and the catalog they leave.
pub(crate) fn migrate(
    connection: &mut Connection,
    sequences: &Sequences,
    owner: &str,
    migrations: &[Migration],
    now: Timestamp,
) -> Result<(Vec<String>, Catalog), MigrateError> {
    let done = applied(connection, owner).map_err(DbError::from)?;
    let mut pending = Vec::new();
    for migration in migrations {
        match done.iter().find(|done| done.version == migration.version) {
            Some(done) => {
                let now = migration.checksum();
                if done.checksum != now {
                    return Err(MigrateError::Edited {
                        file: migration.file.to_string(),
                        then: done.checksum.clone(),
                        now,
                    });
                }
            }
            None => pending.push(migration),
        }
    }
    if let (Some(last), Some(first)) = (done.last(), pending.first())
        && *first.version < *last.version
    {
        return Err(MigrateError::OutOfOrder {
            file: first.file.to_string(),
            applied: full_name(&last.version, &last.name),
        });
    }
    let mut names = Vec::new();
    let mut current = catalog(connection).map_err(DbError::from)?;
    for migration in pending {
        let standing = sequences.standing();
        sequences.begin();
        match apply(connection, sequences, owner, migration, &current, now) {
            Ok(next) => current = next,
            Err(error) => {
                sequences.restore(standing);
                return Err(error);
            }
        }
        names.push(full_name(&migration.version, &migration.name));
    }
    Ok((names, current))
}

fn apply(
    connection: &mut Connection,
    sequences: &Sequences,
    owner: &str,
    migration: &Migration,
    current: &Catalog,
    now: Timestamp,
) -> Result<Catalog, MigrateError> {
    let migrated = pando_sql::migrate(current, &migration.file, &migration.sql)?;
    let failed = |line| {
        let file = migration.file.to_string();
        move |error: SqlError| MigrateError::Failed {
            file,
            line,
            error: Box::new(error),
        }
    };
    // A table is rebuilt by dropping it, which must not delete the rows that refer to it; all keys are checked before the commit.
    connection
        .pragma_update(None, "foreign_keys", false)
        .map_err(|error| failed(1)(sql_error(error)))?;
    let ran = (|| {
        let transaction = connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(|error| failed(1)(sql_error(error)))?;
        triggers::uninstall(&transaction).map_err(failed(1))?;
        for step in &migrated.steps {
            run(&transaction, &step.sql, now)
                .map_err(|error| failed(step.line)(told(error, &migrated.catalog)))?;
        }
        let tables = migrated.catalog.tables.values().map(|table| &**table);
        let broken = orphan(&transaction, tables, |key| key.validated)
            .map_err(|error| failed(1)(sql_error(error)))?;
        if let Some(broken) = broken {
            return Err(failed(1)(violation::missing_parent(&broken)));
        }
        let stored = serde_json::to_string(&migrated.catalog)
            .map_err(|error| failed(1)(SqlError::new("XX000", error.to_string())))?;
        transaction
            .execute("INSERT INTO \"pando.catalog\" (id, catalog) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET catalog = excluded.catalog", [stored])
            .and_then(|_| {
                transaction.execute(
                    "INSERT INTO \"pando.migrations\" (owner, version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![owner, migration.version, migration.name, migration.checksum(), now.to_string()],
                )
            })
            .map_err(sql_error)
            .and_then(|_| sequences.flush(&transaction))
            .and_then(|()| triggers::install(&transaction, &migrated.catalog))
            .and_then(|()| transaction.commit().map_err(sql_error))
            .map_err(|error| failed(1)(error))
    })();
    if ran.is_ok() {
        sequences.settle();
    }
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(|error| failed(1)(sql_error(error)))?;
    ran.map(|()| migrated.catalog)
}

/// What a column's own type refused is said as Postgres says it.
fn told(error: SqlError, catalog: &Catalog) -> SqlError {
    let Some((_, column)) = error
        .message
        .split_once(&format!("CHECK constraint failed: {TYPE_CHECK}"))
    else {
        return error;
    };
    let too_long = catalog
        .tables
        .values()
        .filter_map(|table| table.column(column))
        .find(|column| matches!(column.ty, Type::Varchar(Some(_))));
    match too_long {
        Some(column) => SqlError::new(
            "22001",
            format!("value too long for type {}", column.ty.name()),
        ),
        None => error,
    }
}

fn run(connection: &Connection, statement: &Statement, now: Timestamp) -> Result<(), SqlError> {
    let caller = Caller::keyed(Role::Service);
    let identity = |bind: &Bind| resolve(&caller, now, bind);
    let mut prepared = connection
        .prepare_cached(&statement.sql)
        .map_err(sql_error)?;
    Parameters {
        inputs: &[],
        row: &[],
        identity: &identity,
    }
    .bind(&mut prepared, &statement.binds)
    .map_err(sql_error)?;
    let mut rows = prepared.raw_query();
    while rows.next().map_err(sql_error)?.is_some() {}
    Ok(())
}

/// `0001_todos`; a seed has no name beside its version.
fn full_name(version: &str, name: &str) -> String {
    if name.is_empty() {
        version.to_owned()
    } else {
        format!("{version}_{name}")
    }
}
