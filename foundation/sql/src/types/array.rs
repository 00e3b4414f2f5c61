//! One-dimensional arrays: Postgres' literals and JSON arrays, stored as JSON arrays.

use super::input::syntax;
use crate::error::SqlError;
use crate::json::print_text;
use crate::statement::JsonOut;
use crate::types::Type;
use crate::value::Value;
use serde_json::value::RawValue;

fn nested(text: &str) -> SqlError {
    SqlError::new(
        "0A000",
        format!("arrays of more than one dimension are not stored on the embedded engine: {text}"),
    )
    .hint("Use jsonb.")
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
        (Value::Real(real), _) => out.push_str(&crate::functions::float_json(*real)),
        (Value::Text(text), JsonOut::Raw) if text.as_ref() != "NaN" => out.push_str(text),
        (Value::Text(text), _) => print_text(text, out),
        (Value::Blob(bytes), _) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            print_text(&format!("\\x{hex}"), out);
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
