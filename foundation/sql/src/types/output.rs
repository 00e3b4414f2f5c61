//! Postgres' output functions: a stored value as text.

use super::Type;
use super::array::members;
use crate::decimal::Decimal;
use crate::value::Value;

impl Type {
    /// A value as Postgres prints it: what `psql` shows and what text operators see. Null prints as nothing.
    pub fn print(&self, value: &Value) -> String {
        match (self, value) {
            (_, Value::Null) => String::new(),
            (Type::Bool, Value::Int(int)) => if *int == 0 { "f" } else { "t" }.to_owned(),
            (Type::Float4, Value::Real(real)) => float4_text(*real),
            (_, Value::Real(real)) => float_text(*real),
            (_, Value::Int(int)) => int.to_string(),
            (Type::Timestamp, Value::Text(text)) => text.replacen('T', " ", 1),
            (Type::Timestamptz, Value::Text(text)) => text
                .strip_suffix(":00")
                .filter(|rest| rest.ends_with("+00"))
                .unwrap_or(text)
                .replacen('T', " ", 1),
            (Type::Array(item), Value::Text(text)) => print_array(item, text),
            (_, Value::Text(text)) => text.to_string(),
            (_, Value::Blob(bytes)) => hex(bytes),
        }
    }
}

/// `\x` and two digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2 + 2);
    out.push_str("\\x");
    for byte in bytes {
        out.push_str(&format!("{byte:02x}"));
    }
    out
}

fn print_array(item: &Type, text: &str) -> String {
    let Ok(members) = members(item, text) else {
        return text.to_owned();
    };
    let mut out = String::from("{");
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if member.is_null() {
            out.push_str("NULL");
            continue;
        }
        let text = item.print(member);
        let quoted = text.is_empty()
            || text.eq_ignore_ascii_case("null")
            || text.contains(|c: char| {
                matches!(c, '{' | '}' | '"' | ',' | '\\' | '\u{b}') || c.is_ascii_whitespace()
            });
        if !quoted {
            out.push_str(&text);
            continue;
        }
        out.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push('"');
    }
    out.push('}');
    out
}

/// A `double precision` as Postgres prints it: `1`, `0.1`, `1e+20`, `Infinity`.
pub fn float_text(real: f64) -> String {
    let digits = digits(
        format!("{real:e}"),
        |count| format!("{real:.count$e}"),
        |text| text.parse() == Ok(real),
        || {
            midpoints(
                [real, real.next_up(), real.next_down()],
                9_007_199_254_740_992.0,
            )
        },
    );
    notation(real, &digits, 15)
}

/// A `real`, which is stored as the double with the same shortest digits.
pub fn float4_text(real: f64) -> String {
    notation(real, &format!("{real:e}"), 6)
}

/// The shortest digits of a float, as [`float_text`] has them for doubles.
pub(crate) fn single_digits(real: f32) -> String {
    let wide = f64::from;
    digits(
        format!("{real:e}"),
        |count| format!("{real:.count$e}"),
        |text| text.parse() == Ok(real),
        || {
            midpoints(
                [wide(real), wide(real.next_up()), wide(real.next_down())],
                16_777_216.0,
            )
        },
    )
}

/// The digits between which and the float no other float is nearer: the fewest, of those the nearest, of those the even one. What stands
/// exactly half way to the next float is not taken, where other printers take it.
fn digits(
    short: String,
    exact: impl Fn(usize) -> String,
    reads_back: impl Fn(&str) -> bool,
    midpoints: impl Fn() -> Option<[u128; 2]>,
) -> String {
    let Some((mantissa, _)) = short.split_once('e') else {
        return short;
    };
    let count = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let nearest = exact(count - 1);
    let chosen = if reads_back(&nearest) { nearest } else { short };
    let Some(points) = midpoints() else {
        return chosen;
    };
    let half_way = |text: &str| integer(text).is_some_and(|value| points.contains(&value));
    if !half_way(&chosen) {
        return chosen;
    }
    (count..17)
        .map(exact)
        .find(|text| reads_back(text) && !half_way(text))
        .unwrap_or(chosen)
}

/// The points half way to the neighbours of a float so great, from `least` on, that they are integers.
fn midpoints([real, up, down]: [f64; 3], least: f64) -> Option<[u128; 2]> {
    let real = real.abs();
    let whole = (least..1e37).contains(&real);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bounds are looked at"
    )]
    whole.then(|| [up, down].map(|other| (real as u128 + other.abs() as u128) / 2))
}

/// `1.25e+3` as 1250, if it is an integer.
fn integer(text: &str) -> Option<u128> {
    let (mantissa, exponent) = text.trim_start_matches('-').split_once('e')?;
    let digits = mantissa.replace('.', "");
    let zeros = exponent
        .parse::<usize>()
        .ok()?
        .checked_sub(digits.len() - 1)?;
    let zeros = u32::try_from(zeros).ok()?;
    digits
        .parse::<u128>()
        .ok()?
        .checked_mul(10_u128.checked_pow(zeros)?)
}

/// Fixed notation from 1e-4 up to a power of ten, else an exponent of two digits.
fn notation(real: f64, exponential: &str, end: i32) -> String {
    if real.is_nan() {
        return "NaN".to_owned();
    }
    if real.is_infinite() {
        return if real > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let Some((mantissa, exponent)) = exponential.split_once('e') else {
        return exponential.to_owned();
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    if !(-4..end).contains(&exponent) {
        return format!(
            "{sign}{mantissa}e{}{:02}",
            if exponent < 0 { '-' } else { '+' },
            exponent.abs()
        );
    }
    let digits = mantissa.replace('.', "");
    let Ok(point) = usize::try_from(exponent + 1) else {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    };
    if point == 0 {
        return format!("{sign}0.{digits}");
    }
    if digits.len() <= point {
        return format!("{sign}{digits}{}", "0".repeat(point - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..point], &digits[point..])
}

/// A float's digits as casts to numeric take them: so many that are surely right.
pub(crate) fn float_decimal(real: f64, digits: usize) -> Decimal {
    if real.is_nan() {
        return Decimal::nan();
    }
    if real.is_infinite() {
        let text = if real > 0.0 { "inf" } else { "-inf" };
        return Decimal::parse(text).unwrap_or_else(Decimal::nan);
    }
    let text = format!("{real:.*e}", digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    Decimal::parse(&format!("{mantissa}e{exponent}")).unwrap_or_else(Decimal::nan)
}
