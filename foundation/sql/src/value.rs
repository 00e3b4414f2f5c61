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
    Real(#[serde(with = "float")] f64),
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

/// Floats in the stored catalog. JSON has no infinity: those stand there as texts.
mod float {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Finite(f64),
        Named(String),
    }

    pub(super) fn serialize<S: Serializer>(real: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if real.is_finite() {
            serializer.serialize_f64(*real)
        } else {
            serializer.collect_str(&format_args!("{real}"))
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Stored::deserialize(deserializer)? {
            Stored::Finite(real) => Ok(real),
            Stored::Named(name) => name.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_float_survives_being_stored() {
        for real in [1.5, 0.0, 1e300, f64::INFINITY, f64::NEG_INFINITY] {
            let stored = serde_json::to_string(&Value::Real(real)).unwrap();
            let read: Value = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, Value::Real(real), "{stored}");
        }
    }
}
