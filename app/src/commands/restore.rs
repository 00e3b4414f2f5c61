//! `pando restore FROM`: a data directory from a copy, whole or not at all.

use super::backup::key_file;
use crate::config::Config;
use crate::instance;
use crate::output::{complain, say};
use crate::progress::{Meter, size};
use anyhow::{Context, Result, bail};
use pando_blob::Store;
use pando_db::Restoring;
use pando_kernel::Timestamp;
use pando_keys::MasterKey;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is to be restored.
pub struct Wanted {
    /// A file, or a place.
    pub from: String,
    /// The last moment wanted.
    pub at: Option<String>,
    /// The file of the master key.
    pub key: Option<PathBuf>,
    /// The answer as JSON.
    pub json: bool,
}

/// Fills the data directory.
pub async fn restore(config: &Config, wanted: &Wanted) -> Result<()> {
    let directory = instance::data_directory(config);
    let file = Path::new(&wanted.from);
    let at = wanted.at.as_deref().map(moment).transpose()?;
    if file.is_file() && at.is_some() {
        bail!(
            "{} holds one moment; --at is for a continuous copy",
            file.display()
        );
    }
    // Read before anything is made, so that a key that can't be used stops the whole.
    let key = master_key(wanted, file)?;
    let began = Instant::now();
    let source = match file.is_file() {
        true => None,
        false => Some(place(config, &wanted.from).await?),
    };
    let restoring = Restoring::begin(&directory)?;
    let mut from = None;
    match &source {
        None => copy_file(file, restoring.file())?,
        Some(store) => {
            let mut meter = Meter::new("restored");
            let mut progress = |done, of| meter.share(done, of);
            let restored = pando_copy::restore(store, at, restoring.file(), &mut progress).await?;
            from = Some(restored);
        }
    }
    if let Some(key) = &key {
        key.save(&MasterKey::file(&directory))
            .context("put the master key into the data directory")?;
    }
    let contents = restoring.finish()?;
    let seconds = began.elapsed().as_secs_f64();
    if wanted.json {
        let object = json!({
            "data": directory,
            "from": wanted.from,
            "rows": contents.rows,
            "tables": contents.tables,
            "bytes": contents.bytes,
            "seconds": seconds,
            "time": from.as_ref().map(|from| from.time.to_string()),
            "source": from.as_ref().map(|from| &from.source),
            "master_key": has_key(config)?,
        });
        return say(&format!("{object}\n"));
    }
    let keys = if has_key(config)? {
        String::new()
    } else {
        format!(
            "Before `pando serve`, put the master key the original had into {} (chmod 600), or set PANDO_MASTER_KEY: it opens the signing \
             keys in this database.\n",
            MasterKey::file(&directory).display()
        )
    };
    let moment = from.map_or_else(String::new, |from| {
        format!("As it was at {}, from {}.\n", from.time, from.source)
    });
    say(&format!(
        "{}: {} rows of {} tables, {}, in {seconds:.1} s; verified: integrity, foreign keys, catalog\n{moment}{keys}",
        directory.display(),
        contents.rows,
        contents.tables,
        size(contents.bytes),
    ))
}

/// The store, after telling what is in it that can be restored.
async fn place(config: &Config, from: &str) -> Result<Store> {
    let store = config.store(from)?;
    if !from.contains("://") && !Path::new(from).is_dir() {
        bail!("there is no file and no folder {from}");
    }
    complain(super::copies::shown(&pando_copy::points(&store).await?).trim_end());
    Ok(store)
}

fn moment(text: &str) -> Result<Timestamp> {
    let parsed: jiff::Timestamp = text.parse().with_context(|| {
        format!("read --at: write a moment with its zone, as 2026-01-31T12:00:00Z, not {text:?}")
    })?;
    Ok(Timestamp(parsed.as_microsecond()))
}

fn has_key(config: &Config) -> Result<bool> {
    let directory = instance::data_directory(config);
    Ok(config.secret("master_key").is_some() || MasterKey::load(&directory)?.is_some())
}

/// The key that was named, or the one beside the file.
fn master_key(wanted: &Wanted, file: &Path) -> Result<Option<MasterKey>> {
    match &wanted.key {
        Some(named) => {
            let key = MasterKey::read(named)?
                .with_context(|| format!("there is no key file {}", named.display()))?;
            Ok(Some(key))
        }
        None => Ok(MasterKey::read(&key_file(file))?),
    }
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let mut log = from.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > 0) {
        bail!(
            "{} has a log beside it: it is in use, or was left by a server that was killed, and is no copy. Make one with `pando backup`",
            from.display()
        );
    }
    let reading = || format!("read {}", from.display());
    let writing = || format!("write {}", to.display());
    let mut source = File::open(from).with_context(reading)?;
    let bytes = source.metadata().with_context(reading)?.len();
    let mut target = OpenOptions::new()
        .write(true)
        .open(to)
        .with_context(writing)?;
    let mut meter = Meter::new("restored");
    let mut block = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        let count = source.read(&mut block).with_context(reading)?;
        if count == 0 {
            return Ok(());
        }
        target.write_all(&block[..count]).with_context(writing)?;
        done += count as u64;
        meter.at(done, bytes);
    }
}
