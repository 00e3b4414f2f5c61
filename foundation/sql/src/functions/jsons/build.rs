//! JSON out of values of any type.

use super::{names, print};
use crate::error::SqlError;
use crate::functions::registry::{Row, lax_typed, strict, typed};
use crate::functions::{float_json, text};
use crate::json::{self, print_text};
use crate::types::output::float4_text;
use crate::types::{Type, members};
use crate::value::Value;

/// Appends a value as `to_json` writes it.
pub(crate) fn json_text(ty: &Type, value: &Value, out: &mut String) {
    match (ty, value) {
        (_, Value::Null) => out.push_str("null"),
        (Type::Bool, Value::Int(int)) => out.push_str(if *int == 0 { "false" } else { "true" }),
        (_, Value::Int(int)) => out.push_str(&int.to_string()),
        (Type::Float4, Value::Real(real)) if real.is_finite() => out.push_str(&float4_text(*real)),
        (_, Value::Real(real)) => out.push_str(&float_json(*real)),
        (Type::Numeric(_), Value::Text(text)) => {
            if text.ends_with(|c: char| c.is_ascii_alphabetic()) {
                print_text(text, out);
            } else {
                out.push_str(text);
            }
        }
        (Type::Json | Type::Jsonb, Value::Text(text)) => out.push_str(text),
        (Type::Array(item), Value::Text(text)) => {
            out.push('[');
            for (index, member) in members(item, text).unwrap_or_default().iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json_text(item, member, out);
            }
            out.push(']');
        }
        (_, Value::Text(text)) => print_text(text, out),
        (ty, value) => print_text(&ty.print(value), out),
    }
}

/// Text of JSON as jsonb keeps it.
fn normal(text: &str) -> Result<Value, SqlError> {
    match json::parse(text) {
        Ok(value) => Ok(print(&value)),
        Err(_) => Type::Jsonb.read_text(text),
    }
}

fn to_json(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    let mut out = String::new();
    json_text(&types[0], &a[0], &mut out);
    Ok(out.into())
}

fn array(types: &[Type], a: &[Value]) -> String {
    let mut out = String::from("[");
    for (index, (ty, value)) in types.iter().zip(a).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        json_text(ty, value, &mut out);
    }
    out.push(']');
    out
}

fn object(types: &[Type], a: &[Value], name: &str) -> Result<String, SqlError> {
    let binary = name.starts_with("jsonb");
    if a.len() % 2 == 1 {
        return Err(
            SqlError::new("22023", "argument list must have even number of elements").hint(
                format!("The arguments of {name}() must consist of alternating keys and values."),
            ),
        );
    }
    let mut out = String::from("{");
    for (index, (types, pair)) in types.chunks(2).zip(a.chunks(2)).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        let place = index * 2 + 1;
        if pair[0].is_null() {
            return Err(if binary {
                SqlError::new("22023", format!("argument {place}: key must not be null"))
            } else {
                SqlError::new("22023", format!("argument {place} cannot be null"))
                    .hint("Object keys should be text.")
            });
        }
        if matches!(types[0], Type::Array(_) | Type::Json | Type::Jsonb) {
            return Err(SqlError::new(
                "22023",
                "key value must be scalar, not array, composite, or json",
            ));
        }
        let mut key = String::new();
        match (&types[0], &pair[0]) {
            // Moments are written as JSON has them, and the rest as text.
            (Type::Bool, Value::Int(int)) => key.push_str(if *int == 0 { "false" } else { "true" }),
            (Type::Timestamp | Type::Timestamptz, Value::Text(text)) => key.push_str(text),
            (ty, value) => key.push_str(&ty.print(value)),
        }
        print_text(&key, &mut out);
        out.push_str(" : ");
        json_text(&types[1], &pair[1], &mut out);
    }
    out.push('}');
    Ok(out)
}

fn pairs(keys: &[Option<String>], values: &[Option<String>]) -> Result<String, SqlError> {
    let mut out = String::from("{");
    for (index, (key, value)) in keys.iter().zip(values).enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        let key = key
            .as_ref()
            .ok_or_else(|| SqlError::new("22004", "null value not allowed for object key"))?;
        print_text(key, &mut out);
        out.push_str(" : ");
        match value {
            Some(value) => print_text(value, &mut out),
            None => out.push_str("null"),
        }
    }
    out.push('}');
    Ok(out)
}

