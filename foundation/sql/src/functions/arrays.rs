//! Arrays, in their stored form: JSON arrays.

use super::registry::{Row, strict as row};
use super::{strict, text};
use crate::error::SqlError;
use crate::json::{self, Json};
use crate::value::Value;

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict!("pg_array_contains", 2, |a: &[Value]| {
            let (whole, part) = (items(&a[0])?, items(&a[1])?);
            // A null equals nothing, so an array that asks for one is never contained.
            Ok(part
                .iter()
                .all(|item| *item != Json::Null && whole.contains(item))
                .into())
        }),
        strict!("pg_array_contained", 2, |a: &[Value]| {
            let (part, whole) = (items(&a[0])?, items(&a[1])?);
            Ok(part
                .iter()
                .all(|item| *item != Json::Null && whole.contains(item))
                .into())
        }),
        strict!("pg_array_overlaps", 2, |a: &[Value]| {
            let (left, right) = (items(&a[0])?, items(&a[1])?);
            Ok(left
                .iter()
                .any(|item| *item != Json::Null && right.contains(item))
                .into())
        }),
        // Elements that compare equal as stored; the planner gives the value in the form members have.
        strict!("pg_array_any", 2, |a: &[Value]| {
            let wanted = member(&a[0])?;
            let items = items(&a[1])?;
            if items.contains(&wanted) {
                Ok(true.into())
            } else if items.contains(&Json::Null) {
                Ok(Value::Null)
            } else {
                Ok(false.into())
            }
        }),
        strict!("pg_array_concat", 2, |a: &[Value]| {
            let mut left = items(&a[0])?;
            left.extend(items(&a[1])?);
            let mut out = String::new();
            json::print(&Json::Array(left), &mut out);
            Ok(Value::from(out))
        }),
        row("cardinality(anyarray) int4", |a: &[Value]| {
            Ok(Value::Int(
                i64::try_from(items(&a[0])?.len()).unwrap_or(i64::MAX),
            ))
        }),
        row("array_length(anyarray, int4) int4", |a: &[Value]| {
            let count = i64::try_from(items(&a[0])?.len()).unwrap_or(i64::MAX);
            Ok(if count == 0 || a[1] != Value::Int(1) {
                Value::Null
            } else {
                Value::Int(count)
            })
        }),
    ]
}

fn items(value: &Value) -> Result<Vec<Json>, SqlError> {
    match json::parse(&text(value)) {
        Ok(Json::Array(items)) => Ok(items),
        _ => Err(SqlError::new("22P02", "malformed array")),
    }
}

fn member(value: &Value) -> Result<Json, SqlError> {
    let read = |text: &str| {
        json::parse(text).map_err(|_| SqlError::new("22P02", "malformed array element"))
    };
    match value {
        Value::Text(text) => Ok(Json::Text(text.to_string())),
        other => read(&text(other)),
    }
}
