//! Postgres' input functions: text, or a member of a JSON payload, to the stored form.

use super::{array, time};
use crate::decimal::{Decimal, Fault};
use crate::error::SqlError;
use crate::json;
use crate::types::Type;
use crate::value::Value;
use serde_json::value::RawValue;

impl Type {
    /// Reads text as the type's input function does.
    ///
    /// Errors: 22P02 not of the type's form, 22003 out of range, 22001 too long, 22007 and 22008 for dates and times, 22P05 for what no
    /// text may hold.
    pub fn read_text(&self, text: &str) -> Result<Value, SqlError> {
        if text.contains('\0') {
            return Err(SqlError::new(
                "22021",
                "invalid byte sequence for encoding \"UTF8\": 0x00",
            ));
        }
        match self {
            Type::Int2 => integer(text, self, i64::from(i16::MIN), i64::from(i16::MAX)),
            Type::Int4 => integer(text, self, i64::from(i32::MIN), i64::from(i32::MAX)),
            Type::Int8 => integer(text, self, i64::MIN, i64::MAX),
            Type::Float4 | Type::Float8 => float(text, self),
            Type::Numeric(size) => numeric(text, *size),
            Type::Bool => boolean(text),
            Type::Text => Ok(Value::text(text)),
            Type::Varchar(limit) => varchar(text, *limit),
            Type::Char(length) => character(text, *length),
            Type::Uuid => uuid(text),
            Type::Timestamptz => time::timestamptz(text),
            Type::Timestamp => time::timestamp(text),
            Type::Date => time::date(text),
            Type::Time => time::time(text),
            Type::Interval => Ok(time::interval::Interval::read(text)?.print().into()),
            Type::Json => match json::parse(text) {
                Ok(_) => Ok(Value::text(text)),
                // Plain json keeps its text, in which an escaped zero is only an escape.
                Err(json::Fault::Zero) => Ok(Value::text(text)),
                Err(fault) => Err(json_fault(fault, "json")),
            },
            Type::Jsonb => {
                let value = json::parse(text).map_err(|fault| json_fault(fault, "json"))?;
                let mut out = String::with_capacity(text.len() + 8);
                json::print(&value, &mut out);
                Ok(Value::from(out))
            }
            Type::Bytea => bytea(text),
            Type::Enum(labels) => {
                if labels.labels.iter().any(|label| label == text) {
                    Ok(Value::text(text))
                } else {
                    Err(SqlError::new(
                        "22P02",
                        format!(
                            "invalid input value for enum {}: \"{}\"",
                            labels.name,
                            shown(text)
                        ),
                    ))
                }
            }
            Type::Array(item) => array::read_text(item, text),
        }
    }

    /// Reads a member of a JSON payload as Postgres' `json_populate_record` does: strings by the input function, numbers by their text,
    /// objects and arrays into json and array columns.
    pub fn read_json(&self, raw: &RawValue) -> Result<Value, SqlError> {
        let text = raw.get();
        match (text.as_bytes().first(), self) {
            (Some(b'n'), Type::Json | Type::Jsonb) | (Some(b'n'), _) if text == "null" => {
                Ok(Value::Null)
            }
            (_, Type::Json | Type::Jsonb) => self.read_text(text),
            (Some(b'"'), _) => {
                if let Some(plain) = plain(text) {
                    return self.read_text(plain);
                }
                let string: String = serde_json::from_str(text)
                    .map_err(|_| json_fault(json::Fault::Syntax, "json"))?;
                self.read_text(&string)
            }
            (Some(b'['), Type::Array(item)) => array::read_json(item, text),
            _ => self.read_text(text),
        }
    }
}

/// The inside of a JSON string that has no escapes.
fn plain(text: &str) -> Option<&str> {
    let inside = text.get(1..text.len().checked_sub(1)?)?;
    (!inside.contains('\\')).then_some(inside)
}

/// At most 64 characters of what was given: enough to recognise it.
fn shown(text: &str) -> String {
    match text.char_indices().nth(64) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text.to_owned(),
    }
}

/// `invalid input syntax for type ..`
pub(crate) fn syntax(ty: &Type, text: &str) -> SqlError {
    SqlError::new(
        "22P02",
        format!(
            "invalid input syntax for type {}: \"{}\"",
            ty.base_name(),
            shown(text)
        ),
    )
}

fn range(ty: &Type, text: &str) -> SqlError {
    SqlError::new(
        "22003",
        format!(
            "value \"{}\" is out of range for type {}",
            shown(text),
            ty.base_name()
        ),
    )
}

