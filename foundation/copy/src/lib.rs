//! Copies of the database in places that outlive this machine: continuous ones of the log, and whole ones on a schedule.
//!
//! ```text
//! log --taken by the copier--> segments --bounded queue--> the store        copy/<generation>/segments/<number>.seg
//!     --now and then the whole--> snapshots --------------> the store        copy/<generation>/snapshots/<number>.db.lz4, .json
//! the file --on schedule, read back and looked at--------> the store        backups/<time>.db, .json
//! ```
//!
//! Invariants
//! - A *generation* is one unbroken row of segments, each naming the one before it by its hash. What can't be proven to follow begins a new
//!   generation, with a snapshot.
//! - A segment is what commits left, all of them or none: what is restored is the database as it was after a commit.
//! - What is written last is a record (`.json`) of what was written before it; without its record a snapshot or a backup counts for nothing.
//! - A store that is away costs writes nothing. The log is kept for it up to a bound; then the generation is given up.
//! - Nothing in a store is a key: the master key never goes there.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

mod begin;
mod copier;
mod error;
mod metrics;
mod place;
mod points;
mod prune;
mod restore;
mod schedule;
mod segment;
mod ship;
mod snapshot;
mod state;

pub use copier::{Copier, CopySettings, Known};
pub use error::RestoreError;
pub use metrics::Metrics;
pub use points::{BackupRecord, Generation, Points, points};
pub use restore::{Restored, restore};
pub use schedule::{Schedule, ScheduleSettings};
