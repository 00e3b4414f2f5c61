//! What can go wrong when the database is opened, migrated or asked.

use pando_sql::{Refusal, SqlError};
use std::path::PathBuf;

/// A request that was not answered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// The statement failed as it would in Postgres.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// Too many requests are waiting already; nothing was done.
    #[error("the database has too many requests waiting")]
    Overloaded,
    /// The deadline passed; nothing was done.
    #[error("the deadline passed before the database answered")]
    Deadline,
    /// The database can't do it now; nothing was done.
    #[error("the database is not available: {0}")]
    Unavailable(String),
}

/// A database that was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the data directory.
    #[error(
        "another process is using {0}: stop it, or give this one a directory of its own with --data"
    )]
    Locked(PathBuf),
    /// The file was written by a newer version.
    #[error(
        "{path} was written by a newer version (format {found}, this one knows {known}): use that version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The format this version writes.
        known: i64,
    },
    /// The file was written by an older version in a form this one does not read.
    #[error(
        "{path} was written by an older version (format {found}, this one knows {known}): start with an empty data directory, which \
         the migrations fill, and bring the rows over"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The format this version writes.
        known: i64,
    },
    /// The directory or a file in it can't be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// What can't be used.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused the file.
    #[error("cannot open {path}: {reason}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
}

/// A copy that was not made, or is none.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("there is no database in {0}: the first `pando serve` makes it")]
    Absent(PathBuf),
    /// The name is taken.
    #[error("{0} is there already: choose another name, or say --replace")]
    Exists(PathBuf),
    /// A data directory that a copy was to be put into is in use.
    #[error("{0} holds a database already: restore into an empty directory, or move this one away")]
    Occupied(PathBuf),
    /// Somebody else makes the same copy.
    #[error("another process is making {0} right now")]
    Running(PathBuf),
    /// The database can't be opened, or not by this version.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file or directory can't be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// What can't be used.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite could not copy.
    #[error("cannot copy to {path}: {reason}")]
    Copy {
        /// The file that was read or written.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
    /// The copy was looked at and is not whole.
    #[error("{path} is not a whole database: {reason}")]
    Broken {
        /// The copy.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A migration that did not run. Nothing of it, and nothing after it, was applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The file was edited after it ran.
    #[error(
        "{file} was changed after it ran (then {then}, now {now}): put it back as it was, and write a new migration for the change"
    )]
    Edited {
        /// The migration's file.
        file: String,
        /// Checksum of what ran, SHA-256.
        then: String,
        /// Checksum of what the file holds now.
        now: String,
    },
    /// A newer migration ran before it.
    #[error("{file} comes before {applied}, which ran already: give it a later number")]
    OutOfOrder {
        /// The migration's file.
        file: String,
        /// The newest that ran.
        applied: String,
    },
    /// A statement the embedded engine does not run.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// A statement that failed on the data there is.
    #[error("{file}:{line}: {error}{}", detail(.error))]
    Failed {
        /// The migration's file.
        file: String,
        /// The line of the statement.
        line: u64,
        /// What it raised.
        error: Box<SqlError>,
    },
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Refusal> for MigrateError {
    fn from(refusal: Refusal) -> MigrateError {
        MigrateError::Refused(Box::new(refusal))
    }
}

fn detail(error: &SqlError) -> String {
    error
        .detail
        .as_ref()
        .map_or_else(String::new, |detail| format!(": {detail}"))
}
