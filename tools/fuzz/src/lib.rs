//! Fuzzing of what strangers' texts reach: the SQL front end, literals and casts, the grammar of REST.
//!
//! ```text
//! corpus --pick--> mutate --> Target::run --> new behaviour? into the corpus : a promise broken? shrunk, and reported
//! ```
//!
//! Plain Rust on the stable toolchain. libFuzzer wants the compiler's unstable side and an instrumented build of everything; in its place
//! stands what a target itself says it saw ([`Seen`]): SQLSTATEs, what parsed, what was rendered. An input that shows something new is
//! kept and mutated further.
//!
//! Invariants
//! - A run is repeated by its seed as long as it is bounded by a number of inputs and not by time.
//! - An input that takes too long or too much memory ends the process ([`Watch`]), with the input printed: neither can be unwound.
//! - Targets do no IO but to an SQLite in memory.

mod campaign;
mod corpus;
mod engine;
mod literals;
mod mutate;
mod panics;
mod rest;
mod seen;
mod shrink;
mod sources;
mod sql;
mod target;
mod watch;

pub use campaign::{Finding, Options, Report, replay, run};
pub use corpus::{corpus, keep, regressions, write_corpus};
pub use seen::Seen;
pub use sources::sources;
pub use target::{NAMES, Target, make};
pub use watch::Watch;
