//! The embedded engine, over a file of its own.

use crate::engine::{Engine, Outcome, Who};
use crate::json;
use anyhow::{Context as _, Result};
use pando_db::{Config, Db, DbError, MigrateError, Migration};
use pando_kernel::{Caller, Limits, Role, SystemClock};
use pando_telemetry::Registry;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The tables of the schema auth, which policies and foreign keys may name.
const AUTH_TABLES: &str = include_str!("../../../services/auth/src/migrations/0001_core.sql");

/// What a refusal says of a construct that Postgres has and the embedded engine has not.
const NOT_AVAILABLE: &str = "not available on the embedded engine";

/// A database, and what runs it.
pub struct OnEmbedded {
    runtime: Runtime,
    db: Db,
    migrations: usize,
    _folder: TempDir,
}

impl OnEmbedded {
    /// A database with no table of the team's.
    pub fn open() -> Result<OnEmbedded> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("start a runtime")?;
        let folder = folder()?;
        let config = Config {
            directory: folder.path().to_owned(),
            readers: 1,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
        };
        let db = Db::open(config, &mut Registry::default()).context("open a database")?;
        runtime
            .block_on(db.migrate("auth", &[migration(1, AUTH_TABLES)]))
            .context("make the tables of the schema auth")?;
        Ok(OnEmbedded {
            runtime,
            db,
            migrations: 0,
            _folder: folder,
        })
    }

    /// The database itself, for what asks it another way.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Runs what the database is asked.
    pub fn block_on<T>(&self, asked: impl Future<Output = T>) -> T {
        self.runtime.block_on(asked)
    }
}

/// Whom the engine takes somebody for.
pub fn caller(who: &Who) -> Caller {
    let role = Role::from_name(who.role).unwrap_or(Role::Anon);
    Caller::with_claims(role, who.user.as_deref(), None, &who.claims())
}

impl Engine for OnEmbedded {
    fn migrate(&mut self, sql: &str) -> Outcome {
        self.migrations += 1;
        // The owner is told apart by its number, so that each statement is a history of its own.
        let owner = format!("case {}", self.migrations);
        match self
            .runtime
            .block_on(self.db.migrate(&owner, &[migration(1, sql)]))
        {
            Ok(_) => Outcome::Done {
                rows: Vec::new(),
                types: Vec::new(),
            },
            Err(MigrateError::Refused(refusal)) if refusal.reason == NOT_AVAILABLE => {
                Outcome::Refused {
                    construct: refusal.construct,
                }
            }
            Err(MigrateError::Refused(refusal)) if refusal.construct == "SQLSTATE 0A000" => {
                Outcome::Refused {
                    construct: refusal.reason,
                }
            }
            Err(MigrateError::Refused(refusal)) => Outcome::Failed {
                state: refusal
                    .construct
                    .strip_prefix("SQLSTATE ")
                    .unwrap_or("42000")
                    .to_owned(),
                message: refusal.reason,
            },
            Err(MigrateError::Failed { error, .. }) => Outcome::Failed {
                state: error.state.to_string(),
                message: error.message,
            },
            Err(other) => Outcome::Failed {
                state: "XX000".to_owned(),
                message: other.to_string(),
            },
        }
    }

    fn run(&mut self, who: &Who, sql: &str) -> Outcome {
        let deadline = Instant::now() + Duration::from_secs(10);
        let caller = caller(who);
        let asked = self.db.execute_sql(&caller, sql, deadline);
        match self.runtime.block_on(asked) {
            Ok(answer) => Outcome::Done {
                rows: json::members(&String::from_utf8_lossy(&answer.body)),
                types: answer
                    .columns
                    .iter()
                    .map(|(_, ty)| internal_name(&ty.base_name()))
                    .collect(),
            },
            Err(DbError::Sql(error)) if error.state == "0A000" => Outcome::Refused {
                construct: error.message,
            },
            Err(DbError::Sql(error)) => Outcome::Failed {
                state: error.state.to_string(),
                message: error.message,
            },
            Err(other) => Outcome::Failed {
                state: "XX000".to_owned(),
                message: other.to_string(),
            },
        }
    }

    fn content(&mut self, table: &str) -> Vec<String> {
        match self.run(&Who::service(), &format!("select * from {table}")) {
            Outcome::Done { mut rows, .. } => {
                rows.sort();
                rows
            }
            other => vec![other.show()],
        }
    }
}

fn migration(version: usize, sql: &str) -> Migration {
    Migration {
        version: Cow::Owned(version.to_string()),
        name: Cow::Borrowed("case"),
        file: Cow::Borrowed("case.sql"),
        sql: Cow::Owned(sql.to_owned()),
    }
}

/// In memory where there is such a folder: what is compared does not depend on a disk.
fn folder() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::Builder::new()
            .prefix("pando-oracle-")
            .tempdir_in(memory)
            .or_else(|_| tempfile::tempdir())
    } else {
        tempfile::tempdir()
    };
    made.context("make a folder for a database")
}

/// The name of a type inside Postgres.
fn internal_name(name: &str) -> String {
    if let Some(item) = name.strip_suffix("[]") {
        return format!("_{}", internal_name(item));
    }
    match name {
        "smallint" => "int2",
        "integer" => "int4",
        "bigint" => "int8",
        "real" => "float4",
        "double precision" => "float8",
        "boolean" => "bool",
        "character varying" => "varchar",
        "character" => "bpchar",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time without time zone" => "time",
        other => other,
    }
    .to_owned()
}
