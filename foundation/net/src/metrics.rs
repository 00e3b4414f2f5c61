//! What is counted of requests and connections. Labels are routes, never paths, so their number is bounded.

use pando_telemetry::Registry;
use pando_telemetry::prometheus_client::encoding::EncodeLabelSet;
use pando_telemetry::prometheus_client::metrics::counter::Counter;
use pando_telemetry::prometheus_client::metrics::family::Family;
use pando_telemetry::prometheus_client::metrics::gauge::Gauge;
use pando_telemetry::prometheus_client::metrics::histogram::Histogram;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

fn latencies() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
    ])
}

/// Requests, their latency, and what is open.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<Labels, Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    pub(crate) connections: Gauge,
    pub(crate) in_flight: Gauge,
    pub(crate) panics: Counter,
    pub(crate) shed: Counter,
}

impl HttpMetrics {
    /// Adds them to the registry.
    pub fn register(registry: &mut Registry) -> HttpMetrics {
        let metrics = HttpMetrics {
            requests: Family::default(),
            latency: Family::new_with_constructor(latencies),
            connections: Gauge::default(),
            in_flight: Gauge::default(),
            panics: Counter::default(),
            shed: Counter::default(),
        };
        registry.register(
            "http_requests",
            "Requests answered, by route and status",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "From the head of a request to the head of its answer",
            metrics.latency.clone(),
        );
        registry.register(
            "http_connections",
            "Open client connections",
            metrics.connections.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests being answered",
            metrics.in_flight.clone(),
        );
        registry.register(
            "http_panics",
            "Requests whose handler panicked",
            metrics.panics.clone(),
        );
        registry.register(
            "http_requests_shed",
            "Requests refused because too many were in flight",
            metrics.shed.clone(),
        );
        metrics
    }

    pub(crate) fn record(
        &self,
        method: &'static str,
        route: &'static str,
        status: u16,
        latency: Duration,
    ) {
        self.requests
            .get_or_create(&Labels {
                method,
                route,
                status,
            })
            .inc();
        self.latency
            .get_or_create(&RouteLabels { method, route })
            .observe(latency.as_secs_f64());
    }
}
