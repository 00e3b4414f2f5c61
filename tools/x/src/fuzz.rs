//! `cargo x fuzz`: hands its arguments to the program that fuzzes.

use crate::run::{cargo, step};
use anyhow::Result;

/// Runs `pando-fuzz <arguments>`, built as tests are: with overflows checked.
pub fn fuzz(arguments: &[String]) -> Result<()> {
    let mut command = cargo(&["run", "--quiet", "--package", "pando-fuzz", "--"]);
    step(command.args(arguments))
}
