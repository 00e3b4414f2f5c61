//! `json` and `jsonb`.

mod build;
mod change;

use super::registry::{Row, strict};
use super::{SqlFunction, float_json, int, internal, text};
use crate::error::SqlError;
use crate::json::{self, Json, Key};
use crate::types::output::float4_text;
use crate::value::Value;
use serde_json::value::RawValue;

/// What requests ask of a column.
pub(super) const ALL: &[SqlFunction] = &[
    internal!("pg_json_get", 2, get),
    internal!("pg_json_get_text", 2, get_text),
    internal!("pg_jsonb_contains", 2, contains),
    internal!("pg_jsonb_contained", 2, |a: &[Value]| contains(&[
        a[1].clone(),
        a[0].clone()
    ])),
    internal!("pg_json_float", 1, |a: &[Value]| match &a[0] {
        Value::Real(real) => Ok(float_json(*real).into()),
        other => Ok(Value::Text(text(other))),
    }),
    internal!("pg_json_float4", 1, |a: &[Value]| match &a[0] {
        Value::Real(real) if real.is_finite() => Ok(float4_text(*real).into()),
        Value::Real(real) => Ok(float_json(*real).into()),
        other => Ok(Value::Text(text(other))),
    }),
];

/// A member by name, or an item by its place (negative ones from the end), as its own text.
fn member<'a>(value: &'a str, key: &Value) -> Option<&'a RawValue> {
    match key {
        Value::Int(index) => {
            let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
            let index = if *index < 0 {
                i64::try_from(items.len()).ok()? + index
            } else {
                *index
            };
            items.get(usize::try_from(index).ok()?).copied()
        }
        Value::Text(name) => {
            let mut members: std::collections::HashMap<String, &RawValue> =
                serde_json::from_str(value).ok()?;
            members.remove(name.as_ref())
        }
        _ => None,
    }
}

/// `->>`: strings without their quotes, null as null, anything else as it stands.
fn unquoted(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'n' => None,
        b'"' => serde_json::from_str(raw).ok(),
        _ => Some(raw.to_owned()),
    }
}

fn get(a: &[Value]) -> Result<Value, SqlError> {
    let value = text(&a[0]);
    Ok(member(&value, &a[1]).map(|raw| raw.get().to_owned()).into())
}

/// A scalar is as an array of one to an index into jsonb.
fn get_place(a: &[Value]) -> Result<Value, SqlError> {
    let value = text(&a[0]);
    let scalar = !value.starts_with(['{', '[']);
    if scalar && matches!(a[1], Value::Int(0 | -1)) {
        return Ok(a[0].clone());
    }
    get(a)
}

fn get_place_text(a: &[Value]) -> Result<Value, SqlError> {
    Ok(match get_place(a)? {
        Value::Text(raw) => unquoted(&raw).into(),
        other => other,
    })
}

fn get_text(a: &[Value]) -> Result<Value, SqlError> {
    let value = text(&a[0]);
    Ok(member(&value, &a[1])
        .and_then(|raw| unquoted(raw.get()))
        .into())
}

/// Names of a text array in its stored form.
fn names(array: &Value) -> Vec<Option<String>> {
    serde_json::from_str(&text(array)).unwrap_or_default()
}

fn path<'a>(value: &str, steps: impl Iterator<Item = Option<&'a str>>) -> Option<String> {
    let mut at = value.trim().to_owned();
    for step in steps {
        let step = step?;
        let key = match (at.trim_start().starts_with('['), step.trim().parse::<i64>()) {
            (true, Ok(index)) => Value::Int(index),
            (true, Err(_)) => return None,
            (false, _) => Value::text(step),
        };
        let found = member(&at, &key)?.get().to_owned();
        at = found;
    }
    Some(at)
}

fn dig(a: &[Value]) -> Result<Value, SqlError> {
    let steps = names(&a[1]);
    Ok(path(&text(&a[0]), steps.iter().map(Option::as_deref)).into())
}

fn dig_text(a: &[Value]) -> Result<Value, SqlError> {
    let steps = names(&a[1]);
    Ok(path(&text(&a[0]), steps.iter().map(Option::as_deref))
        .and_then(|raw| unquoted(&raw))
        .into())
}

fn follow(a: &[Value]) -> Option<String> {
    path(&text(&a[0]), a[1..].iter().map(Value::as_str))
}

