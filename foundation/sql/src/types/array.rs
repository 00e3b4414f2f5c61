//! One-dimensional arrays: Postgres' literals and JSON arrays, stored as JSON arrays.

use super::input::syntax;
use crate::error::SqlError;
use crate::json::print_text;
use crate::statement::JsonOut;
use crate::types::Type;
use crate::value::Value;
use serde_json::value::RawValue;

fn float_json(item: &Type, real: f64) -> String {
    if *item == Type::Float4 && real.is_finite() {
        super::output::float4_text(real)
    } else {
        crate::functions::float_json(real)
    }
}

fn nested(text: &str) -> SqlError {
    SqlError::new(
        "0A000",
        format!("arrays of more than one dimension are not stored on the embedded engine: {text}"),
    )
    .hint("Use jsonb.")
}

/// The members of a stored array, each in its stored form.
pub(crate) fn members(item: &Type, text: &str) -> Result<Vec<Value>, SqlError> {
    let raw: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|_| SqlError::new("22P02", "malformed array"))?;
    raw.into_iter()
        .map(|raw| {
            let raw = raw.get();
            let string = || serde_json::from_str::<String>(raw).unwrap_or_default();
            Ok(match (raw.as_bytes().first(), item) {
                (Some(b'n'), _) => Value::Null,
                (_, Type::Json | Type::Jsonb) => Value::text(raw),
                (Some(b't'), _) => Value::Int(1),
                (Some(b'f'), _) => Value::Int(0),
                (_, Type::Bytea) => Type::Bytea.read_text(&string())?,
                (Some(b'"'), Type::Float4 | Type::Float8) => item.read_text(&string())?,
                (Some(b'"'), _) => Value::from(string()),
                (_, Type::Numeric(_)) => Value::text(raw),
                (_, Type::Float4 | Type::Float8) => item.read_text(raw)?,
                _ => match raw.parse() {
                    Ok(int) => Value::Int(int),
                    Err(_) => Value::text(raw),
                },
            })
        })
        .collect()
}

/// An array of these members, in its stored form.
pub(crate) fn store(item: &Type, members: &[Value]) -> Value {
    let mut out = String::from("[");
    for member in members {
        push_member(item, member, &mut out);
    }
    out.push(']');
    out.into()
}

/// Appends a member in the form it has in the stored JSON.
pub(crate) fn push_member(item: &Type, value: &Value, out: &mut String) {
    if out.len() > 1 {
        out.push(',');
    }
    match (value, item.json_out()) {
        (Value::Null, _) => out.push_str("null"),
        (Value::Int(int), JsonOut::Bool) => out.push_str(if *int == 0 { "false" } else { "true" }),
        (Value::Int(int), _) => out.push_str(&int.to_string()),
        (Value::Real(real), _) => out.push_str(&float_json(item, *real)),
        (Value::Text(text), JsonOut::Raw)
            if !matches!(text.as_ref(), "NaN" | "Infinity" | "-Infinity") =>
        {
            out.push_str(text)
        }
        (Value::Text(text), _) => print_text(text, out),
        (Value::Blob(bytes), _) => {
            print_text(&super::output::hex(bytes), out);
        }
    }
}

pub(super) fn read_json(item: &Type, text: &str) -> Result<Value, SqlError> {
    let members: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|_| syntax(&Type::Json, text))?;
    let mut out = String::with_capacity(text.len());
    out.push('[');
    for member in members {
        if member.get().starts_with('[') && !matches!(item, Type::Json | Type::Jsonb) {
            return Err(nested(text));
        }
        push_member(item, &item.read_json(member)?, &mut out);
    }
    out.push(']');
    Ok(Value::from(out))
}

/// `{a,"b c",NULL}`
pub(super) fn read_text(item: &Type, text: &str) -> Result<Value, SqlError> {
    let malformed = |detail: &str| {
        SqlError::new("22P02", format!("malformed array literal: \"{text}\""))
            .detail(detail.to_owned())
    };
    let trimmed = text.trim();
    let inside = trimmed
        .strip_prefix('{')
        .ok_or_else(|| malformed("Array value must start with \"{\" or dimension information."))?
        .strip_suffix('}')
        .ok_or_else(|| malformed("Unexpected end of input."))?;
    let mut out = String::from("[");
    if inside.trim().is_empty() {
        return Ok(Value::text("[]"));
    }
    let mut chars = inside.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        let mut member = String::new();
        let mut quoted = false;
        if chars.next_if_eq(&'"').is_some() {
            quoted = true;
            loop {
                match chars
                    .next()
                    .ok_or_else(|| malformed("Unexpected end of input."))?
                {
                    '"' => break,
                    '\\' => member.push(
                        chars
                            .next()
                            .ok_or_else(|| malformed("Unexpected end of input."))?,
                    ),
                    c => member.push(c),
                }
            }
            while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
        } else {
            while let Some(c) = chars.next_if(|c| *c != ',') {
                match c {
                    '{' | '}' => return Err(nested(text)),
                    '"' => return Err(malformed("Incorrectly quoted array element.")),
                    '\\' => member.push(
                        chars
                            .next()
                            .ok_or_else(|| malformed("Unexpected end of input."))?,
                    ),
                    c => member.push(c),
                }
            }
            member.truncate(member.trim_end().len());
            if member.is_empty() {
                return Err(malformed("Unexpected \",\" character."));
            }
        }
        let value = if !quoted && member.eq_ignore_ascii_case("null") {
            Value::Null
        } else {
            item.read_text(&member)?
        };
        if matches!(item, Type::Json | Type::Jsonb)
            && matches!(&value, Value::Text(text) if text.trim() == "null")
        {
            return Err(SqlError::new(
                "0A000",
                format!(
                    "a JSON null in an array of {} is not kept on the embedded engine",
                    item.name()
                ),
            )
            .hint("Use NULL without quotes, or jsonb instead of the array."));
        }
        push_member(item, &value, &mut out);
        match chars.next() {
            None => break,
            Some(',') => {}
            Some(_) => return Err(malformed("Incorrectly quoted array element.")),
        }
    }
    out.push(']');
    Ok(Value::from(out))
}
