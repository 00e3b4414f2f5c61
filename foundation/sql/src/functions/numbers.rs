//! Arithmetic that raises where Postgres raises: SQLite would overflow into a float and divide by zero into null.

use super::registry::{Row, strict as row};
use super::{int, strict, text};
use crate::decimal::Decimal;
use crate::error::SqlError;
use crate::value::Value;

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("abs(int4) int4", |a: &[Value]| {
            narrow(int(&a[0]).checked_abs())
        }),
        row("abs(int8) int8", |a: &[Value]| {
            wide(int(&a[0]).checked_abs())
        }),
        row("abs(float8) float8", |a: &[Value]| {
            Ok(Value::Real(real(&a[0]).abs()))
        }),
        strict!("pg_int4_add", 2, |a: &[Value]| narrow(
            int(&a[0]).checked_add(int(&a[1]))
        )),
        strict!("pg_int4_sub", 2, |a: &[Value]| narrow(
            int(&a[0]).checked_sub(int(&a[1]))
        )),
        strict!("pg_int4_mul", 2, |a: &[Value]| narrow(
            int(&a[0]).checked_mul(int(&a[1]))
        )),
        strict!("pg_int8_add", 2, |a: &[Value]| wide(
            int(&a[0]).checked_add(int(&a[1]))
        )),
        strict!("pg_int8_sub", 2, |a: &[Value]| wide(
            int(&a[0]).checked_sub(int(&a[1]))
        )),
        strict!("pg_int8_mul", 2, |a: &[Value]| wide(
            int(&a[0]).checked_mul(int(&a[1]))
        )),
        strict!("pg_int_div", 2, |a: &[Value]| match int(&a[1]) {
            0 => Err(zero()),
            by => wide(int(&a[0]).checked_div(by)),
        }),
        strict!("pg_int_mod", 2, |a: &[Value]| match int(&a[1]) {
            0 => Err(zero()),
            by => Ok(Value::Int(int(&a[0]).wrapping_rem(by))),
        }),
        strict!("pg_float_div", 2, |a: &[Value]| {
            let by = real(&a[1]);
            if by == 0.0 {
                Err(zero())
            } else {
                Ok(Value::Real(real(&a[0]) / by))
            }
        }),
        strict!("pg_numeric_add", 2, |a: &[Value]| Ok(print(
            &decimal(&a[0])?.plus(&decimal(&a[1])?)
        ))),
        strict!("pg_numeric_sub", 2, |a: &[Value]| Ok(print(
            &decimal(&a[0])?.plus(&decimal(&a[1])?.negate())
        ))),
        strict!("pg_numeric_mul", 2, |a: &[Value]| Ok(print(
            &decimal(&a[0])?.times(&decimal(&a[1])?)
        ))),
        strict!("pg_numeric_neg", 1, |a: &[Value]| Ok(print(
            &decimal(&a[0])?.negate()
        ))),
        strict!("pg_numeric_round", 2, |a: &[Value]| Ok(print(
            &decimal(&a[0])?.rescale(usize::try_from(int(&a[1])).unwrap_or(0))
        ))),
    ]
}

fn zero() -> SqlError {
    SqlError::new("22012", "division by zero")
}

fn narrow(result: Option<i64>) -> Result<Value, SqlError> {
    match result {
        Some(int) if i32::try_from(int).is_ok() => Ok(Value::Int(int)),
        _ => Err(SqlError::new("22003", "integer out of range")),
    }
}

fn wide(result: Option<i64>) -> Result<Value, SqlError> {
    result
        .map(Value::Int)
        .ok_or_else(|| SqlError::new("22003", "bigint out of range"))
}

fn real(value: &Value) -> f64 {
    match value {
        Value::Real(real) => *real,
        other => text(other).parse().unwrap_or(0.0),
    }
}

pub(super) fn decimal(value: &Value) -> Result<Decimal, SqlError> {
    let text = text(value);
    Decimal::parse(&text).ok_or_else(|| {
        SqlError::new(
            "22P02",
            format!("invalid input syntax for type numeric: \"{text}\""),
        )
    })
}

pub(super) fn print(decimal: &Decimal) -> Value {
    let mut out = String::new();
    decimal.print(&mut out);
    Value::from(out)
}
