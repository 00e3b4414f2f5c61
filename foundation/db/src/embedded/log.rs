//! The write-ahead log: how long it is, and writing it back into the file.
//!
//! ```text
//! writer thread:     batch, batch, .. --the log is long--> wake        --> .. batch --> the rest, a few pages --> the log begins anew
//! checkpoint thread:                                       write back, while batches go on
//! ```
//!
//! Writing back takes as long as the disk needs for pages all over the file; a thread of its own does it, so that no write waits for it.
//! What came meanwhile the writer itself writes back between two batches, for only when nothing is left does SQLite begin the log anew.
//!
//! A reader that never finishes keeps the log from beginning anew. It then grows to its bound, and writes are refused until the reader is gone.

use super::copy::CopySeam;
use super::fatal;
use super::metrics::Metrics;
use crate::error::{DbError, OpenError};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Frames after which the log is written back: about 16 MiB.
const LONG: u64 = 4_000;
/// Frames that the writer writes back itself between two batches, at least.
const REST: u64 = 256;
/// Bytes of a frame: a page and its header.
const FRAME: u64 = 4_096 + 24;
/// Between two tries to write back a log that is at its bound.
const AGAIN: Duration = Duration::from_millis(100);
/// How long writes wait for a copier to take the end of the log, before the rest of it is written back.
const COPY: Duration = Duration::from_millis(50);
/// The same when the database closes.
const LAST_COPY: Duration = Duration::from_secs(5);
/// Between two warnings.
const QUIET: Duration = Duration::from_secs(10);

/// The writer's side.
pub(crate) struct Log {
    /// Frames in the log after the last commit.
    frames: Arc<AtomicU64>,
    bound: u64,
    pass: Pass,
    done: Arc<AtomicU64>,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Frames at which to look again.
    next: u64,
    tried: Instant,
    warned: Option<Instant>,
    seam: CopySeam,
    metrics: Metrics,
}

/// What the checkpoint thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    None,
    /// How many frames were written back before.
    Running(u64),
}

/// The checkpoint thread is at work.
const AT_WORK: u64 = u64::MAX;

