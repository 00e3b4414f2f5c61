//! The load: closed-loop for the peak, open-loop for the latency people would see below it.

use crate::client::Connection;
use crate::random::Random;
use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Renders the next request of a workload.
pub type Requests = Rc<dyn Fn(&mut Random) -> Vec<u8>>;

/// What a run showed.
pub struct Run {
    /// Answers with the wanted status.
    pub answered: u64,
    /// Answers with another status, and the first of them.
    pub refused: u64,
    /// The status of one refusal.
    pub refusal: Option<u16>,
    /// How long it ran.
    pub elapsed: Duration,
    /// Latencies in microseconds; open-loop ones count from when the request was due.
    pub latency: Histogram<u64>,
}

impl Run {
    fn new() -> Self {
        Self {
            answered: 0,
            refused: 0,
            refusal: None,
            elapsed: Duration::ZERO,
            latency: Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are valid"),
        }
    }

    fn record(&mut self, status: u16, latency: Duration) {
        if (200..300).contains(&status) {
            self.answered += 1;
        } else {
            self.refused += 1;
            self.refusal.get_or_insert(status);
        }
        self.latency.saturating_record(
            u64::try_from(latency.as_micros())
                .unwrap_or(u64::MAX)
                .max(1),
        );
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64()
    }
}

/// Each of `connections` sends its next request as soon as the last is answered, for `duration`.
pub async fn closed(
    address: SocketAddr,
    requests: Requests,
    connections: usize,
    duration: Duration,
    seed: u64,
) -> Result<Run> {
    let run = Rc::new(RefCell::new(Run::new()));
    let local = tokio::task::LocalSet::new();
    let start = Instant::now();
    let end = start + duration;
    local
        .run_until(async {
            let mut tasks = Vec::with_capacity(connections);
            for index in 0..connections {
                let (run, requests) = (run.clone(), requests.clone());
                tasks.push(tokio::task::spawn_local(async move {
                    let mut random =
                        Random::new(seed ^ (index as u64 + 1).wrapping_mul(0x9E37_79B9));
                    let mut connection = Connection::open(address).await?;
                    loop {
                        let request = requests(&mut random);
                        let sent = Instant::now();
                        if sent >= end {
                            return Ok::<_, anyhow::Error>(());
                        }
                        let status = connection.send(&request).await?;
                        run.borrow_mut().record(status, sent.elapsed());
                    }
                }));
            }
            for task in tasks {
                task.await??;
            }
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    let elapsed = start.elapsed();
    finish(run, elapsed)
}

/// Requests fall due at `rate` a second however long answers take, so that a stall is paid by everybody who had to wait for it.
pub async fn open(
    address: SocketAddr,
    requests: Requests,
    connections: usize,
    rate: f64,
    duration: Duration,
    seed: u64,
) -> Result<Run> {
    let run = Rc::new(RefCell::new(Run::new()));
    let local = tokio::task::LocalSet::new();
    // Connecting is no part of what is measured.
    let start = Instant::now() + Duration::from_millis(500);
    let between = Duration::from_secs_f64(connections as f64 / rate);
    local
        .run_until(async {
            let mut tasks = Vec::with_capacity(connections);
            for index in 0..connections {
                let (run, requests) = (run.clone(), requests.clone());
                let phase = between.mul_f64(index as f64 / connections as f64);
                tasks.push(tokio::task::spawn_local(async move {
                    let mut random =
                        Random::new(seed ^ (index as u64 + 1).wrapping_mul(0x9E37_79B9));
                    let mut connection = Connection::open(address).await?;
                    let mut due = start + phase;
                    while due < start + duration {
                        tokio::time::sleep_until(due.into()).await;
                        let request = requests(&mut random);
                        // The timer ticks in whole milliseconds: a request that left late by the timer's fault counts from when it left.
                        let now = Instant::now();
                        let from = if now.duration_since(due) < Duration::from_millis(2) {
                            now
                        } else {
                            due
                        };
                        let status = connection.send(&request).await?;
                        run.borrow_mut().record(status, from.elapsed());
                        due += between;
                    }
                    Ok::<_, anyhow::Error>(())
                }));
            }
            for task in tasks {
                task.await??;
            }
            Ok::<_, anyhow::Error>(())
        })
        .await?;
    let elapsed = start.elapsed();
    finish(run, elapsed)
}

fn finish(run: Rc<RefCell<Run>>, elapsed: Duration) -> Result<Run> {
    let Ok(run) = Rc::try_unwrap(run) else {
        bail!("a task outlived its run");
    };
    let mut run = run.into_inner();
    run.elapsed = elapsed;
    Ok(run)
}
