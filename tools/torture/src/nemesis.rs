//! What is done to the server. Each nemesis is a round: load, harm, and the server down or up again for the check.

pub mod backup;
pub mod clock;
pub mod faults;
pub mod kill;
pub mod reader;

use crate::checker::Violation;
use crate::life::{Life, Terms};
use anyhow::Result;
use std::fmt;
use std::str::FromStr;

/// One kind of harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nemesis {
    /// kill -9 in the middle of the load.
    Kill,
    /// kill -9 while it starts.
    KillStart,
    /// kill -9 while a migration runs.
    KillMigration,
    /// kill -9 while the log is written back.
    KillCheckpoint,
    /// kill -9 while a backup is made.
    KillBackup,
    /// The power of the disk goes, in any of those moments.
    Power,
    /// No room on the disk.
    Full,
    /// Syncs take longer than requests may.
    Stall,
    /// Writes to the log fail.
    WriteError,
    /// Reads of the database fail.
    ReadError,
    /// A sync fails.
    SyncError,
    /// The first start meets any of them.
    StartError,
    /// The clock jumps.
    Clock,
    /// Another process reads without end.
    Reader,
}

/// All of them, with their names and rounds in the short form.
pub const NEMESES: &[(Nemesis, &str, u32)] = &[
    (Nemesis::Kill, "kill", 30),
    (Nemesis::KillStart, "kill-start", 3),
    (Nemesis::KillMigration, "kill-migration", 3),
    (Nemesis::KillCheckpoint, "kill-checkpoint", 3),
    (Nemesis::KillBackup, "kill-backup", 3),
    (Nemesis::Power, "power", 30),
    (Nemesis::Full, "full", 4),
    (Nemesis::Stall, "stall", 2),
    (Nemesis::WriteError, "write-error", 3),
    (Nemesis::ReadError, "read-error", 3),
    (Nemesis::SyncError, "sync-error", 4),
    (Nemesis::StartError, "start-error", 4),
    (Nemesis::Clock, "clock", 3),
    (Nemesis::Reader, "reader", 2),
];

impl fmt::Display for Nemesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NEMESES.iter().find(|(nemesis, _, _)| nemesis == self);
        f.write_str(name.map_or("?", |(_, name, _)| name))
    }
}

impl FromStr for Nemesis {
    type Err = String;

    fn from_str(text: &str) -> Result<Nemesis, String> {
        let found = NEMESES.iter().find(|(_, name, _)| *name == text);
        found.map(|(nemesis, _, _)| *nemesis).ok_or_else(|| {
            let names: Vec<&str> = NEMESES.iter().map(|(_, name, _)| *name).collect();
            format!(
                "there is no nemesis {text:?}; there are {}",
                names.join(", ")
            )
        })
    }
}

impl Nemesis {
    /// How many rounds of it the short form has.
    pub fn short_rounds(self) -> u32 {
        let found = NEMESES.iter().find(|(nemesis, _, _)| *nemesis == self);
        found.map_or(1, |(_, _, rounds)| *rounds)
    }

    /// Rounds that one data directory lives through.
    pub fn rounds_of_a_life(self) -> u32 {
        match self {
            Nemesis::Power => 6,
            Nemesis::KillMigration => 3,
            Nemesis::StartError => 1,
            _ => 12,
        }
    }

    /// Whether it needs a disk of ours.
    pub fn needs_disk(self) -> bool {
        matches!(
            self,
            Nemesis::Power
                | Nemesis::Full
                | Nemesis::Stall
                | Nemesis::WriteError
                | Nemesis::ReadError
                | Nemesis::SyncError
                | Nemesis::StartError
        )
    }

    /// What a life under this nemesis is lived with.
    pub fn terms(self) -> Terms {
        let config = match self {
            Nemesis::Reader => format!("wal_bytes_max = {}", reader::BOUND),
            Nemesis::Stall => format!("request_deadline_ms = {}", faults::DEADLINE_MS),
            _ => String::new(),
        };
        Terms {
            on_disk: self.needs_disk(),
            with_clock: self == Nemesis::Clock,
            config,
            ..Terms::default()
        }
    }

    /// The first start of a life, harmed too where the power may go at any time.
    pub fn begin(self, life: &mut Life) -> Result<Vec<Violation>> {
        match self {
            Nemesis::Power => kill::in_first_start(life),
            Nemesis::StartError => faults::start_error(life),
            _ => life.start(),
        }
    }

    /// Does its harm once. The server may be down afterwards.
    pub fn round(self, life: &mut Life) -> Result<Vec<Violation>> {
        match self {
            Nemesis::Kill => kill::in_load(life),
            Nemesis::KillStart => kill::in_start(life),
            Nemesis::KillMigration => kill::in_migration(life),
            Nemesis::KillCheckpoint => kill::in_checkpoint(life),
            Nemesis::Power => kill::anywhere(life),
            Nemesis::Full => faults::full(life),
            Nemesis::Stall => faults::stall(life),
            Nemesis::WriteError => faults::write_error(life),
            Nemesis::ReadError => faults::read_error(life),
            Nemesis::SyncError => faults::sync_error(life),
            Nemesis::StartError => kill::in_load(life),
            Nemesis::KillBackup => backup::in_backup(life),
            Nemesis::Clock => clock::jump(life),
            Nemesis::Reader => reader::endless(life),
        }
    }
}
