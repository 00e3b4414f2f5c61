//! Finds the `pando` executable under test, building it when nobody did.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

/// The root of the checkout that cargo runs something of. It is asked for while that runs: what was built may have moved since.
pub fn checkout() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let here = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = here
            .ancestors()
            .find(|folder| folder.join("Cargo.lock").exists());
        root.unwrap_or(&here).to_owned()
    })
}

/// The executable named by `PANDO_BIN`, else the one a `cargo build` in the current profile leaves.
pub fn pando() -> Result<&'static Path> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match FOUND.get_or_init(|| find().map_err(|error| format!("{error:#}"))) {
        Ok(path) => Ok(path),
        Err(error) => bail!("{error}"),
    }
}

fn find() -> Result<PathBuf> {
    if let Some(path) = env::var_os("PANDO_BIN") {
        return fs::canonicalize(&path)
            .with_context(|| format!("find the executable PANDO_BIN names, {path:?}"));
    }
    build(&[])
}

/// Builds the executable with cargo and answers where it is. `flags` may choose the profile.
pub fn build(flags: &[&str]) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--package",
            "pando",
            "--bin",
            "pando",
            "--message-format=json-render-diagnostics",
        ])
        .args(flags)
        .current_dir(checkout())
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("run cargo build")?;
    if !output.status.success() {
        bail!("cargo build of the executable failed: {}", output.status);
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "pando")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("find the executable in cargo's answer")
}
