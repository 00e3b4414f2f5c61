//! The registry every service adds its metrics to, and the text a scraper reads.

use prometheus_client::encoding::text;
use prometheus_client::registry;
use std::ops::{Deref, DerefMut};

/// All metrics of the process. Their names start with `pando_`; the rest is `<service>_<what>_<unit>`, and counters end
/// in `_total` by themselves.
#[derive(Debug)]
pub struct Registry(registry::Registry);

impl Registry {
    /// An empty registry.
    pub fn new() -> Registry {
        Registry(registry::Registry::with_prefix("pando"))
    }
}

impl Default for Registry {
    fn default() -> Registry {
        Registry::new()
    }
}

impl Deref for Registry {
    type Target = registry::Registry;

    fn deref(&self) -> &registry::Registry {
        &self.0
    }
}

impl DerefMut for Registry {
    fn deref_mut(&mut self) -> &mut registry::Registry {
        &mut self.0
    }
}

/// Everything in the OpenMetrics text format (`application/openmetrics-text; version=1.0.0; charset=utf-8`).
pub fn encode(registry: &Registry) -> String {
    let mut out = String::with_capacity(16 << 10);
    // Writing to a String fails only if a metric refuses to describe itself; the others are shown all the same.
    if let Err(error) = text::encode(&mut out, registry) {
        tracing::error!(%error, "a metric could not be encoded");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::counter::Counter;

    #[test]
    fn names_get_our_prefix_and_the_unit_of_counters() {
        let mut registry = Registry::new();
        let counter = Counter::<u64>::default();
        registry.register("db_commits", "Commits", counter.clone());
        counter.inc_by(3);
        let text = encode(&registry);
        assert!(text.contains("# TYPE pando_db_commits counter"), "{text}");
        assert!(text.contains("pando_db_commits_total 3"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
