//! `pando backup FILE`: a copy of the database while others write it.

use crate::config::Config;
use crate::instance;
use crate::output::say;
use crate::progress::{Meter, size};
use anyhow::{Context, Result};
use pando_keys::MasterKey;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is asked of a copy besides its name.
pub struct Wanted {
    /// The master key beside it.
    pub with_key: bool,
    /// A file of the same name may go.
    pub replace: bool,
    /// The answer as JSON.
    pub json: bool,
}

/// Copies the database of the data directory to a file, and proves that the copy is whole.
pub fn back_up(config: &Config, file: &Path, wanted: &Wanted) -> Result<()> {
    let directory = instance::data_directory(config);
    // Found out first: a copy that lacks what was asked for is not begun.
    let key = match wanted.with_key {
        true => Some(instance::existing_master_key(config)?),
        false => None,
    };
    let began = Instant::now();
    let mut meter = Meter::new("copied");
    let contents = pando_db::back_up(&directory, file, wanted.replace, &mut |progress| {
        meter.at(progress.pages_done * 4_096, progress.pages * 4_096);
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let key_file = key_file(file);
    if let Some(key) = &key {
        if wanted.replace {
            // One that holds the same key is as good as a new one, and another one goes with the backup it belonged to.
            let _absent = std::fs::remove_file(&key_file);
        }
        key.save(&key_file)
            .context("copy the master key beside the backup")?;
    }
    if wanted.json {
        let object = json!({
            "file": file,
            "bytes": contents.bytes,
            "rows": contents.rows,
            "tables": contents.tables,
            "seconds": seconds,
            "verified": true,
            "master_key": key.as_ref().map(|_| &key_file),
        });
        return say(&format!("{object}\n"));
    }
    let keys = match key {
        Some(_) => format!(
            "The master key is in {}: whoever holds both can sign tokens, so keep them apart if you can.\n",
            key_file.display()
        ),
        None => format!(
            "The signing keys in it are sealed: keep {} too (or PANDO_MASTER_KEY, if you set it), apart from the backup. Without it every \
             session and every API key ends with the restore.\n",
            MasterKey::file(&directory).display()
        ),
    };
    say(&format!(
        "{}: {} rows of {} tables, {}, in {seconds:.1} s; verified: integrity, foreign keys, catalog\n{keys}",
        file.display(),
        contents.rows,
        contents.tables,
        size(contents.bytes),
    ))
}

/// Where the master key lies beside a backup.
pub fn key_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".master.key");
    name.into()
}
