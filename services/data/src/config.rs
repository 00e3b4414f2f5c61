//! What can be set: `[data]` in `pando.toml`.

use pando_kernel::Limits;
use pando_plan::PlanLimits;

/// Settings of the REST service.
#[derive(Clone, Debug)]
pub struct Config {
    /// Schemas a request may name; the first is the one meant without a profile header.
    pub schemas: Vec<String>,
    /// Whether tables with row-level security off are reachable.
    pub allow_unprotected: bool,
    /// Memory for plans kept, bytes, estimated.
    pub plan_cache_bytes: u64,
    /// Rows in one request's payload.
    pub payload_rows_max: usize,
    /// The bounds of the process.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            schemas: vec!["public".to_owned()],
            allow_unprotected: false,
            plan_cache_bytes: 16 << 20,
            payload_rows_max: 100_000,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// The bounds of a plan.
    pub(crate) fn plan_limits(&self) -> PlanLimits {
        PlanLimits {
            embed_depth_max: self.limits.embed_depth_max,
            page_rows_max: self.limits.page_rows_max,
            allow_unprotected: self.allow_unprotected,
        }
    }
}
