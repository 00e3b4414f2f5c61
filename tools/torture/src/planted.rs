//! Whether the harm finds bugs, seen by making some (the feature `planted` of the executable).

use crate::campaign::{Options, run};
use crate::nemesis::Nemesis;
use crate::report::Report;
use anyhow::Result;
use std::path::Path;

/// When a bug is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From the first start of a data directory.
    Birth,
    /// From the second, for what would be found in the first one already: keys that are gone are easily seen.
    SecondStart,
}

/// Each bug, the nemesis that must find it within the rounds of its short form, and when it is there.
pub const BUGS: &[(&str, Nemesis, Since)] = &[
    ("answer-before-fsync", Nemesis::Power, Since::SecondStart),
    ("normal-for-full", Nemesis::Power, Since::SecondStart),
    ("swallowed-failure", Nemesis::Full, Since::Birth),
    ("key-file-in-place", Nemesis::Power, Since::Birth),
    ("ignored-fsync-error", Nemesis::SyncError, Since::Birth),
    (
        "backup-without-log",
        Nemesis::KillBackup,
        Since::SecondStart,
    ),
];

/// A bug, and what came of looking for it.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// Its name.
    pub bug: &'static str,
    /// Under which nemesis it was looked for.
    pub nemesis: Nemesis,
    /// What was done and found.
    pub report: Report,
}

impl Hunt {
    /// Whether it was found.
    pub fn is_caught(&self) -> bool {
        !self.report.is_clean()
    }
}

/// Plants each bug in turn in an executable that has them.
pub fn hunt(executable: &Path, seed: u64, talkative: bool) -> Result<Vec<Hunt>> {
    let hunts = BUGS.iter().map(|(bug, nemesis, since)| {
        let report = run(&Options {
            seed,
            plan: vec![(*nemesis, nemesis.short_rounds())],
            executable: Some(executable.to_owned()),
            planted: Some((bug, *since)),
            stop_at_first: true,
            talkative,
        })?;
        let (bug, nemesis) = (*bug, *nemesis);
        Ok(Hunt {
            bug,
            nemesis,
            report,
        })
    });
    hunts.collect()
}
