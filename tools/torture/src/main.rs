//! `cargo x torture`: harms the server, for as long as one likes.

use anyhow::Result;
use clap::Parser;
use pando_torture::{NEMESES, Nemesis, Options, Random};
use std::process::ExitCode;

/// Kills the server, cuts its power, fills its disk, and compares what is there with a ledger of what was acknowledged.
#[derive(Parser)]
struct Arguments {
    /// What everything random follows from; a new one when not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Rounds of each nemesis; the short form's if not given.
    #[arg(long)]
    rounds: Option<u32>,
    /// Only these nemeses, parted by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Nemesis>,
    /// Goes on after something was found.
    #[arg(long)]
    go_on: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let plan = NEMESES
        .iter()
        .filter(|(nemesis, _, _)| arguments.only.is_empty() || arguments.only.contains(nemesis))
        .map(|(nemesis, _, rounds)| (*nemesis, arguments.rounds.unwrap_or(*rounds)))
        .collect();
    let options = Options {
        seed: arguments.seed.unwrap_or_else(Random::fresh_seed),
        plan,
        executable: None,
        variables: Vec::new(),
        stop_at_first: !arguments.go_on,
        talkative: true,
    };
    println!("seed {}", options.seed);
    let report = pando_torture::run(&options)?;
    print!("{report}");
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
