//! The real executable, driven from outside: by the unmodified SDK under Node, by plain HTTP, by signals.
//!
//! Nothing here links a crate of the server. A test that needs Node says so and passes over when the runner has said that
//! there is none; everything else has no way around it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authorisation;
mod backup;
mod bad_input;
mod command;
mod copy;
mod doctor;
mod documents;
mod drain;
mod limits;
mod logs;
mod sdk;
mod secrecy;
mod smtp;
