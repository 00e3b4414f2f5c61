//! The operators of `json` and `jsonb`.

use super::registry::{Row, strict as row};
use super::{float_json, strict, text};
use crate::error::SqlError;
use crate::json::{self, Json, Key};
use crate::value::Value;
use serde_json::value::RawValue;

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict!("pg_json_get", 2, |a: &[Value]| Ok(member(
            &text(&a[0]),
            &a[1]
        )
        .map(|raw| raw.get().to_owned())
        .into())),
        strict!("pg_json_get_text", 2, |a: &[Value]| Ok(member(
            &text(&a[0]),
            &a[1]
        )
        .and_then(|raw| unquoted(raw.get()))
        .into())),
        strict!("pg_json_path", 2, |a: &[Value]| Ok(
            path(&a[0], &a[1]).into()
        )),
        strict!("pg_json_path_text", 2, |a: &[Value]| Ok(path(&a[0], &a[1])
            .and_then(|raw| unquoted(&raw))
            .into())),
        strict!("pg_jsonb_contains", 2, |a: &[Value]| Ok(json::contains(
            &read(&a[0])?,
            &read(&a[1])?
        )
        .into())),
        strict!("pg_jsonb_contained", 2, |a: &[Value]| Ok(json::contains(
            &read(&a[1])?,
            &read(&a[0])?
        )
        .into())),
        strict!("pg_jsonb_exists", 2, |a: &[Value]| Ok(exists(
            &read(&a[0])?,
            &text(&a[1])
        )
        .into())),
        strict!("pg_jsonb_exists_any", 2, |a: &[Value]| {
            let value = read(&a[0])?;
            Ok(names(&a[1]).iter().any(|name| exists(&value, name)).into())
        }),
        strict!("pg_jsonb_exists_all", 2, |a: &[Value]| {
            let value = read(&a[0])?;
            Ok(names(&a[1]).iter().all(|name| exists(&value, name)).into())
        }),
        strict!("pg_jsonb_concat", 2, |a: &[Value]| Ok(print(concat(
            read(&a[0])?,
            read(&a[1])?
        )))),
        strict!("pg_jsonb_delete", 2, |a: &[Value]| {
            let name = text(&a[1]);
            Ok(print(match read(&a[0])? {
                Json::Object(mut members) => {
                    members.remove(&Key(name.to_string()));
                    Json::Object(members)
                }
                Json::Array(items) => Json::Array(
                    items
                        .into_iter()
                        .filter(|item| *item != Json::Text(name.to_string()))
                        .collect(),
                ),
                _ => return Err(SqlError::new("22023", "cannot delete from scalar")),
            }))
        }),
        row("json_typeof(json) text", |a: &[Value]| {
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
        }),
        row("json_array_length(json) int4", |a: &[Value]| {
            match read(&a[0])? {
                Json::Array(items) => {
                    Ok(Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)))
                }
                Json::Object(_) => Err(SqlError::new(
                    "22023",
                    "cannot get array length of a non-array",
                )),
                _ => Err(SqlError::new(
                    "22023",
                    "cannot get array length of a scalar",
                )),
            }
        }),
        row(
            "jsonb_array_length(jsonb) int4",
            |a: &[Value]| match read(&a[0])? {
                Json::Array(items) => {
                    Ok(Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)))
                }
                Json::Object(_) => Err(SqlError::new(
                    "22023",
                    "cannot get array length of a non-array",
                )),
                _ => Err(SqlError::new(
                    "22023",
                    "cannot get array length of a scalar",
                )),
            },
        ),
        strict!("pg_json_float", 1, |a: &[Value]| match &a[0] {
            Value::Real(real) => Ok(float_json(*real).into()),
            other => Ok(Value::Text(text(other))),
        }),
        row("jsonb_typeof(jsonb) text", |a: &[Value]| {
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
        }),
    ]
}

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

/// Names of a text array in its stored form.
fn names(array: &Value) -> Vec<String> {
    let stored: Vec<Option<String>> = serde_json::from_str(&text(array)).unwrap_or_default();
    stored.into_iter().flatten().collect()
}

fn path(value: &Value, steps: &Value) -> Option<String> {
    let mut at = text(value).to_string();
    for step in names(steps) {
        let key = match (at.trim_start().starts_with('['), step.parse::<i64>()) {
            (true, Ok(index)) => Value::Int(index),
            (true, Err(_)) => return None,
            (false, _) => Value::from(step),
        };
        at = member(&at, &key)?.get().to_owned();
    }
    Some(at)
}

fn read(value: &Value) -> Result<Json, SqlError> {
    json::parse(&text(value))
        .map_err(|_| SqlError::new("22P02", "invalid input syntax for type json"))
}

fn print(value: Json) -> Value {
    let mut out = String::new();
    json::print(&value, &mut out);
    Value::from(out)
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

/// `||`: objects merge, everything else is joined as arrays.
fn concat(left: Json, right: Json) -> Json {
    match (left, right) {
        (Json::Object(mut left), Json::Object(right)) => {
            left.extend(right);
            Json::Object(left)
        }
        (left, right) => {
            let items = |value| {
                if let Json::Array(items) = value {
                    items
                } else {
                    vec![value]
                }
            };
            let mut out = items(left);
            out.extend(items(right));
            Json::Array(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::int;
    use super::*;

    fn call(name: &str, arguments: &[Value]) -> Value {
        let function = super::super::functions()
            .find(|function| function.sqlite_name() == name)
            .expect(name);
        function.call(arguments).expect(name)
    }

    #[test]
    fn members_are_found_and_unquoted() {
        let object = Value::text(r#"{"a": {"b": [1, "two", null]}, "n": null}"#);
        assert_eq!(
            call("pg_json_get", &[object.clone(), "a".into()]),
            Value::text(r#"{"b": [1, "two", null]}"#)
        );
        assert_eq!(
            call("pg_json_get_text", &[object.clone(), "n".into()]),
            Value::Null
        );
        assert_eq!(
            call(
                "pg_json_path_text",
                &[object.clone(), r#"["a","b","1"]"#.into()]
            ),
            Value::text("two")
        );
        assert_eq!(
            call("pg_json_get", &[Value::text("[1, 2]"), Value::Int(-1)]),
            Value::text("2")
        );
        assert_eq!(
            int(&call(
                "pg_jsonb_contains",
                &[object.clone(), r#"{"a": {"b": [1]}}"#.into()]
            )),
            1
        );
        assert_eq!(
            int(&call(
                "pg_jsonb_contains",
                &[object, r#"{"a": {"b": [3]}}"#.into()]
            )),
            0
        );
    }
}
