//! Runs rounds of nemeses, life by life.

use crate::checker::{Breach, Violation};
use crate::life::Life;
use crate::nemesis::Nemesis;
use crate::planted::Since;
use crate::random::Random;
use crate::report::{Finding, Report, Tally};
use anyhow::Result;
use std::path::PathBuf;
use std::time::Instant;

/// Findings a report keeps; the others are counted.
const FINDINGS: usize = 40;

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What everything follows from.
    pub seed: u64,
    /// Which nemeses, and how many rounds of each.
    pub plan: Vec<(Nemesis, u32)>,
    /// The executable; the one under test if not set.
    pub executable: Option<PathBuf>,
    /// A bug of that executable.
    pub planted: Option<(&'static str, Since)>,
    /// Ends at the first violation.
    pub stop_at_first: bool,
    /// Tells each round on standard error.
    pub talkative: bool,
}

/// Runs the plan.
pub fn run(options: &Options) -> Result<Report> {
    let mut report = Report {
        seed: options.seed,
        ..Report::default()
    };
    let mut random = Random::new(options.seed);
    for (nemesis, rounds) in &options.plan {
        let mut done = 0;
        while done < *rounds {
            let life = random.bits();
            let rounds = nemesis.rounds_of_a_life().min(rounds - done);
            done += live(*nemesis, life, rounds, options, &mut report)?;
            if options.stop_at_first && !report.is_clean() {
                return Ok(report);
            }
        }
    }
    Ok(report)
}

/// Lives one life of at most so many rounds, and answers how many there were.
fn live(
    nemesis: Nemesis,
    seed: u64,
    rounds: u32,
    options: &Options,
    report: &mut Report,
) -> Result<u32> {
    let mut terms = nemesis.terms();
    terms.executable.clone_from(&options.executable);
    terms.planted = options.planted;
    let mut life = Life::new(&terms, seed)?;
    let mut done = 0;
    while done < rounds {
        let began = Instant::now();
        let mut found = Vec::new();
        if done == 0 {
            found.extend(nemesis.begin(&mut life)?);
        }
        if found.is_empty() {
            found.extend(nemesis.round(&mut life)?);
        }
        done += 1;
        let last = done == rounds;
        if found
            .iter()
            .all(|violation: &Violation| violation.breach != Breach::Start)
        {
            found.extend(life.check(last)?);
        }
        if options.talkative {
            eprintln!(
                "{nemesis} life {seed} round {done}: {:.2} s, {} acknowledged, {} broken",
                began.elapsed().as_secs_f64(),
                life.model.acknowledged,
                found.len()
            );
        }
        let tally = report.tallies.entry(nemesis).or_default();
        tally.rounds += 1;
        tally.seconds += began.elapsed().as_secs_f64();
        let round = tally.rounds - 1;
        let broken = !found.is_empty();
        for violation in found {
            *tally.breaches.entry(violation.breach).or_default() += 1;
            if report.findings.len() < FINDINGS {
                report.findings.push(Finding {
                    nemesis,
                    round,
                    life: seed,
                    violation,
                });
            }
        }
        // What is broken once would be told in each round again.
        if broken {
            break;
        }
    }
    sum_up(&life, report.tallies.entry(nemesis).or_default());
    Ok(done)
}

fn sum_up(life: &Life, tally: &mut Tally) {
    tally.acknowledged += life.model.acknowledged;
    tally.refused += life.model.refused;
    tally.unknown += life.model.unanswered;
    tally.sessions += life.model.sessions.len() as u64;
}
