//! What the service counts. Names come out as `pando_auth_<what>`.

use pando_telemetry::Registry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// One label: how it went.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

/// The service's metrics; clones count into the same place.
#[derive(Clone, Debug)]
pub struct Metrics {
    sign_ins: Family<Outcome, Counter>,
    refreshes: Family<Outcome, Counter>,
    mails: Family<Outcome, Counter>,
    limited: Counter,
    hash_seconds: Histogram,
}

impl Metrics {
    /// Adds them to the process's registry.
    pub fn register(registry: &mut Registry) -> Metrics {
        let metrics = Metrics {
            sign_ins: Family::default(),
            refreshes: Family::default(),
            mails: Family::default(),
            limited: Counter::default(),
            hash_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 12)),
        };
        registry.register(
            "auth_sign_ins",
            "Sign-ins with a password by result",
            metrics.sign_ins.clone(),
        );
        registry.register(
            "auth_refreshes",
            "Refreshes of a session by result",
            metrics.refreshes.clone(),
        );
        registry.register("auth_mails", "Mails by result", metrics.mails.clone());
        registry.register(
            "auth_limited",
            "Requests refused by a limit on credential routes",
            metrics.limited.clone(),
        );
        registry.register(
            "auth_hash_seconds",
            "Time to hash or compare a password, waiting included",
            metrics.hash_seconds.clone(),
        );
        metrics
    }

    /// A sign-in with a password was `ok`, `wrong` or `refused`.
    pub fn count_sign_in(&self, result: &'static str) {
        self.sign_ins.get_or_create(&Outcome { result }).inc();
    }

    /// A refresh was `ok`, `repeated`, `reused` or `refused`.
    pub fn count_refresh(&self, result: &'static str) {
        self.refreshes.get_or_create(&Outcome { result }).inc();
    }

    /// A mail was sent or not.
    pub fn count_mail(&self, sent: bool) {
        self.mails
            .get_or_create(&Outcome {
                result: if sent { "sent" } else { "failed" },
            })
            .inc();
    }

    /// A limit refused a request.
    pub fn count_limited(&self) {
        self.limited.inc();
    }

    /// A password took so long.
    pub fn observe_hash(&self, seconds: f64) {
        self.hash_seconds.observe(seconds);
    }
}
