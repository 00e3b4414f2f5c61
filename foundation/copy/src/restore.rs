//! From a store to a file: a snapshot and the segments after it, or a backup.

use crate::error::RestoreError;
use crate::place;
use crate::points::{BackupRecord, Generation, points};
use crate::segment::{self, BYTES_MAX, hex};
use crate::snapshot::Record;
use aws_lc_rs::digest::{Context, SHA256};
use futures_util::StreamExt as _;
use lz4_flex::frame::FrameDecoder;
use pando_blob::{Store, StoreError};
use pando_db::Pages;
use pando_kernel::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Segments fetched ahead.
const AHEAD: usize = 16;

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The moment: of the last commit that was copied, or of the backup.
    pub time: Timestamp,
    /// The generation or the backup it came from.
    pub source: String,
    /// Segments put over the snapshot.
    pub segments: u64,
}

enum Chosen<'a> {
    Copy(&'a Generation, &'a Record),
    Backup(&'a BackupRecord),
}

/// Fills an empty file with the database as it was at the last commit at or before `at`, or at the newest there is. The file is to be looked at by
/// whoever wants to rely on it. `progress` hears bytes done of bytes to do.
pub async fn restore(
    store: &Store,
    at: Option<Timestamp>,
    file: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Restored, RestoreError> {
    let found = points(store).await?;
    let early = |time: i64| at.is_none_or(|at| time <= at.0);
    let copies = found.generations.iter().flat_map(|generation| {
        let usable = generation
            .snapshots
            .iter()
            .filter(|record| early(record.time));
        usable.map(move |record| (record.time, Chosen::Copy(generation, record)))
    });
    let backups = found.backups.iter().filter(|record| early(record.time));
    // A copy reaches further than a backup of the same time.
    let chosen = copies.max_by_key(|(time, _)| *time);
    let backup = backups.max_by_key(|record| record.time);
    let chosen = match (chosen, backup) {
        (Some((_, Chosen::Copy(generation, record))), Some(backup))
            if backup.time > generation.latest.0.min(at.map_or(i64::MAX, |at| at.0)) =>
        {
            // The copy was broken off before the backup was made.
            let _older = record;
            Some(Chosen::Backup(backup))
        }
        (Some((_, copy)), _) => Some(copy),
        (None, Some(backup)) => Some(Chosen::Backup(backup)),
        (None, None) => None,
    };
    match chosen {
        Some(Chosen::Copy(generation, record)) => {
            from_copy(store, generation, record, at, file, progress).await
        }
        Some(Chosen::Backup(record)) => from_backup(store, record, file, progress).await,
        None => {
            let place = store.to_string();
            let copies = found
                .generations
                .iter()
                .map(|generation| generation.earliest.0);
            let backups = found.backups.iter().map(|record| record.time);
            match copies.chain(backups).min() {
                None => Err(RestoreError::Nothing(place)),
                Some(earliest) => Err(RestoreError::TooEarly {
                    place,
                    earliest: Timestamp(earliest),
                }),
            }
        }
    }
}

async fn from_backup(
    store: &Store,
    record: &BackupRecord,
    file: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Restored, RestoreError> {
    fetch(
        store,
        &record.key,
        &record.hash,
        record.bytes,
        file,
        progress,
    )
    .await?;
    Ok(Restored {
        time: Timestamp(record.time),
        source: record.key.clone(),
        segments: 0,
    })
}

/// Writes an object to a file and proves its hash.
pub(crate) async fn fetch(
    store: &Store,
    key: &str,
    hash: &str,
    bytes: u64,
    file: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), RestoreError> {
    store
        .get_file(key, file, &mut |done| progress(done, bytes))
        .await?;
    let path = file.to_owned();
    let found = blocking(move || {
        let mut reader = File::open(path)?;
        let mut sum = Context::new(&SHA256);
        let mut block = vec![0; 1 << 20];
        loop {
            let count = reader.read(&mut block)?;
            if count == 0 {
                return Ok(hex(sum.finish().as_ref()));
            }
            sum.update(&block[..count]);
        }
    })
    .await?;
    if found == hash {
        return Ok(());
    }
    Err(RestoreError::Damaged {
        key: key.to_owned(),
        reason: "its bytes do not have the checksum in its record".to_owned(),
        good: None,
    })
}

async fn from_copy(
    store: &Store,
    generation: &Generation,
    record: &Record,
    at: Option<Timestamp>,
    file: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Restored, RestoreError> {
    let key = place::snapshot(&record.generation, record.number);
    let mut packed = file.as_os_str().to_owned();
    packed.push("-journal");
    // Beside the file and named as a thing of its own, so that whoever cleans up after it takes this too.
    let packed = std::path::PathBuf::from(packed);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&packed)?;
    let fetched = fetch(store, &key, &record.hash, record.packed, &packed, progress).await;
    let (from, to, bytes) = (packed.clone(), file.to_owned(), record.bytes);
    let unpacked = match fetched {
        Ok(()) => blocking(move || unpack(&from, &to, bytes))
            .await
            .map_err(RestoreError::Io),
        Err(error) => Err(error),
    };
    let _no_longer_needed = std::fs::remove_file(&packed);
    unpacked?;

    let last = generation.numbers.last().copied().unwrap_or(0);
    let wanted = record.number + 1..=last.max(record.through);
    let total = wanted.clone().count() as u64;
    let target = OpenOptions::new().write(true).open(file)?;
    let mut restored = Restored {
        time: Timestamp(record.time),
        source: generation.name.clone(),
        segments: 0,
    };
    let mut previous = record.previous.clone();
    let fetches = wanted.map(|number| {
        let (store, key) = (store.clone(), place::segment(&generation.name, number));
        async move {
            let body = store.get(&key, BYTES_MAX).await;
            (number, key, body)
        }
    });
    let mut fetching = futures_util::stream::iter(fetches).buffered(AHEAD);
    while let Some((number, key, body)) = fetching.next().await {
        // Nothing later is asked for, so nothing later need be whole.
        if number > record.through && at.is_some_and(|at| at <= restored.time) {
            break;
        }
        let good = (restored.segments > 0 && number > record.through + 1)
            .then_some(restored.time)
            .or_else(|| (number == record.through + 1).then_some(Timestamp(record.time)));
        let named = |error| match error {
            RestoreError::Damaged { key, reason, .. } => {
                RestoreError::Damaged { key, reason, good }
            }
            error => error,
        };
        let body = match body {
            Err(StoreError::Missing { key, .. }) => {
                let reason = "it is missing".to_owned();
                return Err(RestoreError::Damaged { key, reason, good });
            }
            other => other?,
        };
        let (head, pages, hash) = segment::decode(&key, &body).map_err(named)?;
        if head.number != number || head.generation != generation.name || head.previous != previous
        {
            return Err(named(RestoreError::Damaged {
                key,
                reason: "it does not follow the one before it".to_owned(),
                good,
            }));
        }
        if number > record.through && at.is_some_and(|at| head.time() > at) {
            break;
        }
        apply(&target, &pages)?;
        previous = hash;
        restored.segments += 1;
        restored.time = restored.time.max(head.time());
        progress(restored.segments, total);
    }
    Ok(restored)
}

fn apply(file: &File, pages: &Pages) -> io::Result<()> {
    let size = u64::from(pages.size);
    for (number, page) in &pages.pages {
        file.write_all_at(page, (u64::from(*number) - 1) * size)?;
    }
    file.set_len(u64::from(pages.count) * size)
}

fn unpack(from: &Path, to: &Path, bytes: u64) -> io::Result<()> {
    let mut target = OpenOptions::new().write(true).truncate(true).open(to)?;
    // What its record promises is all that is taken of it.
    let mut source = FrameDecoder::new(File::open(from)?).take(bytes + 1);
    let count = io::copy(&mut source, &mut target)?;
    if count == bytes {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "the snapshot has another size than its record says",
    ))
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(f)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}
