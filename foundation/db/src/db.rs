//! The database as services see it.

use crate::embedded::ambient::Ambient;
use crate::embedded::call::{self, CallValues};
use crate::embedded::connection::{Mode, open};
use crate::embedded::copy::CopySeam;
use crate::embedded::identity::resolve;
use crate::embedded::log::Log;
use crate::embedded::metrics::Metrics;
use crate::embedded::mutate::{self, Changed};
use crate::embedded::reader::{Readers, Tried};
use crate::embedded::script::{self, SqlAnswer};
use crate::embedded::sequences::Sequences;
use crate::embedded::writer::Writer;
use crate::embedded::{directory, fatal, mapped, migrator, page, triggers};
use crate::error::{DbError, MigrateError, OpenError};
use crate::migration::{AppliedMigration, Migration};
use crate::tx::Tx;
use arc_swap::ArcSwap;
use bytes::Bytes;
use pando_kernel::{Caller, Clock, Limits, Role, Timestamp};
use pando_plan::{CallPlan, MutationPlan, ReadPlan};
use pando_sql::render::{Rendered, render_statements};
use pando_sql::{Bind, Catalog, SqlError, Value};
use pando_telemetry::Registry;
use rusqlite::Connection;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// How a database is opened.
#[derive(Clone)]
pub struct Config {
    /// Where its file is; made if it is not there.
    pub directory: PathBuf,
    /// Reader threads, and as many connections for reads in place.
    pub readers: usize,
    /// Bounds of queues, batches and statements.
    pub limits: Limits,
    /// Where `now()` comes from.
    pub clock: Arc<dyn Clock>,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows as a JSON array.
    pub body: Bytes,
    /// How many there are in it.
    pub rows: u64,
    /// How many match, whatever the page, if that was asked.
    pub total: Option<u64>,
}

/// An open database. Clones are the same one.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    catalog: ArcSwap<Catalog>,
    readers: Readers,
    /// None for a database opened for reading only.
    writer: Option<Writer>,
    sequences: Sequences,
    /// Who writes, for triggers.
    ambient: Ambient,
    limits: Limits,
    clock: Arc<dyn Clock>,
    /// Held for its lock.
    _lock: Option<File>,
}

impl Db {
    /// Opens the database of a directory, which is ours alone from then on. Blocks.
    pub fn open(config: Config, registry: &mut Registry) -> Result<Db, OpenError> {
        Db::open_copied(config, CopySeam::default(), registry)
    }

    /// The same, with a place to meet whoever copies its log.
    pub fn open_copied(
        config: Config,
        seam: CopySeam,
        registry: &mut Registry,
    ) -> Result<Db, OpenError> {
        let lock = directory::lock(&config.directory)?;
        let file = directory::database_file(&config.directory);
        fatal::name(&file);
        mapped::watch(&file);
        let metrics = Metrics::new(registry);
        let (mut connection, alarm) = open(&file, Mode::Write)?;
        let catalog = migrator::prepare(&connection, &file)?;
        let sequences = Sequences::load(&connection).map_err(|error| OpenError::Sqlite {
            path: file.clone(),
            reason: error.to_string(),
        })?;
        let ambient = Ambient::default();
        ambient
            .register(&connection)
            .map_err(crate::embedded::error::sql_error)
            .and_then(|()| triggers::install(&connection, &catalog))
            .map_err(|error| OpenError::Sqlite {
                path: file.clone(),
                reason: error.to_string(),
            })?;
        let limits = &config.limits;
        let log = Log::start(
            &mut connection,
            &file,
            limits.wal_bytes_max,
            seam,
            metrics.clone(),
        )?;
        // The log was made just now, perhaps, and its name must not be lost.
        directory::sync(&config.directory)?;
        let writer = Writer::start(
            connection,
            alarm,
            sequences.clone(),
            log,
            limits.writer_queue_max,
            limits.batch_writes_max,
            metrics.clone(),
        )
        .map_err(|source| OpenError::Io {
            path: file.clone(),
            source,
        })?;
        let readers = Readers::open(
            &file,
            config.readers.max(1),
            limits.reader_queue_max,
            metrics,
        )?;
        Ok(Db(Arc::new(Inner {
            catalog: ArcSwap::from_pointee(catalog),
            readers,
            writer: Some(writer),
            sequences,
            ambient,
            limits: config.limits,
            clock: config.clock,
            _lock: Some(lock),
        })))
    }

