//! Connections, all set up alike: durable, enforcing, with our functions and a deadline.

use crate::error::OpenError;
use crate::planted::planted;
use pando_sql::SqlError;
use pando_sql::Value;
use pando_sql::functions::{Accumulate, SqlAggregate, aggregates, collations, functions};
use rusqlite::config::DbConfig;
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Steps of SQLite's machine between two looks at the deadline: some tens of microseconds.
const STEPS: i32 = 2_000;
/// Prepared statements kept by each connection.
const STATEMENTS: usize = 256;
/// The greatest value or row, bytes.
const LENGTH: i32 = 64 << 20;

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Writes, and makes the file if it is new.
    Write,
    /// Reads only.
    Read,
    /// Reads only, on the thread that asks: quick ones, which are most of them.
    ReadInPlace,
}

/// How much of the file the quick readers map instead of copying its pages: what is mapped counts as memory of the process.
const MAPPED: i64 = 48 << 20;

/// When the statement of a connection must be done; 0 is never.
#[derive(Clone)]
pub(crate) struct Alarm {
    start: Instant,
    due: Arc<AtomicU64>,
}

impl Alarm {
    fn new() -> Alarm {
        Alarm {
            start: Instant::now(),
            due: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Statements from here on are interrupted after `deadline`.
    pub(crate) fn set(&self, deadline: Instant) {
        let nanos = deadline.saturating_duration_since(self.start).as_nanos();
        self.due.store(
            u64::try_from(nanos).unwrap_or(u64::MAX).max(1),
            Ordering::Relaxed,
        );
    }

    /// Statements from here on may take their time.
    pub(crate) fn clear(&self) {
        self.due.store(0, Ordering::Relaxed);
    }

    fn rings(&self) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        due != 0 && self.start.elapsed().as_nanos() >= u128::from(due)
    }
}

/// Opens the file.
pub(crate) fn open(path: &Path, mode: Mode) -> Result<(Connection, Alarm), OpenError> {
    let flags = match mode {
        Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Mode::Read | Mode::ReadInPlace => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let opened = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    opened
        .and_then(|connection| set_up(connection, mode))
        .map_err(|error| OpenError::Sqlite {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

fn set_up(mut connection: Connection, mode: Mode) -> rusqlite::Result<(Connection, Alarm)> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    if mode == Mode::Write {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // The writer checkpoints between batches, when nobody waits for it.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        // A trigger may come to its own table again, as in Postgres.
        connection.pragma_update(None, "recursive_triggers", true)?;
    } else {
        connection.pragma_update(None, "query_only", true)?;
    }
    let synchronous = match planted("normal-for-full") {
        true => "NORMAL",
        false => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -4_096)?;
    let mapped = if mode == Mode::ReadInPlace { MAPPED } else { 0 };
    connection.pragma_update(None, "mmap_size", mapped)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A double-quoted word is a name, never a text that nobody meant.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LENGTH)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    for function in functions() {
        let mut flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        flags.set(
            FunctionFlags::SQLITE_DETERMINISTIC,
            function.is_deterministic(),
        );
        connection.create_scalar_function(
            function.sqlite_name(),
            function.arity(),
            flags,
            move |context| {
                let arguments = (0..context.len())
                    .map(|index| crate::tx::value(argument(context, index)))
                    .collect::<Vec<_>>();
                function.call(&arguments).map(Answer).map_err(carried)
            },
        )?;
    }
    for aggregate in aggregates() {
        let flags = FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_INNOCUOUS
            | FunctionFlags::SQLITE_DETERMINISTIC;
        connection.create_window_function(
            aggregate.name,
            aggregate.arity,
            flags,
            Aggregated(aggregate),
        )?;
    }
    if mode == Mode::Write {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        connection.create_scalar_function(pando_sql::RAISE, 2, flags, |context| {
            let (state, message): (String, String) = (context.get(0)?, context.get(1)?);
            Err::<i64, _>(rusqlite::Error::UserFunctionError(
                format!("PGERR:{state}:{message}").into(),
            ))
        })?;
    } else {
        super::sequences::refuse(&connection)?;
    }
    for collation in collations() {
        let compare = collation.compare;
        connection.create_collation(collation.name, compare)?;
    }
    let alarm = Alarm::new();
    let watched = alarm.clone();
    connection.progress_handler(STEPS, Some(move || watched.rings()))?;
    Ok((connection, alarm))
}

fn argument<'a>(context: &'a Context<'_>, index: usize) -> ValueRef<'a> {
    context.get_raw(index)
}

/// An error of a function of ours, as it passes through SQLite whole (see `error`).
pub(crate) fn carried(error: SqlError) -> rusqlite::Error {
    let mut text = format!("PGERR:{}:{}", error.state, error.message);
    if error.detail.is_some() || error.hint.is_some() {
        for option in [error.detail, error.hint] {
            text.push(PART);
            text.push_str(option.as_deref().unwrap_or_default());
        }
    }
    rusqlite::Error::UserFunctionError(text.into())
}

/// What parts the message of a carried error from its detail and its hint.
pub(crate) const PART: char = '\u{1f}';

/// An aggregate of ours as rusqlite calls it.
struct Aggregated(&'static SqlAggregate);

impl Aggregate<Box<dyn Accumulate>, Answer> for Aggregated {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Box<dyn Accumulate>> {
        Ok((self.0.begin)())
    }

    fn step(
        &self,
        context: &mut Context<'_>,
        state: &mut Box<dyn Accumulate>,
    ) -> rusqlite::Result<()> {
        let arguments = (0..context.len())
            .map(|index| crate::tx::value(argument(context, index)))
            .collect::<Vec<_>>();
        state.step(&arguments).map_err(carried)
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        state: Option<Box<dyn Accumulate>>,
    ) -> rusqlite::Result<Answer> {
        let state = state.unwrap_or_else(self.0.begin);
        state.finish().map(Answer).map_err(carried)
    }
}

/// Over the default frame, which only grows: a value for each row, and nothing is taken out again.
impl WindowAggregate<Box<dyn Accumulate>, Answer> for Aggregated {
    fn value(&self, state: Option<&mut Box<dyn Accumulate>>) -> rusqlite::Result<Answer> {
        match state {
            Some(state) => state.finish().map(Answer).map_err(carried),
            None => (self.0.begin)().finish().map(Answer).map_err(carried),
        }
    }

    fn inverse(&self, _: &mut Context<'_>, _: &mut Box<dyn Accumulate>) -> rusqlite::Result<()> {
        Err(carried(SqlError::new(
            "0A000",
            "frames that let go of rows are not available on the embedded engine",
        )))
    }
}

/// A function's result on its way into SQLite.
struct Answer(Value);

impl rusqlite::ToSql for Answer {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(int) => ValueRef::Integer(*int),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
