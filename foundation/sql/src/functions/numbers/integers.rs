//! `smallint`, `integer` and `bigint`.

use super::zero;
use crate::error::SqlError;
use crate::functions::int;
use crate::functions::registry::{Row, strict};
use crate::types::Type;
use crate::types::cast::integer;
use crate::value::Value;

type Body = fn(&[Value]) -> Result<Value, SqlError>;

/// The bodies of a binary operator for results of two, four and eight bytes.
macro_rules! widths {
    ($operation:expr) => {
        [
            |a: &[Value]| integer($operation(int(&a[0]), int(&a[1]))?, &Type::Int2),
            |a: &[Value]| integer($operation(int(&a[0]), int(&a[1]))?, &Type::Int4),
            |a: &[Value]| integer($operation(int(&a[0]), int(&a[1]))?, &Type::Int8),
        ]
    };
}

/// As [`widths`], of one operand.
macro_rules! alone {
    ($operation:expr) => {
        [
            |a: &[Value]| integer($operation(int(&a[0])), &Type::Int2),
            |a: &[Value]| integer($operation(int(&a[0])), &Type::Int4),
            |a: &[Value]| integer($operation(int(&a[0])), &Type::Int8),
        ]
    };
}

const NAMES: [&str; 3] = ["int2", "int4", "int8"];

fn add(a: i64, b: i64) -> Result<Option<i64>, SqlError> {
    Ok(a.checked_add(b))
}

fn sub(a: i64, b: i64) -> Result<Option<i64>, SqlError> {
    Ok(a.checked_sub(b))
}

fn mul(a: i64, b: i64) -> Result<Option<i64>, SqlError> {
    Ok(a.checked_mul(b))
}

fn div(a: i64, b: i64) -> Result<Option<i64>, SqlError> {
    if b == 0 {
        Err(zero())
    } else {
        Ok(a.checked_div(b))
    }
}

fn rem(a: i64, b: i64) -> Result<Option<i64>, SqlError> {
    if b == 0 {
        Err(zero())
    } else {
        Ok(Some(a.wrapping_rem(b)))
    }
}

fn gcd_of(a: i64, b: i64) -> i128 {
    let (mut a, mut b) = (i128::from(a).abs(), i128::from(b).abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn gcd(a: i64, b: i64) -> Result<Option<i64>, SqlError> {
    Ok(i64::try_from(gcd_of(a, b)).ok())
}

fn lcm(a: i64, b: i64) -> Result<Option<i64>, SqlError> {
    if a == 0 || b == 0 {
        return Ok(Some(0));
    }
    let product = (i128::from(a) / gcd_of(a, b) * i128::from(b)).abs();
    Ok(i64::try_from(product).ok())
}

fn shift(value: &Value, by: &Value, left: bool, bits: u32) -> i64 {
    // Only as many bits of the distance count as the processor looks at.
    let by = u32::try_from(int(by).rem_euclid(i64::from(bits.max(32)))).unwrap_or(0);
    let value = int(value);
    if left {
        let shifted = value.checked_shl(by).unwrap_or(0);
        // The bits beyond the type are lost.
        let unused = 64 - bits;
        (shifted << unused) >> unused
    } else {
        value >> by.min(63)
    }
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let both: [(&str, [Body; 3]); 4] = [
        ("+", widths!(add)),
        ("-", widths!(sub)),
        ("*", widths!(mul)),
        ("/", widths!(div)),
    ];
    for (name, bodies) in both {
        for (left, left_name) in NAMES.iter().enumerate() {
            for (right, right_name) in NAMES.iter().enumerate() {
                let wide = left.max(right);
                rows.push(strict(
                    format!("{name}({left_name}, {right_name}) {}", NAMES[wide]),
                    bodies[wide],
                ));
            }
        }
    }
    let same: [(&str, usize, [Body; 3]); 7] = [
        ("%", 0, widths!(rem)),
        ("mod", 0, widths!(rem)),
        ("gcd", 1, widths!(gcd)),
        ("lcm", 1, widths!(lcm)),
        (
            "&",
            0,
            widths!(|a: i64, b: i64| Ok::<_, SqlError>(Some(a & b))),
        ),
        (
            "|",
            0,
            widths!(|a: i64, b: i64| Ok::<_, SqlError>(Some(a | b))),
        ),
        (
            "#",
            0,
            widths!(|a: i64, b: i64| Ok::<_, SqlError>(Some(a ^ b))),
        ),
    ];
    for (name, from, bodies) in same {
        for at in from..3 {
            let ty = NAMES[at];
            // The word of the operator and that of the function would be one.
            let alias = if name == "mod" {
                format!(" as pg_modulo_{ty}")
            } else {
                String::new()
            };
            rows.push(strict(
                format!("{name}({ty}, {ty}) {ty}{alias}"),
                bodies[at],
            ));
        }
    }
    let unary: [(&str, [Body; 3]); 5] = [
        ("-", alone!(|a: i64| a.checked_neg())),
        ("+", alone!(Some)),
        ("abs", alone!(|a: i64| a.checked_abs())),
        ("@", alone!(|a: i64| a.checked_abs())),
        ("~", alone!(|a: i64| Some(!a))),
    ];
    for (name, bodies) in unary {
        for at in 0..3 {
            rows.push(strict(
                format!("{name}({ty}) {ty}", ty = NAMES[at]),
                bodies[at],
            ));
        }
    }
    rows.extend([
        strict("<<(int2, int4) int2", |a| {
            Ok(Value::Int(shift(&a[0], &a[1], true, 16)))
        }),
        strict("<<(int4, int4) int4", |a| {
            Ok(Value::Int(shift(&a[0], &a[1], true, 32)))
        }),
        strict("<<(int8, int4) int8", |a| {
            Ok(Value::Int(shift(&a[0], &a[1], true, 64)))
        }),
        strict(">>(int2, int4) int2", |a| {
            Ok(Value::Int(shift(&a[0], &a[1], false, 16)))
        }),
        strict(">>(int4, int4) int4", |a| {
            Ok(Value::Int(shift(&a[0], &a[1], false, 32)))
        }),
        strict(">>(int8, int4) int8", |a| {
            Ok(Value::Int(shift(&a[0], &a[1], false, 64)))
        }),
        #[expect(
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "two's complement is what is shown"
        )]
        strict("to_hex(int4) text", |a| {
            Ok(format!("{:x}", int(&a[0]) as u32).into())
        }),
        strict("to_hex(int8) text", |a| {
            Ok(format!("{:x}", int(&a[0])).into())
        }),
    ]);
    rows
}
