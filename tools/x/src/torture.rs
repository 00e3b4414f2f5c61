//! `cargo x torture`: hands its arguments to the program that harms the server.

use crate::run::{cargo, step};
use crate::services;
use anyhow::{Context as _, Result};
use pando_testkit::executable;
use std::fs;

/// Runs `pando-torture <arguments>`, built for release where it is to run long.
pub fn torture(arguments: &[String]) -> Result<()> {
    // What needs one of them and has it not fails by itself; the rest can be run with --only.
    for missing in [services::fuse(), services::clock()]
        .into_iter()
        .filter_map(Result::err)
    {
        eprintln!("{missing:#}");
    }
    if arguments.iter().any(|argument| argument == "--planted") {
        return planted(arguments);
    }
    let mut command = cargo(&["run", "--quiet", "--package", "pando-torture"]);
    if arguments.iter().any(|argument| argument == "--long") {
        command.arg("--release");
        command.env("PANDO_BIN", executable::build(&["--release"])?);
    }
    step(command.arg("--").args(arguments))
}

/// Bugs are in an executable of their own, which is never left where the real one is looked for.
fn planted(arguments: &[String]) -> Result<()> {
    let built = executable::build(&["--features", "planted"])?;
    let aside = built.with_file_name("pando-planted");
    fs::rename(&built, &aside).with_context(|| format!("put {} aside", built.display()))?;
    executable::build(&[])?;
    let rest = arguments.iter().filter(|argument| *argument != "--planted");
    step(
        cargo(&["run", "--quiet", "--package", "pando-torture", "--"])
            .arg("--planted")
            .arg(&aside)
            .args(rest),
    )
}
