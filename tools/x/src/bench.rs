//! `cargo x bench`: hands its arguments to the benchmark program, built for release.

use crate::run::{cargo, step};
use anyhow::{Result, bail};

/// Runs `pando-bench <arguments>`, and builds the executable it measures first.
pub fn bench(arguments: &[String]) -> Result<()> {
    if arguments.is_empty() {
        bail!("say which benchmark, for instance `cargo x bench peers`");
    }
    let executable = pando_testkit::executable::build(&["--release"])?;
    // The ceilings are executables of their own, which `cargo run` would leave unbuilt.
    let all = [
        "build",
        "--quiet",
        "--release",
        "--package",
        "pando-bench",
        "--bins",
    ];
    step(&mut cargo(&all))?;
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "pando-bench",
        "--",
    ]);
    step(command.args(arguments).env("PANDO_BIN", executable))
}
