//! What `pando doctor` looks at. Nothing is changed; a server may run meanwhile.

pub mod configuration;
pub mod database;
pub mod disk;
pub mod finding;
pub mod schema;
