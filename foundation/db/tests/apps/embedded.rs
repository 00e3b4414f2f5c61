//! An app on the embedded engine.

use crate::answer::Answer;
use crate::app::App;
use pando_db::{Config, Db, Migration};
use pando_kernel::{Limits, SystemClock};
use pando_telemetry::Registry;
use std::sync::Arc;

/// The tables of sign-in, which apps refer to.
const AUTH_TABLES: &str = include_str!("../../../../services/auth/src/migrations/0001_core.sql");

/// Its answers, in order; an error names the migration that does not run, with file, line, construct and advice.
pub fn run(app: &App) -> Result<Vec<Answer>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            directory: directory.path().to_owned(),
            readers: 1,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
        };
        let db = Db::open(config, &mut Registry::new()).unwrap();
        let auth = migration("0001_core.sql", AUTH_TABLES);
        db.migrate("auth", &[auth]).await.unwrap();
        let migrations: Vec<Migration> = app
            .migrations
            .iter()
            .map(|(file, sql)| migration(file, sql))
            .collect();
        db.migrate("app", &migrations)
            .await
            .map_err(|error| error.to_string())?;
        Ok(Vec::new())
    })
}

fn migration(file: &str, sql: &str) -> Migration {
    Migration {
        version: file.to_owned().into(),
        name: file.to_owned().into(),
        file: file.to_owned().into(),
        sql: sql.to_owned().into(),
    }
}
