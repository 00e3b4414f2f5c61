//! What a run did, and what it found.

use crate::checker::{Breach, Violation};
use crate::nemesis::Nemesis;
use std::collections::BTreeMap;
use std::fmt;

/// The rounds of one nemesis.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many.
    pub rounds: u64,
    /// Operations that were acknowledged.
    pub acknowledged: u64,
    /// Refused, or never sent.
    pub refused: u64,
    /// Never answered.
    pub unknown: u64,
    /// Accounts whose sessions were followed.
    pub sessions: u64,
    /// How long they took.
    pub seconds: f64,
    /// What was broken, by kind.
    pub breaches: BTreeMap<Breach, u64>,
}

/// A violation with where it was seen.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Under which nemesis.
    pub nemesis: Nemesis,
    /// In which round of it, from 0.
    pub round: u64,
    /// The seed of the life it was in.
    pub life: u64,
    /// What was seen.
    pub violation: Violation,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What all follows from.
    pub seed: u64,
    /// By nemesis.
    pub tallies: BTreeMap<Nemesis, Tally>,
    /// The first of what was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many promises of this kind were broken.
    pub fn count(&self, breach: Breach) -> u64 {
        let counts = self.tallies.values();
        counts.filter_map(|tally| tally.breaches.get(&breach)).sum()
    }

    /// Whether nothing was broken.
    pub fn is_clean(&self) -> bool {
        self.tallies.values().all(|tally| tally.breaches.is_empty())
    }

    /// The run as a line of the table in docs.
    pub fn ledger_line(&self, date: &str, version: &str) -> String {
        let rounds: Vec<String> = self
            .tallies
            .iter()
            .map(|(nemesis, tally)| format!("{nemesis} {}", tally.rounds))
            .collect();
        let counted = [Breach::Lost, Breach::Doubled, Breach::Resurrected];
        let all = self.tallies.values().flat_map(|tally| &tally.breaches);
        let others: u64 = all
            .filter(|(breach, _)| !counted.contains(breach))
            .map(|(_, count)| count)
            .sum();
        format!(
            "| {date} | {version} | {} | {} | {}, {}, {} | {} | {} | {} | {others} |",
            self.seed,
            rounds.join(", "),
            self.sum(|tally| tally.acknowledged),
            self.sum(|tally| tally.refused),
            self.sum(|tally| tally.unknown),
            self.count(Breach::Lost),
            self.count(Breach::Doubled),
            self.count(Breach::Resurrected),
        )
    }

    /// Sums a figure up.
    pub fn sum(&self, figure: impl Fn(&Tally) -> u64) -> u64 {
        self.tallies.values().map(figure).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16} {:>6} {:>13} {:>8} {:>8} {:>9} {:>8}",
            "nemesis", "rounds", "acknowledged", "refused", "unknown", "sessions", "s/round"
        )?;
        for (nemesis, tally) in &self.tallies {
            writeln!(
                f,
                "{:<16} {:>6} {:>13} {:>8} {:>8} {:>9} {:>8.2}",
                nemesis.to_string(),
                tally.rounds,
                tally.acknowledged,
                tally.refused,
                tally.unknown,
                tally.sessions,
                tally.seconds / (tally.rounds.max(1) as f64)
            )?;
        }
        writeln!(
            f,
            "seed {}: lost {}, doubled {}, resurrected {}, half {}, ghosts {}, corrupt {}, sessions lost {}, starts failed {}, conduct {}",
            self.seed,
            self.count(Breach::Lost),
            self.count(Breach::Doubled),
            self.count(Breach::Resurrected),
            self.count(Breach::Half),
            self.count(Breach::Ghost),
            self.count(Breach::Corrupt),
            self.count(Breach::Session),
            self.count(Breach::Start),
            self.count(Breach::Conduct),
        )?;
        for finding in &self.findings {
            writeln!(
                f,
                "{} round {} (life {}): {}",
                finding.nemesis, finding.round, finding.life, finding.violation
            )?;
        }
        Ok(())
    }
}
