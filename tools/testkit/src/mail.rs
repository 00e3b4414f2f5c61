//! Reads the mails a server in development mode writes to a folder.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Waits up to 10 s for the newest mail to this address that is not among the first `seen` ones, and answers it whole.
pub fn wait_for(folder: &Path, address: &str, seen: usize) -> Result<String> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mails = all(folder, address)?;
        if mails.len() > seen {
            return mails
                .into_iter()
                .next_back()
                .context("take the newest mail");
        }
        if Instant::now() > deadline {
            bail!(
                "no mail to {address} came to {} within 10 s ({} before)",
                folder.display(),
                mails.len()
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All mails to this address, oldest first (by file name).
pub fn all(folder: &Path, address: &str) -> Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    let mut mails = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)
            .with_context(|| format!("read the mail {}", path.display()))?;
        if text
            .lines()
            .any(|line| line.to_ascii_lowercase().starts_with("to:") && line.contains(address))
        {
            mails.push(text);
        }
    }
    Ok(mails)
}
