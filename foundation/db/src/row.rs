//! A row of hand-written SQL.

use pando_sql::{SqlError, Value};

/// Values of one row, in the order of the select.
#[derive(Clone, Debug)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    /// A value as `T`.
    ///
    /// Errors: 42804 when the stored value is of another kind; XX000 for a column that was not selected.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, SqlError> {
        let value = self
            .0
            .get(index)
            .ok_or_else(|| SqlError::new("XX000", format!("the row has no column {index}")))?;
        T::from_value(value).ok_or_else(|| {
            SqlError::new(
                "42804",
                format!("column {index} does not hold what is asked for"),
            )
        })
    }
}

/// What a stored value can be taken as.
pub trait FromValue: Sized {
    /// The value, if it is of this kind.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Value> {
        Some(value.clone())
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<String> {
        value.as_str().map(str::to_owned)
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<i64> {
        value.as_int()
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<bool> {
        value.as_int().map(|int| int != 0)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::Blob(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Option<T>> {
        if value.is_null() {
            Some(None)
        } else {
            T::from_value(value).map(Some)
        }
    }
}
