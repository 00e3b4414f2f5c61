//! Sign-in: accounts, sessions, mailed tokens, and the admin's view of them, on the wire of GoTrue (`/auth/v1`).
//!
//! From URL to SQL: [`routes`] -> `routes/<noun>` -> [`store`].
//!
//! Invariants
//! - What one request changes is one write: one transaction, which may be run again. Ids, secrets and the present moment
//!   are made before it and moved into it.
//! - A refusal inside a write commits what was counted before it, and nothing else was written by then.
//! - The database holds hashes of every secret: passwords (Argon2id), refresh tokens and links (SHA-256 of 256 random
//!   bits), digits (keyed). No secret, token or address is logged.
//! - A session's refresh tokens are one chain with one active end. The parent of the active one may be used again at
//!   any time and gets the same successor; any other only within the grace; after that the session is dead.
//! - An unknown account costs the same work and the same limits as a known one, and gets the same answer.
//! - A link leads to the app's own address or to one configuration allows.
//!
//! Deliberately absent: other providers, phones as a credential, second factors. The tables have room for them.
#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

mod address;
mod ask;
pub mod config;
mod email_change;
mod error;
mod gate;
mod limit;
mod mail;
mod mailing;
mod metrics;
mod password;
mod redirect;
mod routes;
mod session;
mod store;
mod token;
mod user;

pub use config::{Config, CredentialLimits, Hashing, Mail};
pub use limit::Limit;
pub use mail::MailError;
pub use routes::routes;

use error::AuthError;
use mail::Mailer;
use metrics::Metrics;
use pando_db::{Db, Migration, Tx};
use pando_kernel::{Clock, Timestamp};
use pando_keys::Keys;
use pando_sql::SqlError;
use pando_telemetry::Registry;
use password::Hasher;
use redirect::AllowList;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

/// The service's tables, in order.
pub fn migrations() -> &'static [Migration] {
    static MIGRATIONS: [Migration; 1] = [Migration {
        version: Cow::Borrowed("0001"),
        name: Cow::Borrowed("core"),
        file: Cow::Borrowed("auth/0001_core.sql"),
        sql: Cow::Borrowed(include_str!("migrations/0001_core.sql")),
    }];
    &MIGRATIONS
}

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The way mail goes can't be opened.
    #[error("failed to open the way for mail")]
    Mail(#[from] MailError),
}

/// The service.
pub struct Auth {
    db: Db,
    keys: Arc<Keys>,
    config: Config,
    clock: Arc<dyn Clock>,
    hasher: Hasher,
    mailer: Mailer,
    metrics: Metrics,
    allow: AllowList,
}

/// What a write gives: the result, or a refusal that is committed with what was counted.
type Settled<T> = Result<Result<T, AuthError>, SqlError>;

/// Inside a write: takes the value, or returns the refusal.
macro_rules! settle {
    ($outcome:expr) => {
        match $outcome {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}
use settle;

impl Auth {
    /// Starts the service on a database that has its [`migrations`]. Must be called inside a runtime.
    ///
    /// # Errors
    /// When configuration names a relay that can't be read.
    pub fn start(
        db: Db,
        keys: Arc<Keys>,
        config: Config,
        clock: Arc<dyn Clock>,
        registry: &mut Registry,
    ) -> Result<Arc<Auth>, StartError> {
        let metrics = Metrics::register(registry);
        let hasher = Hasher::new(config.hashing);
        let mailer = Mailer::start(&config.mail, metrics.clone())?;
        let allow = AllowList::new(&config.site_url, &config.redirect_allow);
        Ok(Arc::new(Auth {
            db,
            keys,
            config,
            clock,
            hasher,
            mailer,
            metrics,
            allow,
        }))
    }

    /// Waits until queued mail is gone; no more is taken.
    pub async fn close(&self) {
        self.mailer.close().await;
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn read<T: Send + 'static>(
        &self,
        deadline: Instant,
        f: impl FnOnce(&Tx<'_>) -> Settled<T> + Send + 'static,
    ) -> Result<T, AuthError> {
        self.db.read(deadline, f).await?
    }

    async fn write<T: Send + 'static>(
        &self,
        deadline: Instant,
        f: impl FnMut(&Tx<'_>) -> Settled<T> + Send + 'static,
    ) -> Result<T, AuthError> {
        let outcome = self.db.write(deadline, f).await?;
        if let Err(refusal) = &outcome
            && refusal.status == http::StatusCode::TOO_MANY_REQUESTS
        {
            self.metrics.count_limited();
        }
        outcome
    }
}
