//! What the inside shows of itself: metrics to be scraped and logs to be read, both off the way of a request.
//!
//! Invariants: recording a metric is a few atomic operations; a log line is handed to a thread of its own, and when that
//! thread can't keep up, lines are dropped rather than requests slowed. Deliberately absent: exporters that push.

mod logs;
mod metrics;

pub use logs::{FilterError, Guard, LogFormat, init_logs};
pub use metrics::{Registry, encode};
pub use prometheus_client;
