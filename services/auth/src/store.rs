//! All SQL of the service, one noun a file.
//!
//! Every function takes the transaction it runs in and nothing that changes between two runs of the same closure: ids,
//! secrets and the present moment come from the caller, because a write may be run again. The SQL is SQLite's and
//! Postgres' alike; tables bear the names they have in the file.

pub mod attempts;
pub mod flows;
pub mod identities;
pub mod one_time_tokens;
pub mod sessions;
pub mod users;

use pando_sql::{SqlError, Value};
use serde_json::Map;

/// A JSON object as the database keeps a `jsonb`.
fn jsonb(object: &Map<String, serde_json::Value>) -> Result<Value, SqlError> {
    jsonb_text(&serde_json::Value::Object(object.clone()).to_string())
}

/// JSON text as the database keeps a `jsonb`.
fn jsonb_text(text: &str) -> Result<Value, SqlError> {
    pando_sql::Type::Jsonb.read_text(text)
}

/// A kept `jsonb` object; nothing else is written, and a seed's null reads as empty.
fn object(text: Option<String>) -> Map<String, serde_json::Value> {
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}
