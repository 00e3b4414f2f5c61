//! `cargo x oracle`: compares the engines, or looks for leaks, for as long as one likes.

use anyhow::{Context as _, Result};
use clap::Parser;
use pando_oracle::{Case, OnPostgres, Random, Verdict, differential, leak};
use pando_testkit::Postgres;
use std::path::{Path, PathBuf};
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
    /// Looks for leaks instead, with as many requests.
    #[arg(long)]
    leaks: bool,
    /// Plants bugs and looks for them instead; only in a build with the feature `planted`.
    #[cfg(feature = "planted")]
    #[arg(long)]
    planted: bool,
    /// Runs a case file and shows what both say to each of its steps.
    #[arg(long)]
    replay: Option<PathBuf>,
    /// Where to write a case file for each difference.
    #[arg(long)]
    save: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(path) = &arguments.replay {
        return replay(path);
    }
    let seed = arguments.seed.unwrap_or_else(Random::fresh_seed);
    println!("seed {seed}");
    let server = Postgres::start()?;
    let database = server.database()?;
    let mut postgres = OnPostgres::open(&database)?;
    let cases = if arguments.long {
        1_000_000
    } else {
        arguments.cases
    };
    #[cfg(feature = "planted")]
    if arguments.planted {
        let hunts = pando_oracle::planted::hunt(seed, cases, &mut postgres)?;
        for hunt in &hunts {
            match &hunt.found {
                Some((asked, case)) => {
                    println!("{:?}: caught within {asked} statements\n{case}", hunt.bug);
                }
                None => println!("{:?}: NOT caught", hunt.bug),
            }
        }
        return Ok(success(hunts.iter().all(|hunt| hunt.found.is_some())));
    }
    if arguments.leaks {
        let options = leak::Options {
            seed,
            probes: cases,
            findings_max: arguments.failures,
        };
        let report = leak::run(options, &mut postgres)?;
        print!("{report}");
        return Ok(success(
            report.leaks.is_empty() && report.differences.is_empty(),
        ));
    }
    let options = differential::Options {
        seed,
        cases,
        failures_max: arguments.failures,
        shrink_attempts: arguments.shrink,
    };
    let report = differential::run(options, &mut postgres)?;
    print!("{report}");
    if let Some(folder) = &arguments.save {
        for (number, found) in report.found.iter().enumerate() {
            let path = folder.join(format!("{seed}_{number}.sql"));
            std::fs::write(&path, found.case.write())
                .with_context(|| format!("write {}", path.display()))?;
        }
    }
    Ok(success(
        report.found.is_empty() && report.misnamed.is_empty(),
    ))
}

fn replay(path: &Path) -> Result<ExitCode> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let case = Case::parse(&text)?;
    let server = Postgres::start()?;
    let database = server.database()?;
    let answers = case.run(&mut OnPostgres::open(&database)?)?;
    let mut alike = true;
    for (step, answers) in case.steps.iter().zip(answers) {
        println!("{}", step.node.sql());
        println!("  postgres: {}", answers.postgres.show());
        println!("  embedded: {}", answers.embedded.show());
        print!("{}", answers.effects);
        alike &= !matches!(answers.verdict, Verdict::Different(_));
    }
    Ok(success(alike))
}

fn success(yes: bool) -> ExitCode {
    if yes {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
