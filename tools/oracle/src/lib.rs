//! The proof that Postgres SQL means the same on both engines: what is generated is asked of a real PostgreSQL 15 and of the
//! embedded engine, and the answers are compared.
//!
//! ```text
//! seed --generate--> schema, rows, policies, statements --each--> Postgres | embedded --compare--> same, refused by name, different
//!                                                                                   different --shrink--> a case file, run for ever
//! ```
//!
//! Invariants
//! - The generator knows SQL, and nothing of how we read it: not the parser, not the catalog, not the policy compiler.
//! - Equal seeds make equal statements, so whatever was found is found again.
//! - What the embedded engine refuses by name is no difference, and is counted and shown by its construct.
//! - Whether a row is visible is asked of Postgres alone.

mod alike;
mod case;
mod compare;
pub mod differential;
mod engine;
mod explained;
mod generate;
mod json;
pub mod leak;
mod node;
mod on_embedded;
mod on_postgres;
#[cfg(feature = "planted")]
pub mod planted;
mod probe;
mod random;
mod rules;
mod schema;
mod shrink;
mod ty;

pub use case::Case;
pub use compare::{Difference, Verdict};
pub use on_postgres::OnPostgres;
pub use random::Random;
