//! `cargo x`: the one door to everything a contributor or the CI does with this repository.
//!
//! Each command is one module. A command prints what it runs, so that it can be run by hand too, and ends with a status
//! other than 0 when anything failed. Deliberately absent: options that make a check weaker.

mod bench;
mod fuzz;
mod lint;
mod oracle;
mod run;
mod services;
mod test;
mod tidy;
mod torture;

use std::process::ExitCode;

const HELP: &str = "\
cargo x lint                 formatting and clippy, warnings are errors
cargo x test [ARGUMENTS]     every test; arguments go to the test runner (a filter, for instance)
cargo x tidy                 layering, file sizes, banned crates, forbidden words, dead links
cargo x bench NAME [..]      a benchmark, built for release; `cargo x bench peers` compares with others
cargo x oracle [..]          the embedded engine beside PostgreSQL: --cases N, --seed S, --long, --leaks, --planted, --replay FILE
cargo x fuzz [TARGET] [..]    SQL, literals and REST's grammar against arbitrary texts: --seconds N, --seed S, --grow
cargo x torture [..]         the server killed, its power cut, its disk full: --short, --long, --seed N, --rounds N, --only kill,power, --planted
cargo x services             what the tests need besides cargo, and whether it is here; installs what it can
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let done = match command.as_str() {
        "lint" => lint::lint(),
        "test" => test::test(&rest),
        "tidy" => tidy::tidy(),
        "bench" => bench::bench(&rest),
        "oracle" => oracle::oracle(&rest),
        "fuzz" => fuzz::fuzz(&rest),
        "torture" => torture::torture(&rest),
        "services" => services::services(),
        "" | "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => Err(anyhow::anyhow!("there is no command {other:?}\n\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo x {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
