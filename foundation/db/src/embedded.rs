//! The embedded engine: plans run on SQLite.

mod error;
mod json;
pub(crate) mod mutate;
mod violation;
