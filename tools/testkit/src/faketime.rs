//! A clock of its own for a process: libfaketime, preloaded, reads from a file where it stands.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the library is that shows another time to a process.
pub fn library() -> Result<PathBuf> {
    let folders = [
        "/usr/lib/x86_64-linux-gnu/faketime",
        "/usr/lib/aarch64-linux-gnu/faketime",
        "/usr/lib/faketime",
    ];
    folders
        .iter()
        .map(|folder| Path::new(folder).join("libfaketimeMT.so.1"))
        .find(|path| path.exists())
        .context("find libfaketime (Debian: faketime)")
}

/// What a server whose clock stands in a file is started with.
pub fn variables(file: &Path) -> Result<Vec<(String, String)>> {
    let library = library()?;
    let pairs = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        // Deadlines are measured by a clock that does not jump.
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Ok(pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
}

/// Puts the clock somewhere.
pub fn set(file: &Path, place: &str) -> Result<()> {
    // It is read at every look at the clock, so it must never be there by half.
    let next = file.with_extension("next");
    fs::write(&next, format!("{place}\n"))?;
    fs::rename(&next, file).context("set the clock")
}
