//! Readers: quick reads run on the thread that asks, the rest on threads of their own behind a bounded queue.

use super::connection::{Alarm, Mode, open};
use super::metrics::Metrics;
use crate::error::{DbError, OpenError};
use pando_sql::SqlError;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a read may hold the thread that asks. What takes longer is stopped and starts again in the queue.
const IN_PLACE: Duration = Duration::from_micros(1_500);

type Job = Box<dyn FnOnce(&mut Reader) + Send>;

/// A reading connection.
pub(crate) struct Reader {
    connection: Connection,
    alarm: Alarm,
}

impl Reader {
    fn run<T>(
        &self,
        deadline: Instant,
        f: impl FnOnce(&Connection) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        self.alarm.set(deadline);
        let answer = f(&self.connection);
        self.alarm.clear();
        answer
    }
}

/// All readers of a database.
pub(crate) struct Readers {
    in_place: Vec<Mutex<Reader>>,
    queue: Mutex<Option<SyncSender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    metrics: Metrics,
}

/// What became of a read tried on the thread that asks.
pub(crate) enum Tried<T> {
    /// It is answered.
    Done(Result<T, SqlError>),
    /// All connections are in use.
    Busy,
    /// It took too long.
    Slow,
}

impl Readers {
    pub(crate) fn open(
        file: &Path,
        threads: usize,
        queue: usize,
        metrics: Metrics,
    ) -> Result<Readers, OpenError> {
        let reader =
            |mode| open(file, mode).map(|(connection, alarm)| Reader { connection, alarm });
        let in_place = (0..threads)
            .map(|_| reader(Mode::ReadInPlace).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        let (sender, receiver) = sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut handles = Vec::with_capacity(threads);
        for index in 0..threads {
            let (receiver, metrics, mut reader) =
                (receiver.clone(), metrics.clone(), reader(Mode::Read)?);
            let spawned = std::thread::Builder::new()
                .name(format!("reader-{index}"))
                .spawn(move || work(&receiver, &metrics, &mut reader));
            handles.push(spawned.map_err(|source| OpenError::Io {
                path: file.to_owned(),
                source,
            })?);
        }
        Ok(Readers {
            in_place,
            queue: Mutex::new(Some(sender)),
            threads: Mutex::new(handles),
            metrics,
        })
    }

    /// Tries a read on this thread, if a connection is free and as long as it is quick.
    pub(crate) fn try_in_place<T>(
        &self,
        deadline: Instant,
        f: impl FnOnce(&Connection) -> Result<T, SqlError>,
    ) -> Tried<T> {
        let Some(reader) = self.in_place.iter().find_map(Mutex::try_lock) else {
            return Tried::Busy;
        };
        let short = Instant::now() + IN_PLACE;
        match reader.run(short.min(deadline), f) {
            Err(error) if error.state == "57014" => Tried::Slow,
            answer => {
                self.metrics.reads_in_place.inc();
                Tried::Done(answer)
            }
        }
    }

    /// Runs a read on a reader thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        f: impl FnOnce(&Connection) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (sender, receiver) = oneshot::channel();
        let metrics = self.metrics.clone();
        let job: Job = Box::new(move |reader| {
            if sender.is_closed() {
                return;
            }
            let answer = if Instant::now() >= deadline {
                Err(DbError::Deadline)
            } else {
                reader.run(deadline, f).map_err(deadline_passed)
            };
            if matches!(answer, Err(DbError::Deadline)) {
                metrics.deadlines.inc();
            }
            // Whoever asked may have gone.
            let _ = sender.send(answer);
        });
        let Some(queue) = self.queue.lock().clone() else {
            return Err(closed());
        };
        match queue.try_send(job) {
            Ok(()) => {
                self.metrics.reader_queue.inc();
                self.metrics.reads_queued.inc();
            }
            Err(TrySendError::Full(_)) => {
                self.metrics.overloaded.inc();
                return Err(DbError::Overloaded);
            }
            Err(TrySendError::Disconnected(_)) => return Err(closed()),
        }
        receiver.await.unwrap_or_else(|_| {
            Err(DbError::Unavailable(
                "a read ended without an answer".to_owned(),
            ))
        })
    }

    /// Lets the queue run out and ends the threads.
    pub(crate) fn close(&self) {
        drop(self.queue.lock().take());
        for thread in self.threads.lock().drain(..) {
            // A reader that panicked has said so already.
            let _ = thread.join();
        }
    }
}

/// A statement stopped by its deadline is told apart from one that failed.
pub(crate) fn deadline_passed(error: SqlError) -> DbError {
    if error.state == "57014" {
        DbError::Deadline
    } else {
        DbError::Sql(error)
    }
}

fn closed() -> DbError {
    DbError::Unavailable("the database is closing".to_owned())
}

fn work(receiver: &Mutex<Receiver<Job>>, metrics: &Metrics, reader: &mut Reader) {
    loop {
        let next = receiver.lock().recv();
        let Ok(job) = next else { return };
        metrics.reader_queue.dec();
        // A panic ends the request that caused it: its sender is dropped, and whoever waits is told.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(reader))).is_err() {
            tracing::error!("a read panicked");
        }
    }
}
