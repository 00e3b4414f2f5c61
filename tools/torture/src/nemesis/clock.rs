//! The clock jumps, days ahead and hours back, while the server works.

use crate::checker::Violation;
use crate::clients::Load;
use crate::life::Life;
use crate::nemesis::faults::expect_progress;
use crate::nemesis::kill::wait_for_load;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

/// Where the clocks may stand, in the words of libfaketime: beside the true time.
const PLACES: &[&str] = &["+0", "+3d", "+40d", "-5h", "-30h", "+1h", "+400d"];

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

/// Jumps several times under load.
pub fn jump(life: &mut Life) -> Result<Vec<Violation>> {
    let clock = life.clock().context("have a clock that jumps")?;
    let ((), seen) = life.load(Load::default(), |site, seen| {
        wait_for_load(seen);
        for _ in 0..4 {
            let place = site.random.pick(PLACES).copied().unwrap_or("+0");
            set(&clock, place)?;
            expect_progress(seen, &format!("after the clock jumped to {place}"));
            thread::sleep(Duration::from_millis(site.random.below(120)));
        }
        site.strike()
    })?;
    Ok(seen.violations())
}
