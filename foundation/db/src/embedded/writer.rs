//! The writer: one thread, one connection, commits in groups.
//!
//! What waits in the queue becomes one transaction: each request in its savepoint, one commit, one fsync, then all are answered. While
//! that fsync runs the next group gathers, so the more load there is, the less each write pays for its durability.

use super::connection::Alarm;
use super::deferred;
use super::error::sql_error;
use super::log::Log;
use super::metrics::Metrics;
use super::reader::deadline_passed;
use super::sequences::Sequences;
use crate::error::DbError;
use crate::planted::planted;
use pando_sql::SqlError;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::oneshot;

/// Transactions of one batch that SQLite may drop before the rest of the batch is given up.
const DROPS: u32 = 8;

/// A write that waits.
trait Job: Send {
    fn deadline(&self) -> Instant;
    /// Runs it, perhaps again.
    fn run(&mut self, connection: &Connection) -> Result<(), SqlError>;
    /// Tells whoever waits. Called once, after the commit.
    fn answer(self: Box<Self>, outcome: Result<(), DbError>);
}

type Exclusive = Box<dyn FnOnce(&mut Connection) + Send>;

enum Message {
    Write(Box<dyn Job>),
    /// Runs between two batches, with the connection to itself.
    Exclusive(Exclusive),
}

/// The way to the writer.
pub(crate) struct Writer {
    queue: Mutex<Option<SyncSender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    metrics: Metrics,
}

struct Closure<T, F> {
    deadline: Instant,
    run: F,
    out: Option<T>,
    sender: oneshot::Sender<Result<T, DbError>>,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, SqlError> + Send> Job for Closure<T, F> {
    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn run(&mut self, connection: &Connection) -> Result<(), SqlError> {
        self.out = None;
        self.out = Some((self.run)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), DbError>) {
        let Closure { out, sender, .. } = *self;
        let answer = outcome.and_then(|()| {
            out.ok_or_else(|| DbError::Unavailable("a write ended without an answer".to_owned()))
        });
        // Whoever asked may have gone; the write is done all the same.
        let _ = sender.send(answer);
    }
}

impl Writer {
    pub(crate) fn start(
        connection: Connection,
        alarm: Alarm,
        sequences: Sequences,
        log: Log,
        queue: usize,
        batch: usize,
        metrics: Metrics,
    ) -> std::io::Result<Writer> {
        let (sender, receiver) = sync_channel(queue);
        let thread_metrics = metrics.clone();
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                let mut worker = Worker {
                    connection,
                    alarm,
                    sequences,
                    log,
                    batch,
                    metrics: thread_metrics,
                };
                worker.work(&receiver);
            })?;
        Ok(Writer {
            queue: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            metrics,
        })
    }

    /// Runs a write in the next group. `f` may be run more than once; its last answer counts.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        f: impl FnMut(&Connection) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::Write(Box::new(Closure {
            deadline,
            run: f,
            out: None,
            sender,
        })))?;
        receiver.await.unwrap_or_else(|_| {
            Err(DbError::Unavailable(
                "a write ended without an answer".to_owned(),
            ))
        })
    }

    /// Runs `f` between two groups.
    pub(crate) async fn exclusive<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Result<T, DbError> {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::Exclusive(Box::new(move |connection| {
            let _ = sender.send(f(connection));
        })))?;
        receiver
            .await
            .map_err(|_| DbError::Unavailable("the writer ended without an answer".to_owned()))
    }

    fn send(&self, message: Message) -> Result<(), DbError> {
        let queue = self.queue.lock();
        let Some(sender) = queue.as_ref() else {
            return Err(DbError::Unavailable("the database is closing".to_owned()));
        };
        match sender.try_send(message) {
            Ok(()) => {
                self.metrics.writer_queue.inc();
                Ok(())
            }
            Err(TrySendError::Full(_)) => {
                self.metrics.overloaded.inc();
                Err(DbError::Overloaded)
            }
            Err(TrySendError::Disconnected(_)) => {
                Err(DbError::Unavailable("the writer has ended".to_owned()))
            }
        }
    }

    /// Lets the queue run out, writes the log back and ends the thread.
    pub(crate) fn close(&self) {
        drop(self.queue.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            // A writer that panicked has said so already.
            let _ = thread.join();
        }
    }
}

struct Worker {
    connection: Connection,
    alarm: Alarm,
    sequences: Sequences,
    log: Log,
    batch: usize,
    metrics: Metrics,
}

/// A write of the batch and what became of it; none while it is to be run.
struct Slot {
    job: Box<dyn Job>,
    outcome: Option<Result<(), DbError>>,
}

impl Worker {
    fn work(&mut self, receiver: &Receiver<Message>) {
        let mut slots = Vec::with_capacity(self.batch);
        while let Ok(message) = receiver.recv() {
            let mut next = Some(message);
            let mut exclusive = None;
            while let Some(message) = next {
                self.metrics.writer_queue.dec();
                match message {
                    Message::Write(job) => slots.push(Slot { job, outcome: None }),
                    Message::Exclusive(run) => {
                        exclusive = Some(run);
                        break;
                    }
                }
                next = if slots.len() < self.batch {
                    receiver.try_recv().ok()
                } else {
                    None
                };
            }
            if !slots.is_empty() {
                self.metrics.batch_writes.observe(slots.len() as f64);
                match self.log.room(&self.connection) {
                    Ok(()) => self.commit(&mut slots),
                    Err(full) => fail(&mut slots, &full),
                }
                answer(&mut slots);
            }
            if let Some(run) = exclusive
                && catch_unwind(AssertUnwindSafe(|| run(&mut self.connection))).is_err()
            {
                tracing::error!("a job of the writer panicked");
                self.roll_back();
            }
            self.log.look(&self.connection);
        }
        self.log.close(&self.connection);
    }

