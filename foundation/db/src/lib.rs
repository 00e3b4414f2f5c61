//! Engines that run plans. The embedded one is SQLite: one writer that commits in groups, many readers, one file.
//!
//! ```text
//! run_read      --in place, while it is quick--> a reader's connection      --else--> bounded queue --> reader thread
//! run_mutation  --bounded queue--> the writer: [ savepoint .. release ] x n, commit, fsync --> n answers
//! ```
//!
//! Invariants
//! - A write is answered after the fsync of its commit, never before.
//! - A request that fails takes nobody with it: its savepoint is rolled back, and when SQLite drops the whole transaction (an interrupt,
//!   a full disk) the innocent ones are run again without it.
//! - Every queue is bounded ([`DbError::Overloaded`]), every statement has a deadline ([`DbError::Deadline`]).
//! - Plans are run for a [`Caller`]; hand-written SQL of services goes through [`Db::read`] and [`Db::write`].
//!
//! Deliberately absent: what a request means (services) and how it becomes SQL (plan).

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

mod db;
mod embedded;
mod error;
mod migration;
mod planted;
mod row;
mod tx;

pub use db::{Config, Db, Page};
pub use embedded::backup::{Progress, back_up};
pub use embedded::call::{CallBound, CallValues};
pub use embedded::copy::CopySeam;
pub use embedded::directory::database_file;
pub use embedded::inspect::{Contents, inspect};
pub use embedded::mutate::Changed;
pub use embedded::restore::Restoring;
pub use embedded::script::SqlAnswer;
pub use embedded::tail::{Tail, TailError, Taken};
pub use embedded::wal::{Pages, WalPosition};
pub use error::{BackupError, DbError, MigrateError, OpenError};
pub use migration::{AppliedMigration, Migration};
pub use planted::planted;
pub use row::{FromValue, Row};
pub use tx::Tx;

#[cfg(doc)]
use pando_kernel::Caller;
