//! Casts that change the stored form or check it.

use super::numbers::{decimal, print};
use super::registry::Row;
use super::{float_text, int, strict, text};
use crate::error::SqlError;
use crate::json::{self, Json};
use crate::types::Type;
use crate::types::input::fit;
use crate::value::Value;

pub(super) fn rows() -> Vec<Row> {
    vec![
        // Text, or an integer of another width, to the type named.
        strict!("pg_read_int2", 1, |a: &[Value]| Type::Int2
            .read_text(&text(&a[0]))),
        strict!("pg_read_int4", 1, |a: &[Value]| Type::Int4
            .read_text(&text(&a[0]))),
        strict!("pg_read_int8", 1, |a: &[Value]| Type::Int8
            .read_text(&text(&a[0]))),
        strict!("pg_read_float4", 1, |a: &[Value]| Type::Float4
            .read_text(&text(&a[0]))),
        strict!("pg_read_float8", 1, |a: &[Value]| Type::Float8
            .read_text(&text(&a[0]))),
        strict!("pg_read_numeric", 1, |a: &[Value]| Type::Numeric(None)
            .read_text(&text(&a[0]))),
        strict!("pg_read_bool", 1, |a: &[Value]| Type::Bool
            .read_text(&text(&a[0]))),
        strict!("pg_read_uuid", 1, |a: &[Value]| Type::Uuid
            .read_text(&text(&a[0]))),
        strict!("pg_read_timestamptz", 1, |a: &[Value]| Type::Timestamptz
            .read_text(&text(&a[0]))),
        strict!("pg_read_timestamp", 1, |a: &[Value]| Type::Timestamp
            .read_text(&text(&a[0]))),
        strict!("pg_read_date", 1, |a: &[Value]| Type::Date
            .read_text(&text(&a[0]))),
        strict!("pg_read_time", 1, |a: &[Value]| Type::Time
            .read_text(&text(&a[0]))),
        strict!("pg_read_json", 1, |a: &[Value]| Type::Json
            .read_text(&text(&a[0]))),
        strict!("pg_read_jsonb", 1, |a: &[Value]| Type::Jsonb
            .read_text(&text(&a[0]))),
        strict!("pg_read_text_array", 1, |a: &[Value]| Type::Array(
            Box::new(Type::Text)
        )
        .read_text(&text(&a[0]))),
        // The value and the labels as a JSON array; the type's name for the message.
        strict!("pg_read_enum", 3, |a: &[Value]| {
            let (value, labels) = (text(&a[0]), text(&a[1]));
            let labels: Vec<String> = serde_json::from_str(&labels).unwrap_or_default();
            if labels.iter().any(|label| *label == *value) {
                Ok(a[0].clone())
            } else {
                Err(SqlError::new(
                    "22P02",
                    format!("invalid input value for enum {}: \"{value}\"", text(&a[2])),
                ))
            }
        }),
        // An explicit cast to varchar(n) cuts, where an assignment raises.
        strict!("pg_cut", 2, |a: &[Value]| Ok(text(&a[0])
            .chars()
            .take(usize::try_from(int(&a[1])).unwrap_or(0))
            .collect::<String>()
            .into())),
        strict!("pg_numeric_fit", 3, |a: &[Value]| {
            let size = (
                u16::try_from(int(&a[1])).unwrap_or(u16::MAX),
                i16::try_from(int(&a[2])).unwrap_or(0),
            );
            Ok(print(&fit(&decimal(&a[0])?, Some(size))?))
        }),
        // Rounds as casts to integers do: numerics half away from zero, floats half to even.
        strict!("pg_round_int", 1, |a: &[Value]| match &a[0] {
            Value::Real(real) => Type::Int8.read_text(&format!("{:.0}", real.round_ties_even())),
            other => {
                let mut out = String::new();
                decimal(other)?.rescale(0).print(&mut out);
                Type::Int8.read_text(&out)
            }
        }),
        strict!("pg_float_text", 1, |a: &[Value]| match &a[0] {
            Value::Real(real) => Ok(float_text(*real).into()),
            other => Ok(Value::Text(text(other))),
        }),
        // `2024-01-02T03:04:05.1+00:00` as `::text` shows it: `2024-01-02 03:04:05.1+00`.
        strict!("pg_timestamp_text", 1, |a: &[Value]| {
            let stored = text(&a[0]);
            Ok(stored
                .strip_suffix(":00")
                .filter(|rest| rest.ends_with("+00"))
                .unwrap_or(&stored)
                .replacen('T', " ", 1)
                .into())
        }),
        strict!("pg_array_text", 1, |a: &[Value]| {
            let Ok(Json::Array(items)) = json::parse(&text(&a[0])) else {
                return Ok(a[0].clone());
            };
            let mut out = String::from("{");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                match item {
                    Json::Null => out.push_str("NULL"),
                    Json::Bool(bool) => out.push_str(if *bool { "t" } else { "f" }),
                    Json::Text(text)
                        if !text.is_empty()
                            && !text.eq_ignore_ascii_case("null")
                            && !text.contains(|c: char| {
                                c.is_ascii_whitespace() || "{}\",\\".contains(c)
                            }) =>
                    {
                        out.push_str(text)
                    }
                    Json::Text(text) => {
                        out.push('"');
                        for c in text.chars() {
                            if matches!(c, '"' | '\\') {
                                out.push('\\');
                            }
                            out.push(c);
                        }
                        out.push('"');
                    }
                    other => json::print(other, &mut out),
                }
            }
            out.push('}');
            Ok(Value::from(out))
        }),
        // A number or boolean inside jsonb, as `jsonb::int` and its like take it out.
        strict!("pg_jsonb_scalar", 2, |a: &[Value]| {
            let wanted = text(&a[1]);
            match json::parse(&text(&a[0])) {
                Ok(Json::Number(number)) if wanted.as_ref() != "boolean" => Ok(print(&number)),
                Ok(Json::Bool(bool)) if wanted.as_ref() == "boolean" => Ok(bool.into()),
                Ok(other) => {
                    let kind = match other {
                        Json::Null => return Ok(Value::Null),
                        Json::Bool(_) => "boolean",
                        Json::Number(_) => "numeric",
                        Json::Text(_) => "string",
                        Json::Array(_) => "array",
                        Json::Object(_) => "object",
                    };
                    Err(SqlError::new(
                        "22023",
                        format!("cannot cast jsonb {kind} to type {wanted}"),
                    ))
                }
                Err(_) => Err(SqlError::new("22P02", "invalid input syntax for type json")),
            }
        }),
    ]
}
