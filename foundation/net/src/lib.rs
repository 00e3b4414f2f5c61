//! The way of a request from the socket to a handler and back: connections, limits, identity, errors, metrics.
//!
//! A service hands over [`Routes`]: what it serves, who may ask, and how an error looks on its wire. [`serve`] does the
//! rest. Invariants: a handler runs only for a caller who has proven to be one its route is for; every connection, request
//! and wait is bounded; a panic is one request's failure; nothing of a query string or a header is ever logged.
//! Deliberately absent: any knowledge of what the services do.

mod access;
mod admission;
mod answer;
mod client_address;
mod compress;
mod connection;
mod cors;
mod guard;
mod head;
mod health;
mod metrics;
mod routes;
mod server;
mod tls;

pub use access::Access;
pub use client_address::{Network, NetworkError};
pub use guard::{Cause, ClientAddr, Deadline};
pub use head::RequestHead;
pub use metrics::HttpMetrics;
pub use pando_kernel::ids::RequestId;
pub use routes::{Render, Route, Routes};
pub use server::{NetConfig, bind, serve, serve_metrics};
pub use tls::{TlsError, TlsFiles};