fn json_fault(fault: json::Fault, ty: &str) -> SqlError {
    match fault {
        json::Fault::Syntax => {
            SqlError::new("22P02", format!("invalid input syntax for type {ty}"))
        }
        json::Fault::Depth => SqlError::new(
            "54001",
            format!("{ty} nests deeper than {} levels", json::DEPTH),
        ),
        json::Fault::Zero => SqlError::new("22P05", "unsupported Unicode escape sequence")
            .detail("\\u0000 cannot be converted to text."),
    }
}

fn integer(text: &str, ty: &Type, low: i64, high: i64) -> Result<Value, SqlError> {
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
    match trimmed.parse::<i64>() {
        Ok(int) if (low..=high).contains(&int) => Ok(Value::Int(int)),
        Ok(_) => Err(range(ty, text)),
        Err(_) => {
            let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                Err(range(ty, text))
            } else {
                Err(syntax(ty, text))
            }
        }
    }
}

fn float(text: &str, ty: &Type) -> Result<Value, SqlError> {
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let (sign, word) = match trimmed.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if ["infinity", "inf"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
    {
        return Ok(Value::Real(sign * f64::INFINITY));
    }
    if word.eq_ignore_ascii_case("nan") {
        // SQLite turns a NaN into null, and a null where a value was given is a lie.
        return Err(SqlError::new(
            "0A000",
            "NaN is not stored in floating point columns on the embedded engine",
        )
        .hint("Use numeric, or null."));
    }
    if !word
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return Err(syntax(ty, text));
    }
    let value: f64 = trimmed.parse().map_err(|_| syntax(ty, text))?;
    let value = if *ty == Type::Float4 {
        let narrow: f32 = trimmed.parse().map_err(|_| syntax(ty, text))?;
        super::cast::widen(narrow)
    } else {
        value
    };
    let nonzero = word
        .bytes()
        .take_while(|byte| !matches!(byte, b'e' | b'E'))
        .any(|byte| (b'1'..=b'9').contains(&byte));
    if value.is_infinite() || (value == 0.0 && nonzero) {
        return Err(SqlError::new(
            "22003",
            format!(
                "\"{}\" is out of range for type {}",
                shown(text),
                ty.base_name()
            ),
        ));
    }
    Ok(Value::Real(value))
}

fn numeric(text: &str, size: Option<(u16, i16)>) -> Result<Value, SqlError> {
    #[cfg(feature = "planted")]
    let text = &match (
        crate::planted::planted(crate::planted::Bug::NumericThroughFloat),
        text.trim().parse::<f64>(),
    ) {
        (true, Ok(float)) if float.is_finite() => float.to_string(),
        _ => text.to_owned(),
    };
    let decimal = Decimal::read(text).map_err(|fault| match fault {
        Fault::Syntax => syntax(&Type::Numeric(None), text),
        Fault::Overflow => SqlError::new("22003", "value overflows numeric format"),
    })?;
    let mut out = String::with_capacity(text.len());
    fit(&decimal, size)?.print(&mut out);
    Ok(Value::from(out))
}

/// Rounds to a declared scale and checks the declared precision.
pub(crate) fn fit(decimal: &Decimal, size: Option<(u16, i16)>) -> Result<Decimal, SqlError> {
    let Some((precision, scale)) = size else {
        return Ok(decimal.clone());
    };
    if decimal.is_nan() {
        return Ok(decimal.clone());
    }
    let overflow = |limit: String| {
        SqlError::new("22003", "numeric field overflow").detail(format!(
            "A field with precision {precision}, scale {scale} {limit}."
        ))
    };
    if !decimal.is_finite() {
        return Err(overflow("cannot hold an infinite value".to_owned()));
    }
    let rounded = decimal.to_place(i64::from(scale), false);
    // How many digits there may be before the point; below zero, how many zeros must follow it.
    let room = i64::from(precision) - i64::from(scale);
    if !rounded.is_zero() && rounded.point() > room {
        return Err(overflow(format!(
            "must round to an absolute value less than {}",
            if room == 0 {
                "1".to_owned()
            } else {
                format!("10^{room}")
            }
        )));
    }
    Ok(rounded)
}

fn boolean(text: &str) -> Result<Value, SqlError> {
    let word = text
        .trim_matches(|c: char| c.is_ascii_whitespace())
        .to_ascii_lowercase();
    let is = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if is("true", 1) || is("yes", 1) || word == "on" || word == "1" {
        Ok(Value::Int(1))
    } else if is("false", 1) || is("no", 1) || is("off", 2) || word == "0" {
        Ok(Value::Int(0))
    } else {
        Err(syntax(&Type::Bool, text))
    }
}