    /// Opens the database of a directory for reading, whether a process runs on it or not. Blocks.
    pub fn open_read_only(config: Config) -> Result<Db, OpenError> {
        let file = directory::database_file(&config.directory);
        let (connection, _) = open(&file, Mode::Read)?;
        let catalog = migrator::catalog(&connection).map_err(|error| OpenError::Sqlite {
            path: file.clone(),
            reason: error.message,
        })?;
        let readers = Readers::open(
            &file,
            1,
            config.limits.reader_queue_max,
            Metrics::new(&mut Registry::new()),
        )?;
        Ok(Db(Arc::new(Inner {
            catalog: ArcSwap::from_pointee(catalog),
            readers,
            writer: None,
            sequences: Sequences::default(),
            ambient: Ambient::default(),
            limits: config.limits,
            clock: config.clock,
            _lock: None,
        })))
    }

    /// What the migrations declared so far.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.0.catalog.load_full()
    }

    fn writer(&self) -> Result<&Writer, DbError> {
        self.0
            .writer
            .as_ref()
            .ok_or_else(|| DbError::Unavailable("the database is open for reading only".to_owned()))
    }

    /// Runs the migrations of `owner` that have not run, each in one transaction; gives the names of those that ran now.
    pub async fn migrate(
        &self,
        owner: &str,
        migrations: &[Migration],
    ) -> Result<Vec<String>, MigrateError> {
        let (owner, migrations, now) = (owner.to_owned(), migrations.to_vec(), self.0.clock.now());
        let inner = self.0.clone();
        self.writer()?
            .exclusive(move |connection| {
                inner.ambient.set(Some(&Caller::keyed(Role::Service)), now);
                let migrated =
                    migrator::migrate(connection, &inner.sequences, &owner, &migrations, now);
                // Those before one that failed have run.
                if let Ok(catalog) = migrator::catalog(connection) {
                    inner.catalog.store(Arc::new(catalog));
                }
                migrated.map(|(names, _)| names)
            })
            .await?
    }

    /// The migrations of `owner` that ran, in order.
    pub async fn migration_status(&self, owner: &str) -> Result<Vec<AppliedMigration>, DbError> {
        let owner = owner.to_owned();
        let deadline = Instant::now() + self.0.limits.statement_deadline;
        self.0
            .readers
            .run(deadline, move |connection| {
                migrator::applied(connection, &owner)
            })
            .await
    }

    /// Hand-written reads of a service, of one moment.
    pub async fn read<T: Send + 'static>(
        &self,
        deadline: Instant,
        f: impl FnOnce(&Tx<'_>) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, DbError> {
        let now = self.0.clock.now();
        self.0
            .readers
            .run(deadline, move |connection| {
                let transaction = connection
                    .unchecked_transaction()
                    .map_err(crate::embedded::error::sql_error)?;
                f(&Tx {
                    connection: &transaction,
                    now,
                })
            })
            .await
    }

    /// Hand-written writes of a service, in one savepoint. The closure may be run again from the start, so random values are made
    /// outside of it; an error undoes what it did. Answers after the fsync.
    pub async fn write<T: Send + 'static>(
        &self,
        deadline: Instant,
        mut f: impl FnMut(&Tx<'_>) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (now, ambient) = (self.0.clock.now(), self.0.ambient.clone());
        self.writer()?
            .run(deadline, move |connection| {
                ambient.set(None, now);
                f(&Tx { connection, now })
            })
            .await
    }

    /// Runs a read that was planned for the caller's role.
    pub async fn run_read(
        &self,
        caller: &Caller,
        plan: Arc<ReadPlan>,
        inputs: Vec<Value>,
        deadline: Instant,
    ) -> Result<Page, DbError> {
        let deadline = self.statement_deadline(caller, deadline);
        let now = self.0.clock.now();
        if !plan.slow() {
            match self.0.readers.try_in_place(deadline, |connection| {
                page::run(connection, caller, now, &plan, &inputs)
            }) {
                Tried::Done(answer) => return Ok(answer?),
                Tried::Busy => {}
                Tried::Slow => plan.mark_slow(),
            }
        }
        let caller = caller.clone();
        self.0
            .readers
            .run(deadline, move |connection| {
                page::run(connection, &caller, now, &plan, &inputs)
            })
            .await
    }

    /// Runs a mutation that was planned for the caller's role, once for each of `rows`. Answers after the fsync.
    pub async fn run_mutation(
        &self,
        caller: &Caller,
        plan: Arc<MutationPlan>,
        inputs: Vec<Value>,
        rows: Vec<Vec<Value>>,
        deadline: Instant,
    ) -> Result<Changed, DbError> {
        let deadline = self.statement_deadline(caller, deadline);
        let (caller, now) = (caller.clone(), self.0.clock.now());
        let ambient = self.0.ambient.clone();
        self.writer()?
            .run(deadline, move |connection| {
                ambient.set(Some(&caller), now);
                mutate::run(connection, &plan, &inputs, &rows, &|bind: &Bind| {
                    resolve(&caller, now, bind)
                })
            })
            .await
    }

    /// Calls a function that was planned for the caller's role. Answers after the fsync if it changes rows.
    pub async fn run_call(
        &self,
        caller: &Caller,
        catalog: Arc<Catalog>,
        plan: Arc<CallPlan>,
        values: CallValues,
        deadline: Instant,
    ) -> Result<Page, DbError> {
        let Some(steps) = &plan.steps else {
            let Some(read) = &plan.read else {
                return Err(DbError::Unavailable(
                    "a function that does nothing".to_owned(),
                ));
            };
            return self
                .run_read(caller, read.clone(), values.inputs, deadline)
                .await;
        };
        let writes = steps.writes.is_some();
        self.run_as(
            caller,
            writes,
            deadline,
            move |connection, (caller, now), act| {
                call::run(connection, &catalog, (caller, now), &plan, &values, act)
            },
        )
        .await
    }

    /// Runs SQL as a caller: `select`, `insert`, `update` and `delete`, several if parted by semicolons, all or none of them. Gives what the
    /// last one answered, after the fsync if any of them changes rows.
    pub async fn execute_sql(
        &self,
        caller: &Caller,
        sql: &str,
        deadline: Instant,
    ) -> Result<SqlAnswer, DbError> {
        let catalog = self.catalog();
        let mut statements = Vec::new();
        for operation in pando_sql::operations(&catalog, sql)? {
            statements.extend(render_statements(&catalog, caller.role(), &operation)?);
        }
        self.run_statements(caller, catalog, statements, Vec::new(), deadline)
            .await
    }

    /// Runs rendered statements in order, as one.
    pub async fn run_statements(
        &self,
        caller: &Caller,
        catalog: Arc<Catalog>,
        statements: Vec<Rendered>,
        inputs: Vec<Value>,
        deadline: Instant,
    ) -> Result<SqlAnswer, DbError> {
        let writes = statements.iter().any(|statement| statement.writes);
        self.run_as(
            caller,
            writes,
            deadline,
            move |connection, (caller, now), act| {
                let who = (caller, now);
                script::run(connection, &catalog, who, &statements, &inputs, act)
            },
        )
        .await
    }

    /// Runs what may or may not write as a caller, where it belongs: in the writer's next group, or in a reader's transaction. `run` is told
    /// how to say whose rights each of its steps has, which only triggers ask.
    async fn run_as<T: Send + 'static>(
        &self,
        caller: &Caller,
        writes: bool,
        deadline: Instant,
        run: impl Fn(&Connection, (&Caller, Timestamp), &dyn Fn(Role)) -> Result<T, SqlError>
        + Send
        + 'static,
    ) -> Result<T, DbError> {
        let deadline = self.statement_deadline(caller, deadline);
        let (caller, now) = (caller.clone(), self.0.clock.now());
        if writes {
            let ambient = self.0.ambient.clone();
            return self
                .writer()?
                .run(deadline, move |connection| {
                    ambient.set(Some(&caller), now);
                    run(connection, (&caller, now), &|role| ambient.act_as(role))
                })
                .await;
        }
        self.0
            .readers
            .run(deadline, move |connection| {
                let transaction = connection
                    .unchecked_transaction()
                    .map_err(crate::embedded::error::sql_error)?;
                run(&transaction, (&caller, now), &|_| {})
            })
            .await
    }

    /// The sooner of the request's deadline and the role's for one statement.
    fn statement_deadline(&self, caller: &Caller, deadline: Instant) -> Instant {
        let limit = if caller.role() == Role::Anon {
            self.0.limits.anon_statement_deadline
        } else {
            self.0.limits.statement_deadline
        };
        deadline.min(Instant::now() + limit)
    }

    /// Lets what waits run out, writes the log back into the file and gives the directory free once the last clone is gone.
    pub async fn close(&self) {
        let inner = self.0.clone();
        let closed = tokio::task::spawn_blocking(move || {
            inner.readers.close();
            if let Some(writer) = &inner.writer {
                writer.close();
            }
        });
        if closed.await.is_err() {
            tracing::error!("the database did not close cleanly");
        }
    }
}
