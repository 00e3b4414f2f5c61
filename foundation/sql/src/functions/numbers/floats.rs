//! `real` and `double precision`. A `real` is computed in its own precision.

use super::zero;
use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::types::cast::{float, narrow, widen};
use crate::value::Value;

fn real(value: &Value) -> f64 {
    match value {
        Value::Real(real) => *real,
        #[expect(clippy::cast_precision_loss, reason = "as Postgres rounds")]
        Value::Int(int) => *int as f64,
        Value::Text(text) => text.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

fn overflow() -> SqlError {
    SqlError::new("22003", "value out of range: overflow")
}

fn underflow() -> SqlError {
    SqlError::new("22003", "value out of range: underflow")
}

#[derive(Clone, Copy, PartialEq)]
enum Op {
    Add,
    Sub,
    Mul,
    Div,
}

/// As Postgres checks: an infinity out of none, a zero out of none.
fn checked(op: Op, a: f64, b: f64, result: f64) -> Result<f64, SqlError> {
    if result.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(overflow());
    }
    let vanished = match op {
        Op::Mul => a != 0.0 && b != 0.0,
        Op::Div => a != 0.0 && b.is_finite(),
        _ => false,
    };
    if result == 0.0 && vanished {
        return Err(underflow());
    }
    Ok(result)
}

fn double(op: Op, a: f64, b: f64) -> Result<Value, SqlError> {
    if op == Op::Div && b == 0.0 {
        return Err(zero());
    }
    let result = match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
    };
    float(checked(op, a, b, result)?)
}

fn single(op: Op, a: &[Value]) -> Result<Value, SqlError> {
    let (a, b) = (narrow(real(&a[0])), narrow(real(&a[1])));
    if op == Op::Div && b == 0.0 {
        return Err(zero());
    }
    let result = match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mul => a * b,
        Op::Div => a / b,
    };
    checked(op, f64::from(a), f64::from(b), f64::from(result))?;
    float(widen(result))
}

/// A `real` among doubles is the number it exactly is.
fn exact(value: &Value) -> f64 {
    f64::from(narrow(real(value)))
}

/// The three mixtures of the two types that give a double, and the one that does not.
macro_rules! four {
    ($name:literal, $op:expr) => {
        [
            strict(concat!($name, "(float8, float8) float8"), |a| {
                double($op, real(&a[0]), real(&a[1]))
            }),
            strict(concat!($name, "(float4, float8) float8"), |a| {
                double($op, exact(&a[0]), real(&a[1]))
            }),
            strict(concat!($name, "(float8, float4) float8"), |a| {
                double($op, real(&a[0]), exact(&a[1]))
            }),
            strict(concat!($name, "(float4, float4) float4"), |a| {
                single($op, a)
            }),
        ]
    };
}

/// A function of one double.
macro_rules! one {
    ($name:literal, $body:expr) => {
        strict(concat!($name, "(float8) float8"), |a| {
            let body: fn(f64) -> f64 = $body;
            let x = real(&a[0]);
            let result = body(x);
            if result.is_infinite() && x.is_finite() {
                return Err(overflow());
            }
            float(result)
        })
    };
}

fn power(a: &[Value]) -> Result<Value, SqlError> {
    let (base, exponent) = (real(&a[0]), real(&a[1]));
    if base == 0.0 && exponent < 0.0 {
        return Err(SqlError::new(
            "2201F",
            "zero raised to a negative power is undefined",
        ));
    }
    if base < 0.0 && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(SqlError::new(
            "2201F",
            "a negative number raised to a non-integer power yields a complex result",
        ));
    }
    let result = base.powf(exponent);
    if base.is_finite() && exponent.is_finite() {
        if result.is_infinite() {
            return Err(overflow());
        }
        if result == 0.0 && base != 0.0 {
            return Err(underflow());
        }
    }
    float(result)
}

fn logarithm(value: &Value, of: fn(f64) -> f64) -> Result<Value, SqlError> {
    let value = real(value);
    if value == 0.0 {
        return Err(SqlError::new("2201E", "cannot take logarithm of zero"));
    }
    if value < 0.0 {
        return Err(SqlError::new(
            "2201E",
            "cannot take logarithm of a negative number",
        ));
    }
    float(of(value))
}

