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
    shortest(real, format!("{real:e}"), 15)
}

/// A `real`, which is stored as the double with the same shortest digits.
pub fn float4_text(real: f64) -> String {
    shortest(real, format!("{real:e}"), 6)
}

/// Fixed notation from 1e-4 up to a power of ten, else an exponent of two digits.
fn shortest(real: f64, exponential: String, end: i32) -> String {
    if real.is_nan() {
        return "NaN".to_owned();
    }
    if real.is_infinite() {
        return if real > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let Some((mantissa, exponent)) = exponential.split_once('e') else {
        return exponential;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..end).contains(&exponent) {
        return format!("{real}");
    }
    format!(
        "{mantissa}e{}{:02}",
        if exponent < 0 { '-' } else { '+' },
        exponent.abs()
    )
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
