//! `cargo x oracle`: compares the engines for as long as one likes.

use anyhow::{Context as _, Result};
use clap::Parser;
use pando_oracle::differential::{self, Options};
use pando_oracle::{OnPostgres, Random};
use pando_testkit::Postgres;
use std::path::PathBuf;
use std::process::ExitCode;

/// Compares the embedded engine with PostgreSQL 15.
#[derive(Parser)]
struct Arguments {
    /// How many statements to ask of both.
    #[arg(long, default_value_t = 10_000)]
    cases: usize,
    /// What the statements follow from; a new one when not given.
    #[arg(long)]
    seed: Option<u64>,
    /// A million statements.
    #[arg(long)]
    long: bool,
    /// After how many differences to stop.
    #[arg(long, default_value_t = 20)]
    failures: usize,
    /// How often each difference is tried to be made smaller.
    #[arg(long, default_value_t = 400)]
    shrink: usize,
    /// Where to write a case file for each difference.
    #[arg(long)]
    save: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(Random::fresh_seed);
    println!("seed {seed}");
    let server = Postgres::start()?;
    let database = server.database()?;
    let mut postgres = OnPostgres::open(&database)?;
    let report = differential::run(
        Options {
            seed,
            cases: if arguments.long {
                1_000_000
            } else {
                arguments.cases
            },
            failures_max: arguments.failures,
            shrink_attempts: arguments.shrink,
        },
        &mut postgres,
    )?;
    print!("{report}");
    if let Some(folder) = &arguments.save {
        for (number, found) in report.found.iter().enumerate() {
            let path = folder.join(format!("{seed}_{number}.sql"));
            std::fs::write(&path, found.case.write())
                .with_context(|| format!("write {}", path.display()))?;
        }
    }
    Ok(if report.found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