fn varchar(text: &str, limit: Option<u32>) -> Result<Value, SqlError> {
    let Some(limit) = limit else {
        return Ok(Value::text(text));
    };
    let limit = limit as usize;
    // Bytes bound characters, so most texts need no counting.
    if text.len() <= limit {
        return Ok(Value::text(text));
    }
    match text.char_indices().nth(limit) {
        None => Ok(Value::text(text)),
        // As the standard wants: blanks beyond the limit are cut, anything else is an error.
        Some((at, _)) if text[at..].bytes().all(|byte| byte == b' ') => {
            Ok(Value::text(&text[..at]))
        }
        Some(_) => Err(SqlError::new(
            "22001",
            format!("value too long for type character varying({limit})"),
        )),
    }
}

/// What an explicit cast leaves of a text.
pub(super) fn varchar_cut<'a>(ty: &Type, text: &'a str) -> &'a str {
    let (Type::Varchar(Some(limit)) | Type::Char(limit)) = ty else {
        return text;
    };
    match text.char_indices().nth(*limit as usize) {
        Some((at, _)) => &text[..at],
        None => text,
    }
}

fn character(text: &str, length: u32) -> Result<Value, SqlError> {
    let length = length as usize;
    let count = text.chars().count();
    if count <= length {
        let mut padded = text.to_owned();
        padded.extend(std::iter::repeat_n(' ', length - count));
        return Ok(Value::from(padded));
    }
    match text.char_indices().nth(length) {
        Some((at, _)) if text[at..].bytes().all(|byte| byte == b' ') => {
            Ok(Value::text(&text[..at]))
        }
        _ => Err(SqlError::new(
            "22001",
            format!("value too long for type character({length})"),
        )),
    }
}

fn uuid(text: &str) -> Result<Value, SqlError> {
    let bytes = text.as_bytes();
    let canonical = bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| {
            if matches!(at, 8 | 13 | 18 | 23) {
                *byte == b'-'
            } else {
                byte.is_ascii_digit() || (b'a'..=b'f').contains(byte)
            }
        });
    if canonical {
        return Ok(Value::text(text));
    }
    // Postgres takes any case, braces around it, and a hyphen after each group of four digits.
    let inside = match text.strip_prefix('{') {
        Some(rest) => rest
            .strip_suffix('}')
            .ok_or_else(|| syntax(&Type::Uuid, text))?,
        None => text,
    };
    let mut digits = String::with_capacity(32);
    let mut hyphen = true;
    for c in inside.chars() {
        match c {
            '-' if !hyphen && digits.len().is_multiple_of(4) && digits.len() < 32 => hyphen = true,
            c if c.is_ascii_hexdigit() && digits.len() < 32 => {
                digits.push(c.to_ascii_lowercase());
                hyphen = false;
            }
            _ => return Err(syntax(&Type::Uuid, text)),
        }
    }
    if digits.len() != 32 || hyphen {
        return Err(syntax(&Type::Uuid, text));
    }
    Ok(Value::from(format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )))
}

fn bytea(text: &str) -> Result<Value, SqlError> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let digits: Vec<u8> = digits
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        if !digits.len().is_multiple_of(2) {
            return Err(SqlError::new(
                "22023",
                "invalid hexadecimal data: odd number of digits",
            ));
        }
        let nibble = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
                .ok_or_else(|| {
                    let digit = char::from(byte);
                    SqlError::new("22023", format!("invalid hexadecimal digit: \"{digit}\""))
                })
        };
        let bytes = digits
            .chunks(2)
            .map(|pair| Ok(nibble(pair[0])? << 4 | nibble(pair[1])?))
            .collect::<Result<Vec<u8>, SqlError>>()?;
        return Ok(Value::Blob(bytes.into()));
    }
    escaped(text)
}

/// The escape form: octal digits behind a backslash.
pub(crate) fn escaped(text: &str) -> Result<Value, SqlError> {
    let invalid = || syntax(&Type::Bytea, text);
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'\\' {
            out.push(*byte);
            at += 1;
        } else if bytes.get(at + 1) == Some(&b'\\') {
            out.push(b'\\');
            at += 2;
        } else {
            let octal = text.get(at + 1..at + 4).ok_or_else(invalid)?;
            out.push(u8::from_str_radix(octal, 8).map_err(|_| invalid())?);
            at += 4;
        }
    }
    Ok(Value::Blob(out.into()))
}
