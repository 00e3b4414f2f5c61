//! Faults of a disk: which operation on which file fails, and how.

use std::path::Path;

/// Which files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The database itself.
    Database,
    /// Its write-ahead log.
    Log,
    /// The database, its log and its index.
    AllOfTheDatabase,
    /// The file of the master key, and what it is made from.
    Keys,
    /// Files in the folder for temporary ones.
    Temporary,
    /// Folders themselves, whose sync makes names durable.
    Folders,
}

impl Target {
    /// Whether a path of the disk, without a slash before it, is one of them.
    pub fn holds(self, path: &Path, is_folder: bool) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match self {
            Target::Folders => is_folder,
            _ if is_folder => false,
            Target::Database => name == "pando.db",
            Target::Log => name == "pando.db-wal",
            Target::AllOfTheDatabase => name.starts_with("pando.db"),
            Target::Keys => name.contains("master.key"),
            Target::Temporary => path.starts_with("tmp"),
        }
    }
}

/// What is done with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Reading.
    Read,
    /// Writing, making longer or shorter.
    Write,
    /// fsync and fdatasync.
    Sync,
    /// Making, renaming and removing names.
    Name,
}

/// A fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Where.
    pub target: Target,
    /// In what.
    pub act: Act,
    /// The error of the system.
    pub errno: i32,
    /// How many of them go well before.
    pub after: u64,
    /// How many fail.
    pub times: u64,
}

/// The faults of a disk, and what became of them.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Fault>,
    fired: u64,
    /// Syncs of the database's files after one of them failed.
    syncs_after_failure: u64,
    sync_failed: bool,
}

impl Faults {
    /// Lets this happen from now on.
    pub fn arm(&mut self, fault: Fault) {
        self.armed.push(fault);
    }

    /// Everything goes well again.
    pub fn clear(&mut self) {
        *self = Faults::default();
    }

    /// How many operations failed.
    pub fn fired(&self) -> u64 {
        self.fired
    }

    /// How often a file of the database was synced although a sync had failed.
    pub fn syncs_after_failure(&self) -> u64 {
        self.syncs_after_failure
    }

    /// The error of this operation, if it is to fail.
    pub fn strike(&mut self, act: Act, path: &Path, is_folder: bool) -> Option<i32> {
        if act == Act::Sync && self.sync_failed && Target::AllOfTheDatabase.holds(path, is_folder) {
            self.syncs_after_failure += 1;
        }
        for fault in &mut self.armed {
            if fault.act != act || fault.times == 0 || !fault.target.holds(path, is_folder) {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.times -= 1;
            self.fired += 1;
            self.sync_failed |= act == Act::Sync;
            return Some(fault.errno);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_waits_fires_and_ends() {
        let mut faults = Faults::default();
        faults.arm(Fault {
            target: Target::Log,
            act: Act::Sync,
            errno: 5,
            after: 1,
            times: 1,
        });
        let log = Path::new("pando-data/pando.db-wal");
        assert_eq!(faults.strike(Act::Write, log, false), None);
        assert_eq!(faults.strike(Act::Sync, log, false), None);
        assert_eq!(faults.strike(Act::Sync, log, false), Some(5));
        assert_eq!(faults.strike(Act::Sync, log, false), None);
        assert_eq!((faults.fired(), faults.syncs_after_failure()), (1, 1));
    }
}
