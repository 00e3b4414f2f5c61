//! Whether the harm finds bugs, seen by making some (the feature `planted` of the executable).

use crate::campaign::{Options, run};
use crate::nemesis::Nemesis;
use crate::report::Report;
use anyhow::Result;
use std::path::Path;

/// Each bug, and the nemesis that must find it within the rounds of its short form.
pub const BUGS: &[(&str, Nemesis)] = &[
    ("answer-before-fsync", Nemesis::Power),
    ("normal-for-full", Nemesis::Power),
    ("swallowed-failure", Nemesis::Full),
    ("key-file-in-place", Nemesis::Power),
    ("ignored-fsync-error", Nemesis::SyncError),
    ("backup-without-log", Nemesis::KillBackup),
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
    let hunts = BUGS.iter().map(|(bug, nemesis)| {
        let report = run(&Options {
            seed,
            plan: vec![(*nemesis, nemesis.short_rounds())],
            executable: Some(executable.to_owned()),
            variables: vec![("PANDO_PLANTED".to_owned(), (*bug).to_owned())],
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
