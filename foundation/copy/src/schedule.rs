//! Whole backups on a schedule, each read back from the store and looked at before an older one goes.

use crate::metrics::{Metrics, seconds};
use crate::place;
use crate::points::{BackupRecord, backups};
use crate::restore::fetch;
use crate::segment::hex;
use aws_lc_rs::digest::{Context, SHA256};
use pando_blob::Store;
use pando_db::{back_up, inspect};
use pando_kernel::{Clock, Timestamp};
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// After a failure it is tried again so soon, or when the next is due.
const AGAIN: Duration = Duration::from_secs(300);

/// What is kept where.
#[derive(Clone)]
pub struct ScheduleSettings {
    /// The data directory.
    pub directory: PathBuf,
    /// Where backups go.
    pub store: Store,
    /// Between two.
    pub every: Duration,
    /// How many are kept.
    pub keep: usize,
}

/// The schedule at work, one backup at a time.
pub struct Schedule {
    task: JoinHandle<()>,
    directory: PathBuf,
}

impl Schedule {
    /// Begins: the first backup is made when the newest in the store is old enough.
    pub fn start(settings: ScheduleSettings, clock: Arc<dyn Clock>, metrics: Metrics) -> Schedule {
        clean(&settings.directory);
        let directory = settings.directory.clone();
        Schedule {
            task: tokio::spawn(run(settings, clock, metrics)),
            directory,
        }
    }

    /// Ends. A backup that is being made is dropped.
    pub fn stop(self) {
        self.task.abort();
        clean(&self.directory);
    }
}

async fn run(settings: ScheduleSettings, clock: Arc<dyn Clock>, metrics: Metrics) {
    loop {
        let wait = match turn(&settings, &*clock, &metrics).await {
            Ok(wait) => wait,
            Err(error) => {
                metrics.failures.inc();
                let wait = AGAIN.min(settings.every);
                tracing::error!(
                    error,
                    store = %settings.store,
                    again_in_s = wait.as_secs(),
                    "a scheduled backup failed: mind the space on both sides and the way to the store; older backups are kept"
                );
                wait
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Makes a backup if one is due; gives the time until the next.
async fn turn(
    settings: &ScheduleSettings,
    clock: &dyn Clock,
    metrics: &Metrics,
) -> Result<Duration, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let store = &settings.store;
    let found = backups(store).await.map_err(|error| told(&error))?;
    let now = clock.now();
    if let Some(last) = found.iter().map(|record| record.time).max() {
        metrics.last_success.set(seconds(Timestamp(last)));
        let age = Duration::from_micros(u64::try_from(now.0 - last).unwrap_or_default());
        if age < settings.every {
            return Ok(settings.every - age);
        }
    }
    let record = make(settings, now).await?;
    metrics.last_success.set(seconds(now));
    tracing::info!(
        key = record.key,
        bytes = record.bytes,
        rows = record.rows,
        "a scheduled backup was made, read back and verified"
    );
    if let Err(error) = remove_old(settings).await {
        tracing::warn!(
            error,
            "old backups could not be removed; it will be tried again after the next"
        );
    }
    Ok(settings.every)
}

fn draft(directory: &Path) -> PathBuf {
    directory.join("scheduled-backup.db")
}

fn clean(directory: &Path) {
    let draft = draft(directory);
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut path = draft.as_os_str().to_owned();
        path.push(end);
        let _absent = fs::remove_file(PathBuf::from(path));
    }
}

async fn make(settings: &ScheduleSettings, now: Timestamp) -> Result<BackupRecord, String> {
    clean(&settings.directory);
    let made = made(settings, now).await;
    clean(&settings.directory);
    made
}

async fn made(settings: &ScheduleSettings, now: Timestamp) -> Result<BackupRecord, String> {
    let (directory, file) = (settings.directory.clone(), draft(&settings.directory));
    let to = file.clone();
    let (contents, hash) = blocking(move || {
        let contents =
            back_up(&directory, &to, true, &mut |_| {}).map_err(|error| error.to_string())?;
        let hash = hash(&to).map_err(|error| error.to_string())?;
        Ok((contents, hash))
    })
    .await?;
    let key = format!("{}/{}.db", place::BACKUPS, place::stamp(now));
    let store = &settings.store;
    store
        .put_file(&key, &file)
        .await
        .map_err(|error| error.to_string())?;
    // The proof: what comes back is what was sent, and is a whole database.
    let again = file.clone();
    blocking(move || {
        fs::remove_file(&again).map_err(|error| error.to_string())?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options
            .open(&again)
            .map(|_| ())
            .map_err(|error| error.to_string())
    })
    .await?;
    fetch(store, &key, &hash, contents.bytes, &file, &mut |_, _| {})
        .await
        .map_err(|error| error.to_string())?;
    let verified = file.clone();
    let restored = blocking(move || inspect(&verified).map_err(|error| error.to_string())).await?;
    if restored != contents {
        return Err(format!(
            "{key} came back with {} rows of {}",
            restored.rows, contents.rows
        ));
    }
    let record = BackupRecord {
        time: now.0,
        bytes: contents.bytes,
        hash,
        rows: contents.rows,
        tables: contents.tables,
        key: key.clone(),
    };
    let text = serde_json::to_vec(&record).map_err(|error| error.to_string())?;
    store
        .put(&key.replace(".db", ".json"), text.into())
        .await
        .map_err(|error| error.to_string())?;
    Ok(record)
}

/// Leaves the newest, and nothing that has no record.
async fn remove_old(settings: &ScheduleSettings) -> Result<(), String> {
    let store = &settings.store;
    let mut found = backups(store).await.map_err(|error| error.to_string())?;
    found.sort_by_key(|record| std::cmp::Reverse(record.time));
    let kept: Vec<&str> = found
        .iter()
        .take(settings.keep.max(1))
        .filter_map(|record| record.key.strip_suffix(".db"))
        .collect();
    let objects = store
        .list(place::BACKUPS)
        .await
        .map_err(|error| error.to_string())?;
    let gone = |end: &'static str| {
        let kept = &kept;
        objects.iter().filter(move |object| {
            object
                .key
                .strip_suffix(end)
                .is_some_and(|name| !kept.contains(&name))
        })
    };
    // The record first, so that none speaks of what is gone.
    for object in gone(".json").chain(gone(".db")) {
        store
            .delete(&object.key)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn hash(file: &Path) -> std::io::Result<String> {
    let mut reader = File::open(file)?;
    let mut sum = Context::new(&SHA256);
    let mut block = vec![0; 1 << 20];
    loop {
        let count = reader.read(&mut block)?;
        if count == 0 {
            return Ok(hex(sum.finish().as_ref()));
        }
        sum.update(&block[..count]);
    }
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(f)
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
}
