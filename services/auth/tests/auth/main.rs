//! Every flow of the service over real sockets, on a real database, with real letters.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod admin;
mod limits;
mod links;
mod refresh;
mod refusals;
mod support;
mod triggers;
