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
mod search;
mod texts;
mod times;

use registry::{Builtin, Row};

use crate::error::SqlError;
use crate::types::compare;
pub use crate::types::output::float_text;
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

/// A function only statements of ours call, by its name in SQLite.
#[derive(Clone, Copy)]
pub(crate) struct SqlFunction {
    /// Its name in SQLite.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arity: i32,
    /// Whether equal arguments always give equal results, so that indexes and checks may use it.
    pub deterministic: bool,
    /// What it does.
    pub call: fn(&[Value]) -> Result<Value, SqlError>,
}

/// All functions, as a connection registers them.
pub fn functions() -> impl Iterator<Item = Builtin> {
    registry::builtins()
}

fn rows() -> Vec<Row> {
    let internal = [aggregates::ALL, arrays::ALL, jsons::ALL, rows::ALL]
        .concat()
        .into_iter()
        .map(Row::internal);
    [
        arrays::rows(),
        casts::rows(),
        jsons::rows(),
        numbers::rows(),
        patterns::rows(),
        raise::rows(),
        search::rows(),
        texts::rows(),
        times::rows(),
    ]
    .into_iter()
    .flatten()
    .chain(internal)
    .collect()
}

/// All collations.
pub fn collations() -> &'static [Collation] {
    &[
        Collation {
            name: "pg_numeric",
            compare: compare::numeric,
        },
        Collation {
            name: "pg_interval",
            compare: compare::interval,
        },
        Collation {
            name: "pg_jsonb",
            compare: compare::jsonb,
        },
        Collation {
            name: "pg_array",
            compare: compare::any_array,
        },
        Collation {
            name: "pg_interval_array",
            compare: compare::interval_array,
        },
    ]
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

/// A `real` as Postgres prints it in JSON.
pub fn float4_json(real: f64) -> String {
    let text = crate::types::output::float4_text(real);
    if real.is_finite() {
        text
    } else {
        format!("\"{text}\"")
    }
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

/// Wraps a body that is not called when an argument is null.
macro_rules! internal {
    ($name:literal, $arity:literal, $body:expr) => {
        $crate::functions::SqlFunction {
            name: $name,
            arity: $arity,
            deterministic: true,
            call: |arguments| {
                if $crate::functions::any_null(arguments) {
                    Ok($crate::value::Value::Null)
                } else {
                    ($body)(arguments)
                }
            },
        }
    };
}
use internal;

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
