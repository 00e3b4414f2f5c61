//! Postgres is the language: this crate reads it, keeps what it declares, and writes it for SQLite.
//!
//! ```text
//! migrations/*.sql --parse--> statements --apply--> Catalog --render--> SQLite DDL
//!                              policies, checks, defaults = Expr --render--> SQLite expressions with binds
//! ```
//!
//! Invariants
//! - No IO. Everything is a function over values.
//! - The parser's tree stops at `parse`: the rest of the system knows only [`catalog`] and [`expr`].
//! - What is not portable is refused with file, line, the construct and what to do ([`error::Refusal`]); nothing is dropped.
//! - A value never passes through `f64` unless its type is a float.
//! - The file never depends on functions that only this process has: defaults, `now()` and identities are bound.
//!
//! Deliberately absent: requests (see `plan`) and engines (see `db`).

pub mod catalog;
pub mod ddl;
mod decimal;
pub mod error;
pub mod expr;
pub mod expression;
pub mod functions;
pub mod index_advice;
mod json;
pub mod lineage;
mod lower;
mod migrate;
pub mod operation;
mod parse;
#[cfg(feature = "planted")]
pub mod planted;
mod plpgsql;
pub mod policy;
pub mod privilege;
pub mod query;
pub mod render;
pub mod routine;
mod script;
pub mod search;
pub mod statement;
pub mod trigger;
mod trouble;
pub mod types;
pub mod value;
pub mod writable;

pub use catalog::Catalog;
pub use error::{Refusal, SqlError};
pub use migrate::{FORGET_SEQUENCE, Migrated, RAISE, RENAME_SEQUENCE, Step, migrate};
pub use script::operations;
pub use statement::{Bind, Statement};
pub use types::Type;
pub use value::Value;
