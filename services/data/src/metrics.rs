//! What the service counts. Requests by route, status and latency are counted by `net`.

use pando_telemetry::Registry;
use prometheus_client::metrics::counter::Counter;

/// Counters of the REST service.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Requests whose shape was planned already.
    pub plan_hits: Counter,
    /// Requests that had to be planned.
    pub plan_misses: Counter,
}

impl Metrics {
    /// Counters that `/metrics` shows.
    pub fn register(registry: &mut Registry) -> Metrics {
        let metrics = Metrics::default();
        registry.register(
            "data_plan_hits",
            "Requests whose shape was planned already",
            metrics.plan_hits.clone(),
        );
        registry.register(
            "data_plan_misses",
            "Requests that had to be planned",
            metrics.plan_misses.clone(),
        );
        metrics
    }
}
