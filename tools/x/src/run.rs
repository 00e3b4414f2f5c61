//! Runs other programs, saying what is run and how long it took.

use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::process::Command;
use std::time::Instant;

/// `cargo` with these arguments, the cargo that runs us.
pub fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(pando_testkit::executable::checkout());
    command
}

/// Whether `cargo <name>` is installed.
pub fn has_cargo_command(name: &str) -> bool {
    cargo(&[name, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Runs the command to its end; an error if it failed.
pub fn step(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let program = program.rsplit('/').next().unwrap_or_default();
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy())
        .collect();
    let shown = format!("{program} {}", words.join(" "));
    eprintln!("==> {shown}");
    let began = Instant::now();
    let status = command.status().with_context(|| format!("run {shown}"))?;
    eprintln!("    {:.1} s", began.elapsed().as_secs_f64());
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}
