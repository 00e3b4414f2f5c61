//! An SQLite in memory with what the engine registers on its connections. Statements of ours have to be right on it.

use pando_kernel::Role;
use pando_sql::functions::{Accumulate, SqlAggregate, aggregates, collations, functions};
use pando_sql::render::{CURRENT_VALUE, LAST_VALUE, NEXT_VALUE, SET_VALUE};
use pando_sql::{
    Bind, Catalog, FORGET_SEQUENCE, RAISE, RENAME_SEQUENCE, SqlError, Statement, Value, migrate,
};
use rusqlite::config::DbConfig;
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Steps of SQLite's machine between two looks at how many there were.
const STEPS: i32 = 1_000;
/// What one input may have SQLite do, in steps: a deadline that does not depend on the machine.
const STEPS_MAX: u64 = 200_000;
/// The greatest text or blob, bytes: less than the engine's, so that what doubles itself ends sooner.
const LENGTH: i32 = 4 << 20;
/// Rows read of an answer.
const ROWS_MAX: usize = 200;

/// The database and how far the input in hand has worked it.
pub(crate) struct Engine {
    pub(crate) connection: Connection,
    steps: Arc<AtomicU64>,
}

/// What a statement came to.
pub(crate) enum Ran {
    /// So many rows.
    Rows(usize),
    /// What Postgres would raise too, or what took too long.
    Failed(String),
}

impl Engine {
    /// An engine with these migrations run, and their catalog.
    pub(crate) fn with(schemas: &[&str]) -> (Engine, Catalog) {
        let engine = open().unwrap_or_else(|error| panic!("set up SQLite: {error}"));
        let mut catalog = Catalog::default();
        for schema in schemas {
            let migrated = migrate(&catalog, "schema.sql", schema)
                .unwrap_or_else(|refusal| panic!("{refusal}"));
            for step in &migrated.steps {
                match engine.run(&step.sql, &[]) {
                    Ok(Ran::Rows(_)) => {}
                    Ok(Ran::Failed(error)) | Err(error) => {
                        panic!("schema.sql:{}: {error}", step.line)
                    }
                }
            }
            catalog = migrated.catalog;
        }
        (engine, catalog)
    }

    /// Runs an input's work and undoes what it did.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> Result<T, String> {
        self.steps.store(0, Ordering::Relaxed);
        let say = |error: rusqlite::Error| format!("SQLite's transaction: {error}");
        self.connection.execute_batch("BEGIN").map_err(say)?;
        let done = work();
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").map_err(say)?;
        }
        Ok(done)
    }

    /// Looks whether SQLite takes a statement of ours, without running it.
    pub(crate) fn prepare(&self, statement: &Statement) -> Result<(), String> {
        match self.connection.prepare(&statement.sql) {
            Err(error) if !is_bounded(&error) => Err(format!(
                "SQLite does not prepare: {error} `{}`",
                statement.sql
            )),
            _ => Ok(()),
        }
    }

    /// Runs a statement of ours.
    ///
    /// Errors: it is not right: SQLite does not prepare it, or fails for another reason than Postgres would.
    pub(crate) fn run(&self, statement: &Statement, inputs: &[Value]) -> Result<Ran, String> {
        let mut prepared = match self.connection.prepare_cached(&statement.sql) {
            Ok(prepared) => prepared,
            Err(error) if is_bounded(&error) => return Ok(Ran::Failed(error.to_string())),
            Err(error) => {
                return Err(format!(
                    "SQLite does not prepare: {error} `{}`",
                    statement.sql
                ));
            }
        };
        if prepared.parameter_count() != statement.binds.len() {
            return Err(format!("parameters and binds differ `{}`", statement.sql));
        }
        let values = statement
            .binds
            .iter()
            .map(|bind| Bound(value(bind, inputs)));
        let mut rows = match prepared.query(rusqlite::params_from_iter(values)) {
            Ok(rows) => rows,
            Err(error) => return failed(&error, &statement.sql),
        };
        let mut count = 0;
        loop {
            match rows.next() {
                Ok(Some(_)) if count < ROWS_MAX => count += 1,
                Ok(_) => return Ok(Ran::Rows(count)),
                Err(error) => return failed(&error, &statement.sql),
            }
        }
    }

    /// The one value of a statement of ours.
    pub(crate) fn one(
        &self,
        statement: &Statement,
        inputs: &[Value],
    ) -> Result<Result<Value, String>, String> {
        self.steps.store(0, Ordering::Relaxed);
        let read = || -> rusqlite::Result<Value> {
            let mut prepared = self.connection.prepare_cached(&statement.sql)?;
            let values = statement
                .binds
                .iter()
                .map(|bind| Bound(value(bind, inputs)));
            prepared.query_row(rusqlite::params_from_iter(values), |row| {
                own(row.get_ref(0)?)
            })
        };
        match read() {
            Ok(value) => Ok(Ok(value)),
            Err(error) => match failed(&error, &statement.sql)? {
                Ran::Failed(error) => Ok(Err(error)),
                Ran::Rows(_) => Ok(Ok(Value::Null)),
            },
        }
    }
}

/// Sorts what fails into what may and what may not.
fn failed(error: &rusqlite::Error, sql: &str) -> Result<Ran, String> {
    let text = error.to_string();
    let expected = text.contains("PGERR:")
        || is_bounded(error)
        || error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
    if text.contains("PGERR:XX") || !expected {
        return Err(format!("SQLite fails: {text} `{sql}`"));
    }
    Ok(Ran::Failed(text))
}

