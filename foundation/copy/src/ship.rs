//! Segments on their way to the store: one after the other, each until the store has it.

use crate::metrics::Metrics;
use crate::place;
use crate::segment::Segment;
use pando_blob::{Store, StoreError};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Memory for segments that wait. When it is used up, the log keeps what follows.
const BYTES_MAX: usize = 32 << 20;
/// Between two tries.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Between two lines in the log about a store that stays away.
const TELL_EVERY: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Waiting {
    queue: VecDeque<(Segment, Instant)>,
    bytes: usize,
    /// The last segment the store has.
    shipped: u64,
    /// Why nothing more will be shipped.
    failed: Option<String>,
}

/// The queue and the task that empties it. Dropped, it ships no more.
pub(crate) struct Ship {
    waiting: Arc<Mutex<Waiting>>,
    more: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

/// Tells how far it is, to those who wait for it.
#[derive(Clone)]
pub(crate) struct Shipped(Arc<Mutex<Waiting>>);

impl Shipped {
    pub(crate) fn number(&self) -> u64 {
        self.0.lock().shipped
    }
}

impl Ship {
    /// `shipped` is the last segment that is there already.
    pub(crate) fn start(
        runtime: &tokio::runtime::Handle,
        store: Store,
        shipped: u64,
        metrics: Metrics,
    ) -> Ship {
        let waiting = Arc::new(Mutex::new(Waiting {
            shipped,
            ..Waiting::default()
        }));
        let more = Arc::new(Notify::new());
        let task = runtime.spawn(work(store, waiting.clone(), more.clone(), metrics));
        Ship {
            waiting,
            more,
            task,
        }
    }

    pub(crate) fn push(&self, segment: Segment, seen: Instant) {
        let mut waiting = self.waiting.lock();
        waiting.bytes += segment.body.len();
        waiting.queue.push_back((segment, seen));
        self.more.notify_one();
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.lock().bytes >= BYTES_MAX
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.lock().queue.is_empty()
    }

    /// Age of the oldest that waits.
    pub(crate) fn lag(&self) -> Duration {
        let waiting = self.waiting.lock();
        waiting
            .queue
            .front()
            .map_or(Duration::ZERO, |(_, seen)| seen.elapsed())
    }

    pub(crate) fn failed(&self) -> Option<String> {
        self.waiting.lock().failed.clone()
    }

    pub(crate) fn shipped(&self) -> Shipped {
        Shipped(self.waiting.clone())
    }
}

impl Drop for Ship {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn work(store: Store, waiting: Arc<Mutex<Waiting>>, more: Arc<Notify>, metrics: Metrics) {
    let mut pause = PAUSE_MIN;
    let mut told: Option<Instant> = None;
    loop {
        let next = waiting.lock().queue.front().map(|(next, _)| next.clone());
        let Some(segment) = next else {
            more.notified().await;
            continue;
        };
        let key = place::segment(&segment.head.generation, segment.head.number);
        let size = segment.body.len();
        match store.create(&key, segment.body).await {
            Ok(()) => {
                if told.take().is_some() {
                    tracing::info!(%store, "the continuous copy goes on");
                }
                pause = PAUSE_MIN;
                metrics.segments.inc();
                metrics.bytes.inc_by(size as u64);
                let mut waiting = waiting.lock();
                waiting.queue.pop_front();
                waiting.bytes -= size;
                waiting.shipped = segment.head.number;
            }
            Err(error @ StoreError::Exists { .. }) => {
                waiting.lock().failed = Some(error.to_string());
                return;
            }
            Err(error) => {
                metrics.copy_failures.inc();
                if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                    told = Some(Instant::now());
                    tracing::warn!(
                        %error,
                        "the continuous copy stands still; writes go on, and the log is kept for it until it is too long"
                    );
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}
