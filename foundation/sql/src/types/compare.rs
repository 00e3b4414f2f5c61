//! How stored values of a type compare in Postgres, and the collations that tell SQLite.

use super::Type;
use super::array::members;
use super::time::interval::Interval;
use crate::decimal::Decimal;
use crate::json::{self, Json};
use crate::value::Value;
use std::cmp::Ordering;

/// Two values of one type; nulls are equal, and above all others.
pub(crate) fn compare(ty: &Type, left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Real(left), Value::Real(right)) => {
            left.partial_cmp(right).unwrap_or(Ordering::Equal)
        }
        (Value::Blob(left), Value::Blob(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => match ty {
            Type::Numeric(_) => numeric(left, right),
            Type::Interval => interval(left, right),
            Type::Jsonb => jsonb(left, right),
            Type::Array(item) => array(item, left, right),
            Type::Enum(labels) => {
                let place = |label: &str| labels.labels.iter().position(|known| known == label);
                place(left).cmp(&place(right))
            }
            Type::Char(_) => left.trim_end_matches(' ').cmp(right.trim_end_matches(' ')),
            _ => left.cmp(right),
        },
        _ => Ordering::Equal,
    }
}

/// Numerics by value. What is no number sorts by its bytes above all numbers: a collation must order everything.
pub(crate) fn numeric(left: &str, right: &str) -> Ordering {
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(left), Some(right)) => left.compare(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

/// Intervals by their length, a month being thirty days.
pub(crate) fn interval(left: &str, right: &str) -> Ordering {
    match (Interval::stored(left), Interval::stored(right)) {
        (Ok(left), Ok(right)) => left.compare(&right),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

/// `jsonb` as its btree orders it.
pub(crate) fn jsonb(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match (json::parse(left), json::parse(right)) {
        (Ok(left), Ok(right)) => json::compare(&left, &right),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

fn array(item: &Type, left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match (members(item, left), members(item, right)) {
        (Ok(left), Ok(right)) => left
            .iter()
            .zip(&right)
            .map(|(left, right)| compare(item, left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        _ => left.cmp(right),
    }
}

/// Arrays whose members show in JSON what they are: numbers by value, texts by their bytes.
pub(crate) fn any_array(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match (json::parse(left), json::parse(right)) {
        (Ok(Json::Array(left)), Ok(Json::Array(right))) => left
            .iter()
            .zip(&right)
            .map(|(left, right)| member(left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        _ => left.cmp(right),
    }
}

/// Nulls are above all; a word among numbers is an infinity or `NaN`.
fn member(left: &Json, right: &Json) -> Ordering {
    match (left, right) {
        (Json::Null, Json::Null) => Ordering::Equal,
        (Json::Null, _) => Ordering::Greater,
        (_, Json::Null) => Ordering::Less,
        (Json::Number(_), Json::Text(word)) => {
            if word.starts_with('-') {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (Json::Text(_), Json::Number(_)) => member(right, left).reverse(),
        (left, right) => json::compare(left, right),
    }
}

/// Arrays of intervals.
pub(crate) fn interval_array(left: &str, right: &str) -> Ordering {
    array(&Type::Interval, left, right)
}
