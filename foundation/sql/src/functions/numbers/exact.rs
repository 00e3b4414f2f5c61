//! `numeric`.

use super::zero;
use crate::decimal::{Decimal, Undefined};
use crate::error::SqlError;
use crate::functions::int;
use crate::functions::registry::{Row, strict};
use crate::types::cast::{decimal, print_decimal as print};
use crate::value::Value;

fn undefined(fault: Undefined, root: bool) -> SqlError {
    match fault {
        Undefined::Negative if root => {
            SqlError::new("2201F", "cannot take square root of a negative number")
        }
        Undefined::Negative => SqlError::new("2201E", "cannot take logarithm of a negative number"),
        Undefined::Zero => SqlError::new("2201E", "cannot take logarithm of zero"),
        Undefined::Overflow => SqlError::new("22003", "value overflows numeric format"),
        Undefined::ZeroToNegative => {
            SqlError::new("2201F", "zero raised to a negative power is undefined")
        }
        Undefined::Complex => SqlError::new(
            "2201F",
            "a negative number raised to a non-integer power yields a complex result",
        ),
        Undefined::ByZero => zero(),
    }
}

fn powered(a: &[Value]) -> Result<Value, SqlError> {
    let (base, exponent) = (short(&a[0])?, short(&a[1])?);
    // What overflows is told apart at once; what comes close to it takes too long.
    let times = exponent.to_i64().map_or(0, i64::unsigned_abs);
    let digits = (base.whole_digits() + base.scale()) as u64;
    if (20_000..=131_072).contains(&times.saturating_mul(digits)) {
        return Err(too_long());
    }
    print(
        &base
            .power(&exponent)
            .map_err(|fault| undefined(fault, false))?,
    )
}

fn remainder(a: &[Value]) -> Result<Value, SqlError> {
    print(
        &decimal(&a[0])?
            .remainder(&decimal(&a[1])?)
            .map_err(|_| zero())?,
    )
}

fn ceil(a: &[Value]) -> Result<Value, SqlError> {
    print(&decimal(&a[0])?.ceil())
}

fn abs(a: &[Value]) -> Result<Value, SqlError> {
    print(&decimal(&a[0])?.abs())
}

fn log10(a: &[Value]) -> Result<Value, SqlError> {
    print(
        &short(&a[0])?
            .log(&Decimal::int(10))
            .map_err(|fault| undefined(fault, false))?,
    )
}

fn gcd(mut a: Decimal, mut b: Decimal) -> Decimal {
    let scale = a.scale().max(b.scale());
    if !a.is_finite() || !b.is_finite() {
        return Decimal::nan();
    }
    while !b.is_zero() {
        let rest = a.remainder(&b).unwrap_or_else(|_| Decimal::int(0));
        (a, b) = (b, rest);
    }
    a.abs().rescale(scale)
}

/// Digits of a number that roots, logarithms and powers are computed of: their time grows with the square of it, and nothing interrupts it.
const DIGITS_MAX: usize = 1_000;

/// An argument of a function whose time grows fast with its digits.
fn short(value: &Value) -> Result<Decimal, SqlError> {
    let value = decimal(value)?;
    if value.is_finite() && value.whole_digits() + value.scale() > DIGITS_MAX {
        return Err(too_long());
    }
    Ok(value)
}

fn too_long() -> SqlError {
    SqlError::new(
        "54000",
        format!(
            "a number of more than {DIGITS_MAX} digits is too long for this function on the embedded engine"
        ),
    )
}

