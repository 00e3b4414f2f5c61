//! What is counted of copies.

use pando_telemetry::Registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::atomic::AtomicU64;

/// Handles; recording is an atomic operation.
#[derive(Clone, Default)]
pub struct Metrics {
    /// When the last scheduled backup was verified.
    pub last_success: Gauge<f64, AtomicU64>,
    /// Scheduled backups that failed.
    pub failures: Counter,
    /// Age of the oldest commit that the store does not have.
    pub lag: Gauge<f64, AtomicU64>,
    /// Segments the store has.
    pub segments: Counter,
    /// Their bytes.
    pub bytes: Counter,
    /// Requests to the store that failed.
    pub copy_failures: Counter,
    /// Generations given up.
    pub given_up: Counter,
    /// When the last snapshot of the generation was complete.
    pub last_snapshot: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// Adds them to the registry.
    pub fn register(registry: &mut Registry) -> Metrics {
        let metrics = Metrics::default();
        registry.register(
            "backup_last_success_timestamp_seconds",
            "When the last scheduled backup was verified",
            metrics.last_success.clone(),
        );
        registry.register(
            "backup_failures",
            "Scheduled backups that failed",
            metrics.failures.clone(),
        );
        registry.register(
            "backup_copy_lag_seconds",
            "Age of the oldest commit that the continuous copy does not have",
            metrics.lag.clone(),
        );
        registry.register(
            "backup_copy_segments",
            "Segments of the log that were copied",
            metrics.segments.clone(),
        );
        registry.register(
            "backup_copy_bytes",
            "Bytes of the segments that were copied",
            metrics.bytes.clone(),
        );
        registry.register(
            "backup_copy_failures",
            "Requests of the continuous copy that the store did not do",
            metrics.copy_failures.clone(),
        );
        registry.register(
            "backup_copy_given_up",
            "Generations of the continuous copy that were given up",
            metrics.given_up.clone(),
        );
        registry.register(
            "backup_copy_snapshot_timestamp_seconds",
            "When the last snapshot of the continuous copy was complete",
            metrics.last_snapshot.clone(),
        );
        metrics
    }
}

/// Now, as a gauge holds it.
pub(crate) fn seconds(time: pando_kernel::Timestamp) -> f64 {
    time.0 as f64 / 1e6
}
