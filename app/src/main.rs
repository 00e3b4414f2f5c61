//! The `pando` executable: the command line, the configuration, and putting the services together.
//!
//! This is the only crate that knows every service. Invariants: the environment and `pando.toml` are read in `config` and
//! nowhere else; an error is shown once, with what was being done, and the exit status says that there was one.

mod banner;
mod cli;
mod commands;
mod config;
mod copying;
mod doctor;
mod instance;
mod migrations;
mod output;
mod progress;

use clap::Parser as _;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("pando: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