fn from_pairs(a: &[Value]) -> Result<String, SqlError> {
    if let Some(values) = a.get(1) {
        let (keys, values) = (names(&a[0]), names(values));
        if keys.len() != values.len() {
            return Err(SqlError::new("2202E", "mismatched array dimensions"));
        }
        return pairs(&keys, &values);
    }
    let all = names(&a[0]);
    if all.len() % 2 == 1 {
        return Err(SqlError::new(
            "2202E",
            "array must have even number of elements",
        ));
    }
    let (keys, values): (Vec<_>, Vec<_>) = all
        .chunks(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .unzip();
    pairs(&keys, &values)
}

/// Without the members that are null, the rest as it was written but for white space.
fn strip(value: &serde_json::value::RawValue, out: &mut String) -> Result<(), SqlError> {
    use serde_json::value::RawValue;
    let broken = || SqlError::new("22P02", "invalid input syntax for type json");
    let raw = value.get().trim();
    match raw.as_bytes().first() {
        Some(b'{') => {
            let mut first = true;
            out.push('{');
            let mut failed = None;
            let members: Members<'_> = serde_json::from_str(raw).map_err(|_| broken())?;
            for (key, member) in members.0 {
                if member.get() == "null" {
                    continue;
                }
                if !first {
                    out.push(',');
                }
                first = false;
                print_text(&key, out);
                out.push(':');
                if let Err(error) = strip(member, out) {
                    failed = Some(error);
                }
            }
            out.push('}');
            failed.map_or(Ok(()), Err)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(|_| broken())?;
            out.push('[');
            for (index, item) in items.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                strip(item, out)?;
            }
            out.push(']');
            Ok(())
        }
        _ => {
            out.push_str(raw);
            Ok(())
        }
    }
}

/// The members of an object in the order they stand.
struct Members<'a>(Vec<(String, &'a serde_json::value::RawValue)>);

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        typed("to_json(anyelement) json", to_json),
        typed("to_jsonb(anyelement) jsonb", |types, a| {
            normal(&text(&to_json(types, a)?))
        }),
        typed("array_to_json(anyarray) json", to_json),
        lax_typed("json_build_array(variadic any) json", |types, a| {
            Ok(array(types, a).into())
        }),
        strict(
            "json_build_array() json as pg_json_build_array_empty",
            |_| Ok("[]".into()),
        ),
        lax_typed("jsonb_build_array(variadic any) jsonb", |types, a| {
            normal(&array(types, a))
        }),
        strict(
            "jsonb_build_array() jsonb as pg_jsonb_build_array_empty",
            |_| Ok("[]".into()),
        ),
        lax_typed("json_build_object(variadic any) json", |types, a| {
            Ok(object(types, a, "json_build_object")?.into())
        }),
        strict(
            "json_build_object() json as pg_json_build_object_empty",
            |_| Ok("{}".into()),
        ),
        lax_typed("jsonb_build_object(variadic any) jsonb", |types, a| {
            normal(&object(types, a, "jsonb_build_object")?)
        }),
        strict(
            "jsonb_build_object() jsonb as pg_jsonb_build_object_empty",
            |_| Ok("{}".into()),
        ),
        strict("json_object(text[]) json", |a| Ok(from_pairs(a)?.into())),
        strict("json_object(text[], text[]) json", |a| {
            Ok(from_pairs(a)?.into())
        }),
        strict("jsonb_object(text[]) jsonb", |a| normal(&from_pairs(a)?)),
        strict("jsonb_object(text[], text[]) jsonb", |a| {
            normal(&from_pairs(a)?)
        }),
        strict("json_strip_nulls(json) json", |a| {
            let value = text(&a[0]);
            let raw = serde_json::from_str(&value)
                .map_err(|_| SqlError::new("22P02", "invalid input syntax for type json"))?;
            let mut out = String::new();
            strip(raw, &mut out)?;
            Ok(out.into())
        }),
    ]
}