/// Whether a bound of ours ended it.
fn is_bounded(error: &rusqlite::Error) -> bool {
    let text = error.to_string();
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::OperationInterrupted | ErrorCode::TooBig)
    ) || text.contains("too many")
        || text.contains("too large")
        || text.contains("too deep")
        || text.contains("stack overflow")
}

fn open() -> rusqlite::Result<Engine> {
    let mut connection = Connection::open_in_memory()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LENGTH)?;
    // As the engine runs migrations: keys are looked at before the commit.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.execute_batch(
        "CREATE TABLE \"pando.sequences\" (name TEXT PRIMARY KEY, last INTEGER NOT NULL, called INTEGER NOT NULL) STRICT",
    )?;
    connection.set_prepared_statement_cache_capacity(512);
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    for function in functions() {
        let mut flags = flags;
        flags.set(
            FunctionFlags::SQLITE_DETERMINISTIC,
            function.is_deterministic(),
        );
        connection.create_scalar_function(
            function.sqlite_name(),
            function.arity(),
            flags,
            move |context| {
                function
                    .call(&arguments(context)?)
                    .map(Bound)
                    .map_err(raised)
            },
        )?;
    }
    for aggregate in aggregates() {
        connection.create_window_function(
            aggregate.name,
            aggregate.arity,
            flags | FunctionFlags::SQLITE_DETERMINISTIC,
            Aggregated(aggregate),
        )?;
    }
    connection.create_scalar_function(RAISE, 2, flags, |context| {
        let (state, message): (String, String) = (context.get(0)?, context.get(1)?);
        Err::<i64, _>(rusqlite::Error::UserFunctionError(
            format!("PGERR:{state}:{message}").into(),
        ))
    })?;
    // Counting is the engine's; here all of them count as one.
    let counter = Arc::new(AtomicU64::new(100));
    for name in [
        NEXT_VALUE,
        CURRENT_VALUE,
        SET_VALUE,
        LAST_VALUE,
        FORGET_SEQUENCE,
        RENAME_SEQUENCE,
    ] {
        let counter = counter.clone();
        connection.create_scalar_function(name, -1, flags, move |_| {
            Ok(counter.fetch_add(1, Ordering::Relaxed) as i64)
        })?;
    }
    for collation in collations() {
        connection.create_collation(collation.name, collation.compare)?;
    }
    let steps = Arc::new(AtomicU64::new(0));
    let counted = steps.clone();
    connection.progress_handler(
        STEPS,
        Some(move || counted.fetch_add(STEPS as u64, Ordering::Relaxed) > STEPS_MAX),
    )?;
    Ok(Engine { connection, steps })
}

/// What fills a parameter.
fn value(bind: &Bind, inputs: &[Value]) -> Value {
    match bind {
        Bind::Const(value) => value.clone(),
        Bind::Input(index) => inputs.get(*index as usize).cloned().unwrap_or(Value::Null),
        Bind::Row(_) => Value::Null,
        Bind::Uid => "00000000-0000-4000-8000-000000000001".into(),
        Bind::Role => Role::Authenticated.name().into(),
        Bind::Email => "ann@example.com".into(),
        Bind::Jwt => "{}".into(),
        Bind::Now => "2024-05-06T07:08:09.123456+00:00".into(),
        Bind::Today => "2024-05-06".into(),
        Bind::RandomUuid => "00000000-0000-4000-8000-000000000000".into(),
    }
}

fn own(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(bytes) => Value::text(String::from_utf8_lossy(bytes)),
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    })
}

fn arguments(context: &Context<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..context.len())
        .map(|index| own(context.get_raw(index)))
        .collect()
}

fn raised(error: SqlError) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(format!("PGERR:{}:{}", error.state, error.message).into())
}

/// A value on its way into SQLite.
struct Bound(Value);

impl rusqlite::ToSql for Bound {
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

struct Aggregated(&'static SqlAggregate);

impl Aggregate<Box<dyn Accumulate>, Bound> for Aggregated {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Box<dyn Accumulate>> {
        Ok((self.0.begin)())
    }

    fn step(
        &self,
        context: &mut Context<'_>,
        state: &mut Box<dyn Accumulate>,
    ) -> rusqlite::Result<()> {
        state.step(&arguments(context)?).map_err(raised)
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        state: Option<Box<dyn Accumulate>>,
    ) -> rusqlite::Result<Bound> {
        let state = state.unwrap_or_else(self.0.begin);
        state.finish().map(Bound).map_err(raised)
    }
}

impl WindowAggregate<Box<dyn Accumulate>, Bound> for Aggregated {
    fn value(&self, state: Option<&mut Box<dyn Accumulate>>) -> rusqlite::Result<Bound> {
        match state {
            Some(state) => state.finish().map(Bound).map_err(raised),
            None => (self.0.begin)().finish().map(Bound).map_err(raised),
        }
    }

    fn inverse(&self, _: &mut Context<'_>, _: &mut Box<dyn Accumulate>) -> rusqlite::Result<()> {
        Err(raised(SqlError::new(
            "0A000",
            "frames that let go of rows are not available on the embedded engine",
        )))
    }
}
