//! A value as the embedded engine stores it, and as both engines bind it.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A stored value. How a Postgres type maps to these is written at [`crate::types::Type`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// SQL null.
    Null,
    /// Integers, and booleans as 0 and 1.
    Int(i64),
    /// Floats only; never a numeric.
    Real(#[serde(with = "real")] f64),
    /// Everything else: text, canonical numerics, ISO dates, uuids, JSON, arrays as JSON.
    Text(Arc<str>),
    /// Bytes.
    Blob(Arc<[u8]>),
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// Whether it is SQL null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(*int),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::text(text)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Value {
        Value::Int(int)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Value {
        Value::Int(i64::from(bool))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Value {
        option.map_or(Value::Null, Into::into)
    }
}

/// Floats in JSON: those that are no numbers there are words.
mod real {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Form {
        Number(f64),
        Word(String),
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub fn serialize<S: Serializer>(real: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if real.is_finite() {
            Form::Number(*real).serialize(serializer)
        } else {
            Form::Word(real.to_string()).serialize(serializer)
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Number(real) => Ok(real),
            Form::Word(word) => word.parse().map_err(serde::de::Error::custom),
        }
    }
}
