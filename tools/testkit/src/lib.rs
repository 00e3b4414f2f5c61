//! What a black-box test needs: the real executable on a free port, a plain HTTP client, a strict mail relay, Node with the real SDK, and
//! a real PostgreSQL to compare with.
//!
//! Invariants: nothing here knows how Pando works inside; it starts the executable, speaks HTTP, reads what it prints
//! and ends it. Every wait has an end. A started server is killed when its handle is dropped.
//! Deliberately absent: an async runtime. Threads that block are easier to read in a test, and fast enough.

pub mod bucket;
pub mod cache;
pub mod executable;
pub mod faketime;
pub mod http;
pub mod mail;
pub mod node;
pub mod postgres;
pub mod server;
pub mod smtp;

pub use bucket::Bucket;
pub use http::{Client, Response};
pub use node::Node;
pub use postgres::Postgres;
pub use server::{Keys, Pando, Setup};