fn bounded(value: &Value, of: fn(f64) -> f64) -> Result<Value, SqlError> {
    let value = real(value);
    if !(-1.0..=1.0).contains(&value) {
        return Err(SqlError::new("22003", "input is out of range"));
    }
    float(of(value))
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = [
        four!("+", Op::Add),
        four!("-", Op::Sub),
        four!("*", Op::Mul),
        four!("/", Op::Div),
    ]
    .into_iter()
    .flatten()
    .collect();
    rows.extend([
        strict("-(float8) float8", |a| Ok(Value::Real(-real(&a[0])))),
        strict("-(float4) float4", |a| Ok(Value::Real(-real(&a[0])))),
        strict("+(float8) float8", |a| Ok(a[0].clone())),
        strict("+(float4) float4", |a| Ok(a[0].clone())),
        strict("@(float8) float8", |a| Ok(Value::Real(real(&a[0]).abs()))),
        strict("@(float4) float4", |a| Ok(Value::Real(real(&a[0]).abs()))),
        strict("abs(float8) float8", |a| Ok(Value::Real(real(&a[0]).abs()))),
        strict("abs(float4) float4", |a| Ok(Value::Real(real(&a[0]).abs()))),
        strict("^(float8, float8) float8 as pg_raise_float8", power),
        strict("power(float8, float8) float8", power),
        strict("pow(float8, float8) float8", power),
        one!("round", f64::round_ties_even),
        one!("trunc", f64::trunc),
        one!("ceil", f64::ceil),
        one!("ceiling", f64::ceil),
        one!("floor", f64::floor),
        one!("sign", |x| if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            0.0
        }),
        one!("cbrt", f64::cbrt),
        one!("||/", f64::cbrt),
        one!("exp", f64::exp),
        one!("degrees", f64::to_degrees),
        one!("radians", |x| x / (180.0 / std::f64::consts::PI)),
        one!("sin", f64::sin),
        one!("cos", f64::cos),
        one!("tan", f64::tan),
        one!("atan", f64::atan),
        strict("asin(float8) float8", |a| bounded(&a[0], f64::asin)),
        strict("acos(float8) float8", |a| bounded(&a[0], f64::acos)),
        strict("atan2(float8, float8) float8", |a| {
            float(real(&a[0]).atan2(real(&a[1])))
        }),
        strict("sqrt(float8) float8", root),
        strict("|/(float8) float8", root),
        strict("ln(float8) float8", |a| logarithm(&a[0], f64::ln)),
        strict("log(float8) float8", |a| logarithm(&a[0], f64::log10)),
        strict("log10(float8) float8", |a| logarithm(&a[0], f64::log10)),
        strict("pi() float8", |_| Ok(Value::Real(std::f64::consts::PI))),
        strict("random() float8", |_| {
            let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
            // The twelve bits of the version are no part of it: 48 bits are random, and exact in a double.
            #[expect(clippy::cast_precision_loss, reason = "48 bits fit")]
            Ok(Value::Real((high >> 16) as f64 / (1_u64 << 48) as f64))
        })
        .volatile(),
        strict("width_bucket(float8, float8, float8, int4) int4", |a| {
            let (operand, low, high) = (real(&a[0]), real(&a[1]), real(&a[2]));
            let count = real(&a[3]);
            let wrong = |text: &str| SqlError::new("2201G", text.to_owned());
            if count <= 0.0 {
                return Err(wrong("count must be greater than zero"));
            }
            if low == high {
                return Err(wrong("lower bound cannot equal upper bound"));
            }
            let (operand, low, high) = if low < high {
                (operand, low, high)
            } else {
                (-operand, -low, -high)
            };
            let bucket = if operand < low {
                0.0
            } else if operand >= high {
                count + 1.0
            } else {
                (count * ((operand - low) / (high - low))).floor() + 1.0
            };
            #[expect(clippy::cast_possible_truncation, reason = "between 0 and the count")]
            Ok(Value::Int(bucket as i64))
        }),
    ]);
    rows
}

fn root(a: &[Value]) -> Result<Value, SqlError> {
    let value = real(&a[0]);
    if value < 0.0 {
        return Err(SqlError::new(
            "2201F",
            "cannot take square root of a negative number",
        ));
    }
    float(value.sqrt())
}
