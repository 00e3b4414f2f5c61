//! A migration: Postgres SQL that runs once, in one transaction.

use aws_lc_rs::digest::{SHA256, digest};
use std::borrow::Cow;

/// A migration as it stands in its file, or in the executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// What it is ordered by, as text.
    pub version: Cow<'static, str>,
    /// What it is about.
    pub name: Cow<'static, str>,
    /// Where it is, for messages.
    pub file: Cow<'static, str>,
    /// Its text.
    pub sql: Cow<'static, str>,
}

impl Migration {
    /// SHA-256 of its text, hexadecimal: what tells whether it was edited after it ran.
    pub fn checksum(&self) -> String {
        let hash = digest(&SHA256, self.sql.as_bytes());
        hash.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// A migration that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Its version.
    pub version: String,
    /// Its name.
    pub name: String,
    /// SHA-256 of its text, hexadecimal.
    pub checksum: String,
    /// When it ran, ISO 8601.
    pub applied_at: String,
}
