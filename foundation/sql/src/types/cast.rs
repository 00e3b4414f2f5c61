//! What a cast does to a stored value. Whether there is such a cast, [`super::conversion`] says.

use super::array::{members, store};
use super::input::{fit, varchar_cut};
use super::output::{float_decimal, single_digits};
use super::time::calendar::DAY;
use super::time::interval::Interval;
use super::time::{date_from, endless, stored, time_from, timestamp_from, timestamptz_from};
use super::{Type, conversion::Category};
use crate::decimal::Decimal;
use crate::error::SqlError;
use crate::json::{self, Json};
use crate::value::Value;

/// Casts a value that is not null. An explicit cast cuts what is too long where an assignment raises.
pub(crate) fn cast(
    from: &Type,
    to: &Type,
    value: &Value,
    explicit: bool,
) -> Result<Value, SqlError> {
    use Type as T;
    if value.is_null() || (from == to && !matches!(to, T::Char(_))) {
        return Ok(value.clone());
    }
    match (from, to) {
        (_, to) if to.category() == Category::Text => {
            let text = match from {
                T::Bool => if *value == Value::Int(0) {
                    "false"
                } else {
                    "true"
                }
                .to_owned(),
                // Blanks at the end of a char(n) are no part of it.
                T::Char(_) => from.print(value).trim_end_matches(' ').to_owned(),
                from => from.print(value),
            };
            match to {
                T::Varchar(Some(_)) | T::Char(_) if explicit => {
                    to.read_text(varchar_cut(to, &text))
                }
                T::Varchar(Some(_)) | T::Char(_) => to.read_text(&text),
                _ => Ok(text.into()),
            }
        }
        (from, to) if from.category() == Category::Text => to.read_text(&from.print(value)),
        (T::Array(from), T::Array(to)) => {
            let Value::Text(text) = value else {
                return Ok(value.clone());
            };
            let cast = members(from, text)?
                .iter()
                .map(|member| cast(from, to, member, explicit))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(store(to, &cast))
        }
        (from, to) if from.category() == Category::Number && to.category() == Category::Number => {
            number(from, to, value)
        }
        (T::Int4, T::Bool) => Ok((*value != Value::Int(0)).into()),
        (T::Json, T::Jsonb) => T::Jsonb.read_text(&from.print(value)),
        (T::Jsonb, to) if *to != T::Json => scalar(&from.print(value), to),
        (T::Timestamp | T::Timestamptz | T::Date | T::Time | T::Interval, _) => {
            moment(from, to, value)
        }
        _ => Ok(value.clone()),
    }
}

fn out_of_range(ty: &Type) -> SqlError {
    SqlError::new("22003", format!("{} out of range", ty.base_name()))
}

/// An integer in the range of its type.
pub(crate) fn integer(int: Option<i64>, ty: &Type) -> Result<Value, SqlError> {
    let fits = int.filter(|int| match ty {
        Type::Int2 => i16::try_from(*int).is_ok(),
        Type::Int4 => i32::try_from(*int).is_ok(),
        _ => true,
    });
    fits.map(Value::Int).ok_or_else(|| out_of_range(ty))
}

/// A float that can be stored.
pub(crate) fn float(real: f64) -> Result<Value, SqlError> {
    if real.is_nan() {
        // SQLite turns a NaN into null, and a null where a value was computed is a lie.
        return Err(SqlError::new(
            "0A000",
            "NaN of a floating point type is not kept on the embedded engine",
        )
        .hint("Use numeric, or null."));
    }
    Ok(Value::Real(real))
}

/// The double that has the shortest digits of a float: how a `real` is stored.
pub(crate) fn widen(narrow: f32) -> f64 {
    if narrow.is_finite() {
        single_digits(narrow).parse().unwrap_or(f64::from(narrow))
    } else {
        f64::from(narrow)
    }
}

/// A stored `real` as the float it is.
#[expect(
    clippy::cast_possible_truncation,
    reason = "real has the precision of f32"
)]
pub(crate) fn narrow(real: f64) -> f32 {
    real as f32
}

fn beyond(real: f64, result: f64) -> Result<f64, SqlError> {
    if result.is_infinite() && real.is_finite() {
        return Err(SqlError::new("22003", "value out of range: overflow"));
    }
    if result == 0.0 && real != 0.0 {
        return Err(SqlError::new("22003", "value out of range: underflow"));
    }
    Ok(result)
}

/// The text of a numeric, or the error of one that is too long.
pub(crate) fn print_decimal(decimal: &Decimal) -> Result<Value, SqlError> {
    if decimal.is_too_long() {
        return Err(SqlError::new("22003", "value overflows numeric format"));
    }
    let mut out = String::new();
    decimal.print(&mut out);
    Ok(out.into())
}

