//! REST over the team's own tables, as PostgREST speaks it: `/rest/v1`.
//!
//! ```text
//! routes -> routes/<verb>: query, headers and body become a shape with its values -> store: plan (kept by shape) -> db
//! ```
//!
//! Promises
//! - A client's value is bound, never spliced; a client's name is looked up in the catalog, never copied into SQL.
//! - Only exposed schemas are reachable, also by embedding; tables without row-level security only if configured.
//! - An answer's JSON goes from the database to the socket as it is, but for CSV and stripped nulls.
//! - A 2xx on a change means it is on disk. Every refusal has PostgREST's code or a true SQLSTATE.
//!
//! Deliberately absent: authorisation (policies are part of the plan, keys and tokens are `net`'s), SQL (see `plan`),
//! aggregates, ranges, `EXPLAIN`.
#![cfg_attr(
    test,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

mod arguments;
mod body;
mod change;
mod config;
mod error;
mod media;
mod metrics;
mod plans;
mod prefer;
pub mod query;
mod range;
mod request;
mod routes;
mod store;

pub use config::Config;
pub use error::RestError;
pub use metrics::Metrics;

use pando_db::Db;
use pando_net::Routes;
use std::sync::Arc;
use store::Store;

/// The service's routes over a database.
pub fn routes(db: Db, config: Config, metrics: Metrics) -> Routes {
    routes::routes(Arc::new(Store::new(db, config, metrics)))
}
