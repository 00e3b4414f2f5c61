//! `cargo x fuzz`: fuzzes one target or all of them for as long as one likes.

use anyhow::{Result, bail};
use clap::Parser;
use pando_fuzz::{NAMES, Options, keep, run, sources, write_corpus};
use std::hash::{BuildHasher as _, RandomState};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// What is committed of a corpus that has grown, inputs.
const CORPUS_MAX: usize = 300;

/// Fuzzes what strangers' texts reach.
#[derive(Parser)]
struct Arguments {
    /// `sql`, `literals` or `rest`; all at once when not given.
    target: Option<String>,
    /// How long to go on.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// What all choices follow from; a new one when not given.
    #[arg(long)]
    seed: Option<u64>,
    /// How many different findings end it.
    #[arg(long, default_value_t = 10)]
    findings: usize,
    /// Begins with the texts of the repository's tests too, and writes a new corpus of what showed something new.
    #[arg(long)]
    grow: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let Some(name) = &arguments.target else {
        return all();
    };
    let Some(target) = NAMES.iter().find(|known| *known == name) else {
        bail!("there is no target {name:?}; there are {NAMES:?}");
    };
    let options = Options {
        seed: arguments
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one(std::process::id())),
        time: Duration::from_secs(arguments.seconds),
        findings_max: arguments.findings,
        more: if arguments.grow {
            sources(target)
        } else {
            Vec::new()
        },
    };
    let report = run(target, &options);
    print!("{report}");
    for finding in &report.findings {
        println!("  kept in {}", keep(target, &finding.input)?.display());
    }
    if arguments.grow {
        let path = write_corpus(target, &report.cover(CORPUS_MAX))?;
        println!("  corpus in {}", path.display());
    }
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Each target in a process of its own, because what runs out of its stack takes its process along.
fn all() -> Result<ExitCode> {
    let program = std::env::current_exe()?;
    let children: Vec<_> = NAMES
        .iter()
        .map(|name| {
            Command::new(&program)
                .arg(name)
                .args(std::env::args_os().skip(1))
                .spawn()
                .map(|child| (name, child))
        })
        .collect::<std::io::Result<_>>()?;
    let mut good = true;
    for (name, mut child) in children {
        let status = child.wait()?;
        if !status.success() {
            eprintln!("{name}: failed ({status})");
            good = false;
        }
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