/// A stored numeric.
pub(crate) fn decimal(value: &Value) -> Result<Decimal, SqlError> {
    let broken = || SqlError::new("22P02", "invalid input syntax for type numeric");
    match value {
        Value::Int(int) => Ok(Decimal::int(*int)),
        Value::Text(text) => Decimal::parse(text).ok_or_else(broken),
        _ => Err(broken()),
    }
}

fn number(from: &Type, to: &Type, value: &Value) -> Result<Value, SqlError> {
    use Type as T;
    match (value, to) {
        (Value::Int(int), T::Int2 | T::Int4 | T::Int8) => integer(Some(*int), to),
        #[expect(clippy::cast_precision_loss, reason = "as Postgres rounds")]
        (Value::Int(int), T::Float8) => Ok(Value::Real(*int as f64)),
        #[expect(clippy::cast_precision_loss, reason = "as Postgres rounds")]
        (Value::Int(int), T::Float4) => Ok(Value::Real(widen(*int as f32))),
        (Value::Int(int), T::Numeric(size)) => print_decimal(&fit(&Decimal::int(*int), *size)?),
        (Value::Real(real), T::Int2 | T::Int4 | T::Int8) => {
            let rounded = real.round_ties_even();
            #[expect(clippy::cast_possible_truncation, reason = "the bounds are looked at")]
            let int = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0)
                .contains(&rounded)
                .then_some(rounded as i64);
            integer(int, to)
        }
        (Value::Real(real), T::Float8) if *from == T::Float4 => {
            Ok(Value::Real(f64::from(narrow(*real))))
        }
        (Value::Real(real), T::Float4) => {
            let narrowed = narrow(*real);
            beyond(*real, f64::from(narrowed)).map(|_| Value::Real(widen(narrowed)))
        }
        (Value::Real(real), T::Numeric(size)) => {
            let digits = if *from == T::Float4 { 6 } else { 15 };
            print_decimal(&fit(&float_decimal(*real, digits), *size)?)
        }
        (value, to) => {
            let decimal = decimal(value)?;
            match to {
                T::Numeric(size) => print_decimal(&fit(&decimal, *size)?),
                T::Float8 => {
                    let real = decimal.to_f64();
                    if real.is_infinite() && decimal.is_finite() {
                        let mut text = String::new();
                        decimal.print(&mut text);
                        return T::Float8.read_text(&text);
                    }
                    float(real)
                }
                T::Float4 => {
                    let mut text = String::new();
                    decimal.print(&mut text);
                    T::Float4.read_text(&text)
                }
                to => {
                    if !decimal.is_finite() {
                        let what = if decimal.is_nan() { "NaN" } else { "infinity" };
                        return Err(SqlError::new(
                            "0A000",
                            format!("cannot convert {what} to {}", to.base_name()),
                        ));
                    }
                    integer(decimal.rescale(0).to_i64(), to)
                }
            }
        }
    }
}

/// A number or a boolean out of a jsonb.
fn scalar(text: &str, to: &Type) -> Result<Value, SqlError> {
    let value = json::parse(text)
        .map_err(|_| SqlError::new("22P02", "invalid input syntax for type json"))?;
    let kind = match value {
        Json::Number(number) if *to != Type::Bool => {
            let mut text = String::new();
            number.print(&mut text);
            return self::number(&Type::Numeric(None), to, &text.into());
        }
        Json::Bool(bool) if *to == Type::Bool => return Ok(bool.into()),
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "numeric",
        Json::Text(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    Err(SqlError::new(
        "22023",
        format!("cannot cast jsonb {kind} to type {}", to.base_name()),
    ))
}

fn moment(from: &Type, to: &Type, value: &Value) -> Result<Value, SqlError> {
    use Type as T;
    let Value::Text(text) = value else {
        return Ok(value.clone());
    };
    if *from == T::Interval {
        // To a time of day: what is left of whole days.
        return Ok(time_from(Interval::stored(text)?.micros.rem_euclid(DAY)).into());
    }
    let micros = stored(text)?;
    Ok(match to {
        T::Timestamptz => timestamptz_from(micros)?.into(),
        T::Timestamp => timestamp_from(micros)?.into(),
        T::Date if endless(micros) => date_from(micros)?.into(),
        T::Date => date_from(micros.div_euclid(DAY) * DAY)?.into(),
        T::Time if endless(micros) => Value::Null,
        T::Time => time_from(micros.rem_euclid(DAY)).into(),
        T::Interval => Interval::of_micros(micros).print().into(),
        _ => value.clone(),
    })
}
