//! What the engine counts.

use pando_telemetry::Registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// Bounds for stalls of the writer, seconds: close together around the 50 ms that they are held to.
const STALLS: [f64; 14] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.2, 0.5, 2.0,
];

/// Handles; recording is an atomic operation or two.
#[derive(Clone)]
pub(crate) struct Metrics {
    /// Writes waiting for the writer.
    pub writer_queue: Gauge,
    /// Writes of one commit.
    pub batch_writes: Histogram,
    /// Seconds of a commit, its fsync included.
    pub commit_seconds: Histogram,
    /// Bytes in the write-ahead log.
    pub wal_bytes: Gauge,
    /// Seconds of writing the log back beside the writer.
    pub checkpoint_seconds: Histogram,
    /// Seconds that the writer stood still to write back the rest of the log.
    pub checkpoint_stall_seconds: Histogram,
    /// Reads waiting for a reader.
    pub reader_queue: Gauge,
    /// Reads answered on the thread that asked.
    pub reads_in_place: Counter,
    /// Reads that went through the queue.
    pub reads_queued: Counter,
    /// Requests turned away by a full queue.
    pub overloaded: Counter,
    /// Statements stopped by their deadline.
    pub deadlines: Counter,
    /// Requests run again because another of their batch made SQLite drop the transaction.
    pub reruns: Counter,
}

impl Metrics {
    pub(crate) fn new(registry: &mut Registry) -> Metrics {
        let metrics = Metrics {
            writer_queue: Gauge::default(),
            batch_writes: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            commit_seconds: Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            wal_bytes: Gauge::default(),
            checkpoint_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            checkpoint_stall_seconds: Histogram::new(STALLS),
            reader_queue: Gauge::default(),
            reads_in_place: Counter::default(),
            reads_queued: Counter::default(),
            overloaded: Counter::default(),
            deadlines: Counter::default(),
            reruns: Counter::default(),
        };
        registry.register(
            "db_writer_queue",
            "Writes waiting for the writer",
            metrics.writer_queue.clone(),
        );
        registry.register(
            "db_batch_writes",
            "Writes that shared a commit",
            metrics.batch_writes.clone(),
        );
        registry.register(
            "db_commit_seconds",
            "Time of a commit, its fsync included",
            metrics.commit_seconds.clone(),
        );
        registry.register(
            "db_wal_bytes",
            "Length of the write-ahead log",
            metrics.wal_bytes.clone(),
        );
        registry.register(
            "db_checkpoint_seconds",
            "Time of writing the log back, beside the writer",
            metrics.checkpoint_seconds.clone(),
        );
        registry.register(
            "db_checkpoint_stall_seconds",
            "Time the writer stood still to write back the rest of the log",
            metrics.checkpoint_stall_seconds.clone(),
        );
        registry.register(
            "db_reader_queue",
            "Reads waiting for a reader",
            metrics.reader_queue.clone(),
        );
        registry.register(
            "db_reads_in_place",
            "Reads answered on the thread that asked",
            metrics.reads_in_place.clone(),
        );
        registry.register(
            "db_reads_queued",
            "Reads that went through the queue",
            metrics.reads_queued.clone(),
        );
        registry.register(
            "db_overloaded",
            "Requests turned away by a full queue",
            metrics.overloaded.clone(),
        );
        registry.register(
            "db_deadlines",
            "Statements stopped by their deadline",
            metrics.deadlines.clone(),
        );
        registry.register(
            "db_reruns",
            "Writes run again after another of their batch made SQLite drop it",
            metrics.reruns.clone(),
        );
        metrics
    }
}
