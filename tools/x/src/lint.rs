//! `cargo x lint`: the formatter and clippy over everything, tests and benches too.

use crate::run::{cargo, step};
use anyhow::Result;

/// Fails at the first file that is formatted otherwise, then at the first warning.
pub fn lint() -> Result<()> {
    step(&mut cargo(&["fmt", "--all", "--check"]))?;
    step(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "--deny",
        "warnings",
    ]))
}
