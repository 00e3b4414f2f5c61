//! The embedded engine: plans run on SQLite.

pub(crate) mod ambient;
pub(crate) mod backup;
pub(crate) mod call;
pub(crate) mod connection;
pub(crate) mod copy;
pub(crate) mod deferred;
pub(crate) mod directory;
pub(crate) mod error;
pub(crate) mod fatal;
pub(crate) mod identity;
pub(crate) mod inspect;
mod json;
pub(crate) mod log;
pub(crate) mod mapped;
pub(crate) mod metrics;
pub(crate) mod migrator;
pub(crate) mod mutate;
pub(crate) mod page;
pub(crate) mod reader;
pub(crate) mod restore;
pub(crate) mod script;
pub(crate) mod sequences;
pub(crate) mod tail;
pub(crate) mod triggers;
pub(crate) mod violation;
pub(crate) mod wal;
pub(crate) mod writer;
