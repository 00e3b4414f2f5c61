//! The pure functions SQLite has not, or has with other rules: registered on every connection by the engine.
//!
//! Each takes and gives stored values ([`crate::Type`] says in which form), answers null to null unless its sentence says otherwise, and
//! raises what Postgres raises. None has state, so an index or a check may use those marked deterministic.

mod aggregates;
mod arrays;
mod casts;
mod jsons;
mod numbers;
mod patterns;
mod raise;
pub mod registry;
pub(crate) mod resolve;
pub(crate) mod rows;
mod texts;
mod times;

use registry::{Builtin, Row};

use crate::decimal::Decimal;
use crate::value::Value;
pub use aggregates::{Accumulate, SqlAggregate, aggregates};
use std::cmp::Ordering;
use std::sync::Arc;

/// An order of texts.
pub struct Collation {
    /// Its name in SQLite.
    pub name: &'static str,
    /// How two texts compare.
    pub compare: fn(&str, &str) -> Ordering,
}

/// All functions, as a connection registers them.
pub fn functions() -> impl Iterator<Item = Builtin> {
    registry::builtins()
}

fn rows() -> Vec<Row> {
    [
        aggregates::rows(),
        arrays::rows(),
        casts::rows(),
        jsons::rows(),
        numbers::rows(),
        patterns::rows(),
        raise::rows(),
        rows::rows(),
        texts::rows(),
        times::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// All collations.
pub fn collations() -> &'static [Collation] {
    &[Collation {
        name: "pg_numeric",
        compare: compare_numeric,
    }]
}

/// Numerics by value. What is no number sorts by its bytes above all numbers: a collation must order everything.
fn compare_numeric(left: &str, right: &str) -> Ordering {
    match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(left), Some(right)) => left.compare(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

/// A float as Postgres prints it in JSON: the shortest digits that read back the same; infinities in quotes.
pub fn float_json(real: f64) -> String {
    let text = float_text(real);
    if real.is_finite() {
        text
    } else {
        format!("\"{text}\"")
    }
}

/// A float as Postgres prints it: `1`, `0.1`, `1e+20`, `Infinity`.
pub fn float_text(real: f64) -> String {
    if real.is_nan() {
        return "NaN".to_owned();
    }
    if real.is_infinite() {
        return if real > 0.0 {
            "Infinity".to_owned()
        } else {
            "-Infinity".to_owned()
        };
    }
    let exponential = format!("{real:e}");
    let Some((mantissa, exponent)) = exponential.split_once('e') else {
        return exponential;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Postgres changes to an exponent below 1e-4 and from 1e15 on.
    if (-4..15).contains(&exponent) {
        return format!("{real}");
    }
    format!(
        "{mantissa}e{}{:02}",
        if exponent < 0 { '-' } else { '+' },
        exponent.abs()
    )
}

/// The argument as text, however it is stored.
fn text(value: &Value) -> Arc<str> {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(int) => int.to_string().into(),
        Value::Real(real) => float_text(*real).into(),
        Value::Null | Value::Blob(_) => "".into(),
    }
}

fn int(value: &Value) -> i64 {
    match value {
        Value::Int(int) => *int,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, which no caller reaches"
        )]
        Value::Real(real) => *real as i64,
        Value::Text(text) => text.parse().unwrap_or(0),
        Value::Null | Value::Blob(_) => 0,
    }
}

fn any_null(arguments: &[Value]) -> bool {
    arguments.iter().any(Value::is_null)
}

/// A function only our own statements call, by its name in SQLite; not called when an argument is null.
macro_rules! strict {
    ($name:literal, $arity:literal, $body:expr) => {
        $crate::functions::registry::internal($name, $arity, $body)
    };
}
use strict;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_postgres_prints_them() {
        for (real, printed) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (1e20, "1e+20"),
            (1e15, "1e+15"),
            (123_456_789_012_345.0, "123456789012345"),
            (1.5e-7, "1.5e-07"),
            (0.0001, "0.0001"),
            (-2.5, "-2.5"),
        ] {
            assert_eq!(float_text(real), printed);
        }
    }
}