impl Log {
    /// Writes back what an earlier process left, and watches what `connection` writes. `bound` is in bytes.
    pub(crate) fn start(
        connection: &mut Connection,
        file: &Path,
        bound: u64,
        seam: CopySeam,
        metrics: Metrics,
    ) -> Result<Log, OpenError> {
        let refused = |error: rusqlite::Error| OpenError::Sqlite {
            path: file.to_owned(),
            reason: error.to_string(),
        };
        let frames = Arc::new(AtomicU64::new(0));
        let seen = frames.clone();
        connection
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
                seen.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(refused)?;
        // Frames whose sync failed in the process before may be in the system's memory alone, and would be taken for good; written back
        // they are written again.
        let left = write_back(connection).map_err(|error| {
            fatal::check(&error);
            refused(error)
        })?;
        frames.store(left.frames, Ordering::Relaxed);
        let own = open(file).map_err(refused)?;
        let (wake, woken) = sync_channel(1);
        let done = Arc::new(AtomicU64::new(0));
        let (told, seconds) = (done.clone(), metrics.clone());
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || work(&own, &woken, &told, &seconds))
            .map_err(|source| OpenError::Io {
                path: file.to_owned(),
                source,
            })?;
        Ok(Log {
            frames,
            bound: bound / FRAME,
            pass: Pass::None,
            done,
            wake: Some(wake),
            thread: Some(thread),
            next: LONG,
            tried: Instant::now(),
            warned: None,
            seam,
            metrics,
        })
    }

    fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Whether a batch may be written.
    pub(crate) fn room(&mut self, connection: &Connection) -> Result<(), DbError> {
        if self.frames() < self.bound {
            return Ok(());
        }
        if self.tried.elapsed() >= AGAIN && !self.at_work() {
            self.tried = Instant::now();
            if self.finish(connection) {
                return Ok(());
            }
        }
        self.warn();
        Err(DbError::Unavailable(format!(
            "its log has grown to {} MiB (limits.wal_bytes_max), because something reads from it without end or it can't be copied",
            (self.frames() * FRAME) >> 20
        )))
    }

    /// Looks at the log after a batch, and has it written back if it is long.
    pub(crate) fn look(&mut self, connection: &Connection) {
        let frames = self.frames();
        self.metrics
            .wal_bytes
            .set(i64::try_from(frames * FRAME).unwrap_or(i64::MAX));
        if frames < self.next.min(LONG) {
            self.next = LONG;
            if !self.at_work() {
                self.pass = Pass::None;
            }
            return;
        }
        if frames < self.next || self.at_work() {
            return;
        }
        match self.pass {
            Pass::None => self.begin(0),
            Pass::Running(before) => {
                let done = self.done.load(Ordering::Acquire);
                if frames.saturating_sub(done) <= REST.max(frames / 8) {
                    self.finish(connection);
                } else if done > before {
                    self.begin(done);
                } else {
                    self.pass = Pass::None;
                    self.next = frames + LONG / 4;
                    self.warn();
                }
            }
        }
    }

    fn at_work(&self) -> bool {
        self.done.load(Ordering::Acquire) == AT_WORK
    }

    /// Wakes the checkpoint thread. `done` frames are written back already.
    fn begin(&mut self, done: u64) {
        self.done.store(AT_WORK, Ordering::Release);
        self.pass = Pass::Running(done);
        if let Some(wake) = &self.wake {
            // It is not at work, so there is room for a word.
            let _ = wake.try_send(());
        }
    }

    /// Writes back all there is, here and now. True if nothing is left.
    fn finish(&mut self, connection: &Connection) -> bool {
        self.pass = Pass::None;
        // If the log began anew all the same, this is looked at again when it is long.
        self.next = self.frames() + LONG / 4;
        let start = Instant::now();
        if !self.seam.let_go(COPY) {
            return false;
        }
        let written = write_back(connection);
        self.seam
            .resume(written.as_ref().ok().map(|written| written.frames));
        self.metrics
            .checkpoint_stall_seconds
            .observe(start.elapsed().as_secs_f64());
        match written {
            Ok(written) => written.is_all(),
            Err(error) => {
                fatal::check(&error);
                tracing::warn!(%error, "the log could not be written back; it will be tried again");
                false
            }
        }
    }

    fn warn(&mut self) {
        if self.warned.is_some_and(|warned| warned.elapsed() < QUIET) {
            return;
        }
        self.warned = Some(Instant::now());
        tracing::warn!(
            wal.mib = (self.frames() * FRAME) >> 20,
            wal.mib_max = (self.bound * FRAME) >> 20,
            "the log can't be written back: something holds on to an old state of the file, as a backup or another program that has it open"
        );
    }

    /// Ends the thread, and writes everything back.
    pub(crate) fn close(&mut self, connection: &Connection) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread panicked");
        }
        if !self.seam.let_go(LAST_COPY) {
            // The next process finds it, and goes on copying.
            return;
        }
        let frames = write_back(connection).ok().map(|written| written.frames);
        let written = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = written {
            fatal::check(&error);
            tracing::warn!(%error, "the log could not be written back at the end");
        }
        self.seam.resume(frames);
    }
}

/// How much of the log is in the file.
struct Written {
    frames: u64,
    done: u64,
}

impl Written {
    fn is_all(&self) -> bool {
        self.frames == self.done
    }
}

/// Writes back what no reader needs any more, without waiting for anybody.
fn write_back(connection: &Connection) -> rusqlite::Result<Written> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        // Both are -1 while there is no log.
        let count = |index| row.get::<_, i64>(index).map(|count| count.max(0) as u64);
        Ok(Written {
            frames: count(1)?,
            done: count(2)?,
        })
    })
}

/// A connection without our functions: it runs no statement of anybody's.
fn open(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

fn work(connection: &Connection, woken: &Receiver<()>, done: &AtomicU64, metrics: &Metrics) {
    while woken.recv().is_ok() {
        let start = Instant::now();
        let written = write_back(connection);
        metrics
            .checkpoint_seconds
            .observe(start.elapsed().as_secs_f64());
        let count = match written {
            Ok(written) => written.done,
            Err(error) => {
                fatal::check(&error);
                tracing::warn!(%error, "the log could not be written back; it will be tried again");
                0
            }
        };
        done.store(count, Ordering::Release);
    }
}
