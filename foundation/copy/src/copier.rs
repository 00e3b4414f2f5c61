//! The copier: follows the log on a thread of its own and hands what it takes to the task that ships it.

use crate::begin::{End, find_end};
use crate::metrics::{Metrics, seconds};
use crate::place;
use crate::segment::encode;
use crate::ship::Ship;
use crate::snapshot::{Making, Start, clean};
use crate::state::{Clean, Fingerprint, State};
use pando_blob::Store;
use pando_db::{CopySeam, Tail, TailError};
use pando_kernel::{Clock, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Pages that become one segment, bytes; one transaction is never parted.
const SEGMENT_BYTES: usize = 8 << 20;
/// How long the end of a server waits for the last segments.
const LAST: Duration = Duration::from_secs(10);
/// Between two looks while the store is asked something.
const LOOK: Duration = Duration::from_millis(50);
/// Between two tries to begin, or to make a snapshot.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What is copied where, and how often.
#[derive(Clone)]
pub struct CopySettings {
    /// The data directory.
    pub directory: PathBuf,
    /// Where copies go.
    pub store: Store,
    /// Between two looks at the log.
    pub interval: Duration,
    /// Between two snapshots.
    pub snapshot_every: Duration,
    /// How long ago a moment may be that can still be restored.
    pub keep: Duration,
    /// A log that grew so long because the store is away is not kept for it any longer.
    pub log_bytes_max: u64,
}

/// What an earlier server left. It is read before the database is opened, which may change the file.
pub struct Known(Option<State>);

impl Known {
    /// Looks at a data directory.
    pub fn read(directory: &Path) -> Known {
        let file = pando_db::database_file(directory);
        Known(State::read(directory).map(|mut state| {
            state.clean = state
                .clean
                .filter(|clean| Fingerprint::of(&file).is_ok_and(|now| now == clean.file));
            state
        }))
    }
}

/// A copier at work.
pub struct Copier {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Copier {
    /// Takes hold of the log, so that nothing passes unseen from here on, and begins. Must be called on a Tokio runtime. `tail` is what held
    /// the log before the database was opened, `known` what was known then.
    pub fn start(
        settings: CopySettings,
        seam: CopySeam,
        tail: Option<Tail>,
        known: Known,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Copier, TailError> {
        let tail = match tail {
            Some(tail) => tail,
            None => Tail::attach(&settings.directory, seam.clone())?,
        };
        let known = known
            .0
            .filter(|state| state.place == settings.store.to_string());
        // A log that began after everything was copied is new from its start, as long as nothing of it was written back into the file.
        let untouched = known.as_ref().and_then(|state| state.clean.clone());
        clean(&settings.directory);
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            settings,
            seam,
            clock,
            metrics,
            runtime: Handle::current(),
            stop: stop.clone(),
            generation: known.map(|state| state.generation),
            untouched,
        };
        let thread = std::thread::Builder::new()
            .name("copier".to_owned())
            .spawn(move || worker.work(tail))?;
        Ok(Copier { stop, thread })
    }

    /// Copies what is left, for some seconds at most, and ends. The database is closed before.
    pub async fn stop(self) {
        self.stop.store(true, Ordering::Release);
        let joined = tokio::task::spawn_blocking(move || self.thread.join());
        if !matches!(joined.await, Ok(Ok(()))) {
            tracing::error!("the copier did not end cleanly");
        }
    }
}

struct Worker {
    settings: CopySettings,
    seam: CopySeam,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    runtime: Handle,
    stop: Arc<AtomicBool>,
    /// The one to go on with, until it is given up.
    generation: Option<String>,
    /// How the last server left the file, if nobody has touched it since.
    untouched: Option<Clean>,
}

/// Where the row of segments stands.
struct Row {
    generation: String,
    number: u64,
    previous: String,
    time: Timestamp,
    snapshot: Option<Timestamp>,
}

/// Why a generation is no longer followed.
enum Ended {
    Stopped,
    /// With the reason.
    GivenUp(String),
}

impl From<TailError> for Ended {
    fn from(error: TailError) -> Ended {
        Ended::GivenUp(error.to_string())
    }
}

impl Worker {
    fn work(mut self, tail: Tail) {
        let mut tail = Some(tail);
        let mut pause = PAUSE_MIN;
        loop {
            let attached = match tail.take() {
                Some(tail) => Ok(tail),
                None => Tail::attach(&self.settings.directory, self.seam.clone()),
            };
            let began = Instant::now();
            let ended = match attached {
                Ok(tail) => self.live(tail),
                Err(error) => Ended::from(error),
            };
            let Ended::GivenUp(reason) = ended else {
                return;
            };
            self.generation = None;
            self.untouched = None;
            self.metrics.given_up.inc();
            tracing::error!(
                store = %self.settings.store,
                reason,
                "the continuous copy was broken off; a new one begins with a snapshot as soon as the store takes it. Until then \
                 only what was copied so far can be restored"
            );
            if began.elapsed() > PAUSE_MAX {
                pause = PAUSE_MIN;
            }
            if self.sleep(pause) {
                return;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// True if it is to stop.
    fn sleep(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        while !self.stop.load(Ordering::Acquire) {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }

    fn live(&mut self, mut tail: Tail) -> Ended {
        let followed = self
            .begin(&mut tail)
            .and_then(|row| row.map_or(Ok(()), |row| self.follow(tail, row)));
        match followed {
            Ok(()) => Ended::Stopped,
            Err(ended) => ended,
        }
    }

    /// Finds where to go on. None if it is to stop.
    fn begin(&mut self, tail: &mut Tail) -> Result<Option<Row>, Ended> {
        if let Some(generation) = self.generation.clone() {
            let Some(end) = self.end_of(tail, &generation)? else {
                return Ok(None);
            };
            if let Some(row) = self.resume(tail, generation, end)? {
                tracing::info!(store = %self.settings.store, generation = row.generation, "the continuous copy goes on");
                return Ok(Some(row));
            }
            tracing::warn!(
                "what was written since the last continuous copy may have passed it; a new one begins with a snapshot"
            );
        }
        tail.skip()?;
        let now = self.clock.now();
        let generation = place::generation(now);
        self.remember(&generation, None)
            .map_err(|error| Ended::GivenUp(error.to_string()))?;
        self.generation = Some(generation.clone());
        tracing::info!(store = %self.settings.store, generation, "a continuous copy begins");
        Ok(Some(Row {
            previous: generation.clone(),
            generation,
            number: 0,
            time: now,
            snapshot: None,
        }))
    }

    fn resume(
        &mut self,
        tail: &mut Tail,
        generation: String,
        end: End,
    ) -> Result<Option<Row>, Ended> {
        let number = end.last.as_ref().map_or(0, |(head, _)| head.number);
        let untouched = self.untouched.take();
        if untouched.is_some_and(|clean| clean.number == number) {
            tail.resume_at_start()?;
        } else {
            let Some((head, _)) = &end.last else {
                return Ok(None);
            };
            if !tail.resume(head.to)? {
                return Ok(None);
            }
        }
        let (time, previous) = match end.last {
            Some((head, hash)) => (head.time(), hash),
            None => (self.clock.now(), generation.clone()),
        };
        Ok(Some(Row {
            generation,
            number,
            previous,
            time,
            snapshot: end.snapshot.map(Timestamp),
        }))
    }

    /// Asks the store until it answers.
    fn end_of(&self, tail: &Tail, generation: &str) -> Result<Option<End>, Ended> {
        let mut pause = PAUSE_MIN;
        let mut told = false;
        loop {
            let (store, name) = (self.settings.store.clone(), generation.to_owned());
            let asking = self
                .runtime
                .spawn(async move { find_end(&store, &name).await });
            while !asking.is_finished() {
                if self.stop.load(Ordering::Acquire) {
                    return Ok(None);
                }
                self.stay(tail, LOOK);
            }
            match self.runtime.block_on(asking) {
                Ok(Ok(end)) => return Ok(Some(end)),
                Ok(Err(error)) => {
                    self.metrics.copy_failures.inc();
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(%error, "the continuous copy can't go on yet; writes go on, and the log is kept for it until it is too long");
                    }
                }
                Err(error) => return Err(Ended::GivenUp(error.to_string())),
            }
            let until = Instant::now() + pause;
            while Instant::now() < until {
                if self.stop.load(Ordering::Acquire) {
                    return Ok(None);
                }
                self.stay(tail, LOOK);
                self.check_log(tail)?;
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Waits, and lets nobody have the log meanwhile.
    fn stay(&self, tail: &Tail, wait: Duration) {
        if tail.wait(wait) {
            tail.keep();
        }
    }

    fn check_log(&self, tail: &Tail) -> Result<(), Ended> {
        let bytes = tail.log_bytes();
        if bytes < self.settings.log_bytes_max {
            return Ok(());
        }
        Err(Ended::GivenUp(format!(
            "the store has been away for so long that the log has grown to {} MiB",
            bytes >> 20
        )))
    }

    fn follow(&mut self, mut tail: Tail, mut row: Row) -> Result<(), Ended> {
        let ship = Ship::start(
            &self.runtime,
            self.settings.store.clone(),
            row.number,
            self.metrics.clone(),
        );
        let mut snapshots = Snapshots::new(&row, self.settings.snapshot_every, self.clock.now());
        let mut stopped = None;
        let outcome = loop {
            let stopping = self.stop.load(Ordering::Acquire);
            let asked = !stopping && tail.wait(self.settings.interval);
            if let Some(reason) = ship.failed() {
                break Err(Ended::GivenUp(reason));
            }
            let all = match self.take(&mut tail, &mut row, &ship) {
                Ok(all) => all,
                Err(error) => break Err(error.into()),
            };
            self.metrics.lag.set(ship.lag().as_secs_f64());
            if asked && all {
                if let Err(error) = tail.hand_over() {
                    break Err(error.into());
                }
            } else if asked {
                tail.keep();
            }
            if !all && let Err(ended) = self.check_log(&tail) {
                break Err(ended);
            }
            snapshots.look(self, &row, &ship, all);
            if stopping {
                // Without its first snapshot nothing of a generation can be restored.
                let last = *stopped.get_or_insert_with(Instant::now) + LAST;
                if row.snapshot.is_some() || snapshots.made || Instant::now() >= last {
                    break Ok(all);
                }
                std::thread::sleep(LOOK);
            }
        };
        snapshots.abandon();
        if outcome? {
            self.finish(tail, &row, &ship);
        }
        Ok(())
    }

    /// Hands what was committed to the ship. True if that was all.
    fn take(&self, tail: &mut Tail, row: &mut Row, ship: &Ship) -> Result<bool, TailError> {
        while !ship.is_full() {
            let seen = Instant::now();
            let Some(taken) = tail.take(SEGMENT_BYTES)? else {
                return Ok(true);
            };
            // A clock that was set back does not part what belongs together.
            row.time = self.clock.now().max(row.time);
            row.number += 1;
            let segment = encode(&taken, &row.generation, row.number, &row.previous, row.time);
            row.previous.clone_from(&segment.hash);
            ship.push(segment, seen);
            if !taken.more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits for the last segments, and remembers that nothing is missing, so that the next server goes on.
    fn finish(&self, tail: Tail, row: &Row, ship: &Ship) {
        let until = Instant::now() + LAST;
        while !ship.is_empty() && ship.failed().is_none() {
            if Instant::now() >= until {
                tracing::warn!(
                    "the store did not take the last of the continuous copy in time; it is copied at the next start if the log still holds it"
                );
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let written_back = tail.log_bytes() == 0;
        drop(tail);
        let file = pando_db::database_file(&self.settings.directory);
        if written_back
            && let Err(error) = Fingerprint::of(&file).and_then(|file| {
                let number = row.number;
                self.remember(&row.generation, Some(Clean { number, file }))
            })
        {
            tracing::warn!(%error, "the next continuous copy will begin with a snapshot");
        }
    }

    fn remember(&self, generation: &str, clean: Option<Clean>) -> std::io::Result<()> {
        State {
            place: self.settings.store.to_string(),
            generation: generation.to_owned(),
            clean,
        }
        .write(&self.settings.directory)
    }
}

/// When the next snapshot is due, and the one that is being made.
struct Snapshots {
    making: Option<Making>,
    due: Instant,
    pause: Duration,
    /// The segment of the last one: without commits since, no other is needed.
    number: Option<u64>,
    every: Duration,
    /// Whether one was made.
    made: bool,
}

impl Snapshots {
    fn new(row: &Row, every: Duration, now: Timestamp) -> Snapshots {
        let age = row.snapshot.map(|made| {
            let micros = u64::try_from(now.0 - made.0).unwrap_or_default();
            Duration::from_micros(micros)
        });
        Snapshots {
            making: None,
            due: Instant::now() + age.map_or(Duration::ZERO, |age| every.saturating_sub(age)),
            pause: PAUSE_MIN,
            number: None,
            every,
            made: false,
        }
    }

    fn look(&mut self, worker: &Worker, row: &Row, ship: &Ship, all: bool) {
        match self.making.take() {
            None => {
                if Instant::now() >= self.due && self.number != Some(row.number) {
                    let start = Start {
                        generation: row.generation.clone(),
                        number: row.number,
                        previous: row.previous.clone(),
                    };
                    self.number = Some(row.number);
                    self.making = Some(Making::begin(
                        &worker.runtime,
                        worker.settings.directory.clone(),
                        worker.settings.store.clone(),
                        start,
                        ship.shipped(),
                        worker.settings.keep,
                        worker.clock.clone(),
                    ));
                }
            }
            Some(making) if making.is_finished() => match making.outcome(&worker.runtime) {
                Ok(time) => {
                    self.due = Instant::now() + self.every;
                    self.pause = PAUSE_MIN;
                    self.made = true;
                    worker.metrics.last_snapshot.set(seconds(time));
                    tracing::info!(
                        generation = row.generation,
                        "the continuous copy has a snapshot; it can be restored from {time} on"
                    );
                }
                Err(error) => {
                    worker.metrics.copy_failures.inc();
                    self.number = None;
                    self.due = Instant::now() + self.pause;
                    self.pause = (self.pause * 2).min(PAUSE_MAX);
                    tracing::error!(
                        error,
                        "the snapshot of the continuous copy could not be made, and is tried again; mind the space on the data \
                         directory's disk and in the store"
                    );
                }
            },
            Some(mut making) => {
                if all && making.wants_through() {
                    making.tell_through(row.number, worker.clock.now().max(row.time));
                }
                self.making = Some(making);
            }
        }
    }

    fn abandon(&mut self) {
        if let Some(making) = self.making.take() {
            making.abandon();
        }
    }
}
