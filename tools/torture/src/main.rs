//! `cargo x torture`: harms the server, for as long as one likes.

use anyhow::{Context as _, Result};
use clap::Parser;
use pando_testkit::executable;
use pando_torture::{NEMESES, Nemesis, Options, Random, Report, planted};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Rounds of the long form, for one of the short form's.
const LONG: u32 = 70;

/// Kills the server, cuts its power, fills its disk, and compares what is there with a ledger of what was acknowledged.
#[derive(Parser)]
struct Arguments {
    /// The rounds of every test run; so it is without any flag.
    #[arg(long, conflicts_with = "long")]
    short: bool,
    /// Thousands of rounds, and a line in docs/durability-ledger.md.
    #[arg(long)]
    long: bool,
    /// What everything random follows from; a new one when not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Rounds of each nemesis.
    #[arg(long)]
    rounds: Option<u32>,
    /// Only these nemeses, parted by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Nemesis>,
    /// Goes on after something was found.
    #[arg(long)]
    go_on: bool,
    /// Plants bugs and looks for them instead, in this executable, built with the feature `planted`.
    #[arg(long, value_name = "EXECUTABLE")]
    planted: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(Random::fresh_seed);
    println!("seed {seed}");
    if let Some(executable) = &arguments.planted {
        let hunts = planted::hunt(executable, seed, true)?;
        for hunt in &hunts {
            let found = hunt.report.findings.first();
            let told = found.map_or("NOT caught".to_owned(), |found| {
                format!("caught in round {}: {}", found.round + 1, found.violation)
            });
            println!("{} under {}: {told}", hunt.bug, hunt.nemesis);
        }
        return Ok(success(hunts.iter().all(planted::Hunt::is_caught)));
    }
    let rounds = |short: u32| match (arguments.rounds, arguments.long) {
        (Some(rounds), _) => rounds,
        (None, true) => short * LONG,
        (None, false) => short,
    };
    let plan = NEMESES
        .iter()
        .filter(|(nemesis, _, _)| arguments.only.is_empty() || arguments.only.contains(nemesis))
        .map(|(nemesis, _, short)| (*nemesis, rounds(*short)))
        .collect();
    let report = pando_torture::run(&Options {
        seed,
        plan,
        executable: None,
        planted: None,
        stop_at_first: !arguments.go_on,
        talkative: true,
    })?;
    print!("{report}");
    if arguments.long {
        keep(&report)?;
    }
    Ok(success(report.is_clean()))
}

/// Adds the run to the ledger that is committed.
fn keep(report: &Report) -> Result<()> {
    let path = executable::checkout().join("docs/durability-ledger.md");
    if !path.exists() {
        fs::write(&path, HEAD).context("begin the ledger of runs")?;
    }
    let date = Command::new("date").args(["-u", "+%F"]).output()?;
    let date = String::from_utf8_lossy(&date.stdout).trim().to_owned();
    let line = report.ledger_line(&date, env!("CARGO_PKG_VERSION"));
    let mut file = OpenOptions::new().append(true).open(&path)?;
    writeln!(file, "{line}").context("write the ledger of runs")
}

const HEAD: &str = "\
# Runs of `cargo x torture --long`

Each line is one run, added by the run itself. Lost, doubled and resurrected count acknowledged operations; what else would be a breach is
a half-done or a refused operation that is there, a damaged file, a session that ended, a start that failed, and conduct that
docs/durability.md rules out.

| date | version | seed | rounds | operations: acknowledged, refused, unknown | lost | doubled | resurrected | other breaches |
|---|---|---|---|---|---|---|---|---|
";

fn success(yes: bool) -> ExitCode {
    if yes {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