fn read(value: &Value) -> Result<Json, SqlError> {
    json::parse(&text(value))
        .map_err(|_| SqlError::new("22P02", "invalid input syntax for type json"))
}

fn print(value: &Json) -> Value {
    let mut out = String::new();
    json::print(value, &mut out);
    Value::from(out)
}

fn contains(a: &[Value]) -> Result<Value, SqlError> {
    Ok(json::contains(&read(&a[0])?, &read(&a[1])?).into())
}

fn exists(value: &Json, name: &str) -> bool {
    match value {
        Json::Object(members) => members.contains_key(&Key(name.to_owned())),
        Json::Array(items) => items
            .iter()
            .any(|item| matches!(item, Json::Text(text) if text == name)),
        Json::Text(text) => text == name,
        _ => false,
    }
}

fn kind(a: &[Value]) -> Result<Value, SqlError> {
    Ok(Value::from(
        match text(&a[0]).trim_start().as_bytes().first() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            _ => "number",
        },
    ))
}

fn length(a: &[Value]) -> Result<Value, SqlError> {
    match read(&a[0])? {
        Json::Array(items) => Ok(Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX))),
        Json::Object(_) => Err(SqlError::new(
            "22023",
            "cannot get array length of a non-array",
        )),
        _ => Err(SqlError::new(
            "22023",
            "cannot get array length of a scalar",
        )),
    }
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for ty in ["json", "jsonb"] {
        rows.extend([
            strict(format!("->({ty}, text) {ty}"), get),
            strict(
                format!("->({ty}, int4) {ty}"),
                if ty == "jsonb" { get_place } else { get },
            ),
            strict(format!("->>({ty}, text) text"), get_text),
            strict(
                format!("->>({ty}, int4) text"),
                if ty == "jsonb" {
                    get_place_text
                } else {
                    get_text
                },
            ),
            strict(format!("#>({ty}, text[]) {ty}"), dig),
            strict(format!("#>>({ty}, text[]) text"), dig_text),
            strict(
                format!("{ty}_extract_path({ty}, variadic text[]) {ty}"),
                |a| Ok(follow(a).into()),
            ),
            strict(
                format!("{ty}_extract_path_text({ty}, variadic text[]) text"),
                |a| Ok(follow(a).and_then(|raw| unquoted(&raw)).into()),
            ),
            strict(format!("{ty}_object_field({ty}, text) {ty}"), get),
            strict(format!("{ty}_object_field_text({ty}, text) text"), get_text),
            strict(format!("{ty}_array_element({ty}, int4) {ty}"), get),
            strict(
                format!("{ty}_array_element_text({ty}, int4) text"),
                get_text,
            ),
            strict(format!("{ty}_typeof({ty}) text"), kind),
            strict(format!("{ty}_array_length({ty}) int4"), length),
        ]);
    }
    rows.extend([
        strict("@>(jsonb, jsonb) bool", contains),
        strict("<@(jsonb, jsonb) bool", |a| {
            contains(&[a[1].clone(), a[0].clone()])
        }),
        strict("jsonb_contains(jsonb, jsonb) bool", contains),
        strict("?(jsonb, text) bool", |a| {
            Ok(exists(&read(&a[0])?, &text(&a[1])).into())
        }),
        strict("jsonb_exists(jsonb, text) bool", |a| {
            Ok(exists(&read(&a[0])?, &text(&a[1])).into())
        }),
        strict("?|(jsonb, text[]) bool", |a| {
            let value = read(&a[0])?;
            Ok(names(&a[1])
                .iter()
                .flatten()
                .any(|name| exists(&value, name))
                .into())
        }),
        strict("?&(jsonb, text[]) bool", |a| {
            let value = read(&a[0])?;
            Ok(names(&a[1])
                .iter()
                .flatten()
                .all(|name| exists(&value, name))
                .into())
        }),
    ]);
    rows.extend(build::rows());
    rows.extend(change::rows());
    rows
}

/// An index of `-` and paths: from the end if it is negative.
fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 { length + index } else { index };
    usize::try_from(index)
        .ok()
        .filter(|at| i64::try_from(*at).is_ok_and(|at| at < length))
}

fn whole(value: &Value) -> i64 {
    int(value)
}
