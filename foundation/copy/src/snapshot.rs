//! A snapshot: the whole database in a generation, from which its segments go on.

use crate::place;
use crate::prune::prune;
use crate::segment::hex;
use crate::ship::Shipped;
use aws_lc_rs::digest::{Context, SHA256};
use lz4_flex::frame::FrameEncoder;
use pando_blob::Store;
use pando_db::{Tail, inspect};
use pando_kernel::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

const DRAFT: &str = ".copy-snapshot.partial";
const PACKED: &str = ".copy-snapshot.lz4.partial";

/// What is known of a snapshot; written once all it speaks of is in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub generation: String,
    /// The segments after this one go on from it.
    pub number: u64,
    /// What the first of them calls the one before it.
    pub previous: String,
    /// It is the database of one moment only together with the segments up to this one.
    pub through: u64,
    /// That moment, microseconds since 1970.
    pub time: i64,
    /// Bytes of the database.
    pub bytes: u64,
    /// Bytes of the object, and its SHA-256.
    pub packed: u64,
    pub hash: String,
}

/// Where a snapshot stands in its generation.
pub(crate) struct Start {
    pub generation: String,
    pub number: u64,
    pub previous: String,
}

/// One that is being made.
pub(crate) struct Making {
    copied: Arc<AtomicBool>,
    through: Option<oneshot::Sender<(u64, Timestamp)>>,
    task: tokio::task::JoinHandle<Result<Timestamp, String>>,
}

impl Making {
    pub(crate) fn begin(
        runtime: &tokio::runtime::Handle,
        directory: PathBuf,
        store: Store,
        start: Start,
        shipped: Shipped,
        keep: Duration,
        clock: Arc<dyn Clock>,
    ) -> Making {
        let copied = Arc::new(AtomicBool::new(false));
        let (sender, through) = oneshot::channel();
        let flag = copied.clone();
        let task = runtime.spawn(async move {
            let made = make(&directory, &store, start, shipped, through, &flag).await;
            clean(&directory);
            let time = made?;
            if let Err(error) = prune(&store, keep, clock.now()).await {
                tracing::warn!(%error, "old copies could not be removed; it will be tried again after the next snapshot");
            }
            Ok(time)
        });
        Making {
            copied,
            through: Some(sender),
            task,
        }
    }

    /// Whether it waits to be told through which segment everything was taken.
    pub(crate) fn wants_through(&self) -> bool {
        self.through.is_some() && self.copied.load(Ordering::Acquire)
    }

    pub(crate) fn tell_through(&mut self, number: u64, now: Timestamp) {
        if let Some(sender) = self.through.take() {
            // One that failed since says so by itself.
            let _failed = sender.send((number, now));
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    pub(crate) fn outcome(self, runtime: &tokio::runtime::Handle) -> Result<Timestamp, String> {
        runtime
            .block_on(self.task)
            .unwrap_or_else(|error| Err(error.to_string()))
    }

    pub(crate) fn abandon(self) {
        self.task.abort();
    }
}

/// Removes what a snapshot that was not finished left in the data directory.
pub(crate) fn clean(directory: &Path) {
    for name in [DRAFT, PACKED] {
        for end in ["", "-wal", "-shm", "-journal"] {
            let _absent = fs::remove_file(directory.join(format!("{name}{end}")));
        }
    }
}

async fn make(
    directory: &Path,
    store: &Store,
    start: Start,
    shipped: Shipped,
    through: oneshot::Receiver<(u64, Timestamp)>,
    copied: &AtomicBool,
) -> Result<Timestamp, String> {
    clean(directory);
    let from = directory.to_owned();
    let (draft, packed) = (directory.join(DRAFT), directory.join(PACKED));
    let file = draft.clone();
    blocking(move || {
        private(&file).map_err(|error| error.to_string())?;
        Tail::snapshot(&from, &file, &mut |_| {}).map_err(|error| error.to_string())
    })
    .await?;
    copied.store(true, Ordering::Release);
    let (through, time) = through
        .await
        .map_err(|_| "the generation ended".to_owned())?;
    let (file, to) = (draft, packed.clone());
    let (bytes, size, hash) = blocking(move || {
        let contents = inspect(&file).map_err(|error| error.to_string())?;
        let (size, hash) = pack(&file, &to).map_err(|error| error.to_string())?;
        let _now_packed = fs::remove_file(&file);
        Ok((contents.bytes, size, hash))
    })
    .await?;
    let key = place::snapshot(&start.generation, start.number);
    store
        .put_file(&key, &packed)
        .await
        .map_err(|error| error.to_string())?;
    while shipped.number() < through {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let record = Record {
        generation: start.generation,
        number: start.number,
        previous: start.previous,
        through,
        time: time.0,
        bytes,
        packed: size,
        hash,
    };
    let key = place::snapshot_record(&record.generation, record.number);
    let text = serde_json::to_vec(&record).map_err(|error| error.to_string())?;
    store
        .put(&key, text.into())
        .await
        .map_err(|error| error.to_string())?;
    Ok(time)
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(f)
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
}

/// Compresses a file. Gives the size and the SHA-256 of what it made.
fn pack(from: &Path, to: &Path) -> io::Result<(u64, String)> {
    let mut source = File::open(from)?;
    let mut encoder = FrameEncoder::new(Hashing {
        inner: private(to)?,
        hash: Context::new(&SHA256),
        bytes: 0,
    });
    let mut block = vec![0; 1 << 20];
    loop {
        let count = source.read(&mut block)?;
        if count == 0 {
            break;
        }
        encoder.write_all(&block[..count])?;
    }
    let done = encoder.finish().map_err(io::Error::other)?;
    Ok((done.bytes, hex(done.hash.finish().as_ref())))
}

struct Hashing {
    inner: File,
    hash: Context,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(block)?;
        self.hash.update(&block[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
