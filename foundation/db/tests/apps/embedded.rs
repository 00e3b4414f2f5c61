//! An app on the embedded engine.

use crate::answer::{Answer, elements};
use crate::app::App;
use crate::script::{Request, Step};
use pando_db::{Config, Db, DbError, Migration};
use pando_kernel::{Caller, Limits, Role, SystemClock};
use pando_telemetry::Registry;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
        let mut answers = Vec::new();
        for step in &app.script.steps {
            match step {
                Step::SignUp(user) => {
                    let signed_up = migration(&user.name, &user.sign_up());
                    db.migrate(&user.name, &[signed_up])
                        .await
                        .map_err(|error| error.to_string())?;
                }
                Step::Ask(request) => answers.push(ask(&db, request).await),
            }
        }
        Ok(answers)
    })
}

async fn ask(db: &Db, request: &Request) -> Answer {
    let claims: serde_json::Value = serde_json::from_str(&request.claims).unwrap();
    let caller = Caller::with_claims(
        Role::from_name(request.role).unwrap(),
        claims["sub"].as_str(),
        None,
        &request.claims,
    );
    let deadline = Instant::now() + Duration::from_secs(30);
    match db.execute_sql(&caller, &request.sql, deadline).await {
        Ok(answer) if answer.columns.is_empty() => Answer::Done(answer.rows),
        Ok(answer) => Answer::Rows {
            columns: answer
                .columns
                .iter()
                .map(|(name, ty)| (name.clone(), ty.base_name()))
                .collect(),
            rows: elements(std::str::from_utf8(&answer.body).unwrap()),
        },
        Err(DbError::Sql(error)) => Answer::Error {
            state: error.state.into_owned(),
            message: error.message,
        },
        Err(other) => Answer::Error {
            state: "no answer".to_owned(),
            message: other.to_string(),
        },
    }
}

fn migration(file: &str, sql: &str) -> Migration {
    Migration {
        version: file.to_owned().into(),
        name: file.to_owned().into(),
        file: file.to_owned().into(),
        sql: sql.to_owned().into(),
    }
}
