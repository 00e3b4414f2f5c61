//! `cargo x oracle`: hands its arguments to the program that compares the embedded engine with PostgreSQL.

use crate::run::{cargo, step};
use crate::services;
use anyhow::Result;

/// Runs `pando-oracle <arguments>`, built for release where it is to run long.
pub fn oracle(arguments: &[String]) -> Result<()> {
    services::postgres()?;
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let mut command = cargo(&["run", "--quiet", "--package", "pando-oracle"]);
    if has("--long") {
        command.arg("--release");
    }
    if has("--planted") {
        command.args(["--features", "planted"]);
    }
    step(command.arg("--").args(arguments))
}