fn size(scale: usize) -> Value {
    Value::Int(i64::try_from(scale).unwrap_or(i64::MAX))
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("+(numeric, numeric) numeric", |a| {
            print(&decimal(&a[0])?.plus(&decimal(&a[1])?))
        }),
        strict("-(numeric, numeric) numeric", |a| {
            print(&decimal(&a[0])?.minus(&decimal(&a[1])?))
        }),
        strict("*(numeric, numeric) numeric", |a| {
            print(&decimal(&a[0])?.times(&decimal(&a[1])?))
        }),
        strict("/(numeric, numeric) numeric", |a| {
            print(&decimal(&a[0])?.over(&decimal(&a[1])?).map_err(|_| zero())?)
        }),
        strict("%(numeric, numeric) numeric", remainder),
        strict(
            "mod(numeric, numeric) numeric as pg_modulo_numeric",
            remainder,
        ),
        strict("^(numeric, numeric) numeric as pg_raise_numeric", powered),
        strict("power(numeric, numeric) numeric", powered),
        strict("pow(numeric, numeric) numeric", powered),
        strict("-(numeric) numeric", |a| print(&decimal(&a[0])?.negate())),
        strict("+(numeric) numeric", |a| Ok(a[0].clone())),
        strict("@(numeric) numeric", abs),
        strict("abs(numeric) numeric", abs),
        strict(
            "div(numeric, numeric) numeric as pg_quotient_numeric",
            |a| {
                print(
                    &decimal(&a[0])?
                        .quotient(&decimal(&a[1])?)
                        .map_err(|_| zero())?,
                )
            },
        ),
        strict("round(numeric) numeric", |a| {
            print(&decimal(&a[0])?.rescale(0))
        }),
        strict("round(numeric, int4) numeric", |a| {
            print(&decimal(&a[0])?.to_place(int(&a[1]), false))
        }),
        strict("trunc(numeric) numeric", |a| {
            print(&decimal(&a[0])?.truncate(0))
        }),
        strict("trunc(numeric, int4) numeric", |a| {
            print(&decimal(&a[0])?.to_place(int(&a[1]), true))
        }),
        strict("ceil(numeric) numeric", ceil),
        strict("ceiling(numeric) numeric", ceil),
        strict("floor(numeric) numeric", |a| {
            print(&decimal(&a[0])?.floor())
        }),
        strict("sign(numeric) numeric", |a| {
            let value = decimal(&a[0])?;
            print(&match () {
                () if value.is_nan() => value,
                () if value.is_zero() => Decimal::int(0),
                () if value.is_negative() => Decimal::int(-1),
                () => Decimal::int(1),
            })
        }),
        strict("sqrt(numeric) numeric", |a| {
            print(
                &short(&a[0])?
                    .root()
                    .map_err(|fault| undefined(fault, true))?,
            )
        }),
        strict("exp(numeric) numeric", |a| {
            print(
                &short(&a[0])?
                    .exp()
                    .map_err(|fault| undefined(fault, false))?,
            )
        }),
        strict("ln(numeric) numeric", |a| {
            print(
                &short(&a[0])?
                    .ln()
                    .map_err(|fault| undefined(fault, false))?,
            )
        }),
        strict("log(numeric) numeric", log10),
        strict("log10(numeric) numeric", log10),
        strict("log(numeric, numeric) numeric", |a| {
            let result = short(&a[1])?.log(&short(&a[0])?);
            print(&result.map_err(|fault| undefined(fault, false))?)
        }),
        strict("gcd(numeric, numeric) numeric", |a| {
            print(&gcd(short(&a[0])?, short(&a[1])?))
        }),
        strict("lcm(numeric, numeric) numeric", |a| {
            let (a, b) = (short(&a[0])?, short(&a[1])?);
            let scale = a.scale().max(b.scale());
            let common = gcd(a.clone(), b.clone());
            if common.is_zero() {
                return print(&Decimal::int(0).rescale(scale));
            }
            let part = a.quotient(&common).map_err(|_| zero())?;
            print(&part.times(&b).abs().rescale(scale))
        }),
        strict("scale(numeric) int4", |a| {
            let value = decimal(&a[0])?;
            Ok(if value.is_finite() {
                size(value.scale())
            } else {
                Value::Null
            })
        }),
        strict("min_scale(numeric) int4", |a| {
            let value = decimal(&a[0])?;
            Ok(if value.is_finite() {
                size(value.min_scale())
            } else {
                Value::Null
            })
        }),
        strict("trim_scale(numeric) numeric", |a| {
            let value = decimal(&a[0])?;
            print(&value.rescale(value.min_scale()))
        }),
        strict("factorial(int8) numeric", |a| {
            let n = int(&a[0]);
            if n < 0 {
                return Err(SqlError::new(
                    "22003",
                    "factorial of a negative number is undefined",
                ));
            }
            if n > 32_177 {
                return Err(SqlError::new("22003", "value overflows numeric format"));
            }
            // 450! has a thousand digits.
            if n > 450 {
                return Err(too_long());
            }
            print(&(2..=n).fold(Decimal::int(1), |product, n| {
                product.times(&Decimal::int(n))
            }))
        }),
        strict("width_bucket(numeric, numeric, numeric, int4) int4", |a| {
            let (operand, low, high) = (decimal(&a[0])?, decimal(&a[1])?, decimal(&a[2])?);
            let count = int(&a[3]);
            let wrong = |text: &str| SqlError::new("2201G", text.to_owned());
            if count <= 0 {
                return Err(wrong("count must be greater than zero"));
            }
            if operand.is_nan() || low.is_nan() || high.is_nan() {
                return Err(wrong("operand, lower bound, and upper bound cannot be NaN"));
            }
            if !low.is_finite() || !high.is_finite() {
                return Err(wrong("lower and upper bounds must be finite"));
            }
            if low.compare(&high).is_eq() {
                return Err(wrong("lower bound cannot equal upper bound"));
            }
            let (operand, low, high) = if low.compare(&high).is_lt() {
                (operand, low, high)
            } else {
                (operand.negate(), low.negate(), high.negate())
            };
            if operand.compare(&low).is_lt() {
                return Ok(Value::Int(0));
            }
            if operand.compare(&high).is_ge() {
                return Ok(Value::Int(count + 1));
            }
            let part = operand.minus(&low).times(&Decimal::int(count));
            let bucket = part.quotient(&high.minus(&low)).map_err(|_| zero())?;
            Ok(Value::Int(bucket.to_i64().unwrap_or(0) + 1))
        }),
    ]
}