    fn execute(&self, sql: &str) -> Result<(), SqlError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map(|_| ())
            .map_err(sql_error)
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    /// Runs all slots in one transaction and commits it. Every slot has an outcome afterwards.
    fn commit(&mut self, slots: &mut Vec<Slot>) {
        let mut drops = 0;
        loop {
            match self.attempt(slots) {
                Attempt::Whole => break,
                Attempt::Dropped => {
                    drops += 1;
                    let again = slots
                        .iter_mut()
                        .filter(|slot| !matches!(slot.outcome, Some(Err(_))));
                    for slot in again {
                        slot.outcome = None;
                        self.metrics.reruns.inc();
                    }
                    if drops >= DROPS {
                        let reason = "too many failures in one batch".to_owned();
                        fail(slots, &DbError::Unavailable(reason));
                    }
                }
            }
        }
        if !slots
            .iter()
            .any(|slot| matches!(slot.outcome, Some(Ok(()))))
        {
            self.roll_back();
            return;
        }
        if planted("answer-before-fsync") {
            answer(slots);
        }
        let start = Instant::now();
        let committed = self
            .sequences
            .flush(&self.connection)
            .and_then(|()| self.execute("COMMIT"));
        self.metrics
            .commit_seconds
            .observe(start.elapsed().as_secs_f64());
        if let Err(error) = committed {
            tracing::error!(%error, "a commit failed; its writes are undone");
            self.roll_back();
            if planted("swallowed-failure") {
                return;
            }
            for slot in slots
                .iter_mut()
                .filter(|slot| matches!(slot.outcome, Some(Ok(()))))
            {
                slot.outcome = Some(Err(DbError::Unavailable(error.message.clone())));
            }
        } else {
            self.sequences.settle();
        }
    }

    fn attempt(&mut self, slots: &mut [Slot]) -> Attempt {
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            self.roll_back();
            fail(slots, &DbError::Unavailable(error.message));
            return Attempt::Whole;
        }
        for slot in slots.iter_mut().filter(|slot| slot.outcome.is_none()) {
            if Instant::now() >= slot.job.deadline() {
                self.metrics.deadlines.inc();
                slot.outcome = Some(Err(DbError::Deadline));
                continue;
            }
            let ran = self.savepoint(&mut slot.job);
            let dropped = self.connection.is_autocommit();
            slot.outcome = Some(match ran {
                Ok(()) if !dropped => Ok(()),
                Ok(()) => Err(DbError::Unavailable(
                    "the transaction was dropped".to_owned(),
                )),
                Err(error) if matches!(error.state.as_ref(), "53100" | "53200" | "58030") => {
                    Err(DbError::Unavailable(error.message))
                }
                Err(error) => {
                    let error = deadline_passed(error);
                    if matches!(error, DbError::Deadline) {
                        self.metrics.deadlines.inc();
                    }
                    Err(error)
                }
            });
            if dropped {
                return Attempt::Dropped;
            }
        }
        Attempt::Whole
    }

    /// One request in its savepoint. An error leaves the transaction as it was before, unless SQLite dropped it.
    fn savepoint(&self, job: &mut Box<dyn Job>) -> Result<(), SqlError> {
        self.execute("SAVEPOINT request")?;
        self.sequences.begin();
        self.alarm.set(job.deadline());
        let ran = catch_unwind(AssertUnwindSafe(|| job.run(&self.connection)));
        self.alarm.clear();
        let ran = ran.unwrap_or_else(|_| {
            tracing::error!("a write panicked");
            Err(SqlError::new("XX000", "internal error"))
        });
        // A foreign key that waits must not fail the batch it is committed with.
        let ran = ran.and_then(|()| {
            if deferred::is_broken(&self.connection) {
                Err(deferred::unexplained())
            } else {
                Ok(())
            }
        });
        if self.connection.is_autocommit() {
            return ran;
        }
        let undone = match &ran {
            Ok(()) => Ok(()),
            Err(_) => self.execute("ROLLBACK TO request"),
        };
        if let Err(error) = undone.and_then(|()| self.execute("RELEASE request")) {
            // What it wrote must not be committed with the others, who are run again without it.
            self.roll_back();
            return Err(error);
        }
        ran
    }
}

enum Attempt {
    /// Every slot has an outcome, and the transaction is open.
    Whole,
    /// SQLite rolled everything back; one slot has the blame.
    Dropped,
}

fn fail(slots: &mut [Slot], reason: &DbError) {
    for slot in slots.iter_mut().filter(|slot| slot.outcome.is_none()) {
        slot.outcome = Some(Err(reason.clone()));
    }
}

fn answer(slots: &mut Vec<Slot>) {
    for slot in slots.drain(..) {
        slot.job.answer(
            slot.outcome
                .unwrap_or_else(|| Err(DbError::Unavailable("the write was not run".to_owned()))),
        );
    }
}
