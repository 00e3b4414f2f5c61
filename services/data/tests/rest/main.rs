//! The service from its router down to a database file: real migrations, real plans, real policies.
//! Only what `net` does before a handler is left out: the caller and the deadline are put beside the request here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod embeds;
mod plans;
mod policies;
mod reads;
mod rpc;
mod search;
mod support;
mod triggers;
mod upserts;
mod views;
mod writes;
