//! What makes another jsonb of one: joining, setting, taking out.

use super::{names, place, print, read, whole};
use crate::error::SqlError;
use crate::functions::int;
use crate::functions::registry::{Row, strict};
use crate::functions::text;
use crate::json::{Json, Key, print_text};
use crate::value::Value;

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

fn wrong(message: &str) -> SqlError {
    SqlError::new("22023", message.to_owned())
}

fn without(value: Json, names: &[Option<String>]) -> Result<Json, SqlError> {
    match value {
        Json::Object(mut members) => {
            for name in names.iter().flatten() {
                members.remove(&Key(name.clone()));
            }
            Ok(Json::Object(members))
        }
        Json::Array(mut items) => {
            items.retain(|item| {
                !matches!(item, Json::Text(text) if names.iter().flatten().any(|name| name == text))
            });
            Ok(Json::Array(items))
        }
        _ => Err(wrong("cannot delete from scalar")),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Change {
    /// Replaces, and creates what is missing if asked to.
    Set {
        create: bool,
    },
    Insert {
        after: bool,
    },
    Delete,
}

fn index(step: &str, at: usize) -> Result<i64, SqlError> {
    step.trim().parse().map_err(|_| {
        SqlError::new(
            "22P02",
            format!("path element at position {at} is not an integer: \"{step}\""),
        )
    })
}

/// Changes what a path leads to. What it does not reach stays as it is.
fn change(
    value: &mut Json,
    steps: &[String],
    at: usize,
    change: Change,
    new: &Json,
) -> Result<(), SqlError> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(());
    };
    match value {
        Json::Object(members) => {
            let key = Key(step.clone());
            if !rest.is_empty() {
                if let Some(member) = members.get_mut(&key) {
                    self::change(member, rest, at + 1, change, new)?;
                }
                return Ok(());
            }
            let known = members.contains_key(&key);
            match change {
                Change::Delete => {
                    members.remove(&key);
                }
                Change::Insert { .. } if known => {
                    return Err(wrong("cannot replace existing key")
                        .hint("Try using the function jsonb_set to replace key value."));
                }
                Change::Set { create: false } if !known => {}
                _ => {
                    members.insert(key, new.clone());
                }
            }
            Ok(())
        }
        Json::Array(items) => {
            let wanted = index(step, at)?;
            let found = place(wanted, items.len());
            if !rest.is_empty() {
                if let Some(item) = found.and_then(|found| items.get_mut(found)) {
                    self::change(item, rest, at + 1, change, new)?;
                }
                return Ok(());
            }
            match (change, found) {
                (Change::Delete, Some(found)) => {
                    items.remove(found);
                }
                (Change::Delete, None) | (Change::Set { create: false }, None) => {}
                (Change::Set { .. }, Some(found)) => items[found] = new.clone(),
                (Change::Insert { after }, Some(found)) => {
                    items.insert(found + usize::from(after), new.clone());
                }
                (_, None) if wanted < 0 => items.insert(0, new.clone()),
                (_, None) => items.push(new.clone()),
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn at_path(a: &[Value], kind: Change, new: &Json) -> Result<Value, SqlError> {
    let mut value = read(&a[0])?;
    let steps = names(&a[1]);
    let steps: Vec<String> = steps
        .into_iter()
        .enumerate()
        .map(|(at, step)| {
            step.ok_or_else(|| {
                SqlError::new(
                    "22004",
                    format!("path element at position {} is null", at + 1),
                )
            })
        })
        .collect::<Result<_, _>>()?;
    if !matches!(value, Json::Object(_) | Json::Array(_)) {
        return Err(wrong(if kind == Change::Delete {
            "cannot delete path in scalar"
        } else {
            "cannot set path in scalar"
        }));
    }
    let empty = match &value {
        Json::Object(members) => members.is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    };
    // Nothing can be found in nothing, so the path is not even looked at.
    if empty && matches!(kind, Change::Delete | Change::Set { create: false }) {
        return Ok(print(&value));
    }
    change(&mut value, &steps, 1, kind, new)?;
    Ok(print(&value))
}

fn set(a: &[Value]) -> Result<Value, SqlError> {
    let create = a.get(3).is_none_or(|create| int(create) != 0);
    at_path(a, Change::Set { create }, &read(&a[2])?)
}

fn insert(a: &[Value]) -> Result<Value, SqlError> {
    let after = a.get(3).is_some_and(|after| int(after) != 0);
    at_path(a, Change::Insert { after }, &read(&a[2])?)
}

fn stripped(value: Json) -> Json {
    match value {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter(|(_, member)| *member != Json::Null)
                .map(|(key, member)| (key, stripped(member)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(stripped).collect()),
        other => other,
    }
}

fn pretty(value: &Json, depth: usize, out: &mut String) {
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    match value {
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                line(depth + 1, out);
                pretty(item, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                line(depth + 1, out);
                print_text(&key.0, out);
                out.push_str(": ");
                pretty(member, depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
        other => crate::json::print(other, out),
    }
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("||(jsonb, jsonb) jsonb", |a| {
            Ok(print(&concat(read(&a[0])?, read(&a[1])?)))
        }),
        strict("-(jsonb, text) jsonb", |a| {
            Ok(print(&without(
                read(&a[0])?,
                &[Some(text(&a[1]).to_string())],
            )?))
        }),
        strict("-(jsonb, text[]) jsonb", |a| {
            Ok(print(&without(read(&a[0])?, &names(&a[1]))?))
        }),
        strict("-(jsonb, int4) jsonb", |a| match read(&a[0])? {
            Json::Array(mut items) => {
                if let Some(at) = place(whole(&a[1]), items.len()) {
                    items.remove(at);
                }
                Ok(print(&Json::Array(items)))
            }
            Json::Object(_) => Err(wrong("cannot delete from object using integer index")),
            _ => Err(wrong("cannot delete from scalar")),
        }),
        strict("#-(jsonb, text[]) jsonb", |a| {
            at_path(a, Change::Delete, &Json::Null)
        }),
        strict("jsonb_delete_path(jsonb, text[]) jsonb", |a| {
            at_path(a, Change::Delete, &Json::Null)
        }),
        strict("jsonb_set(jsonb, text[], jsonb) jsonb", set),
        strict("jsonb_set(jsonb, text[], jsonb, bool) jsonb", set),
        strict("jsonb_insert(jsonb, text[], jsonb) jsonb", insert),
        strict("jsonb_insert(jsonb, text[], jsonb, bool) jsonb", insert),
        strict("jsonb_strip_nulls(jsonb) jsonb", |a| {
            Ok(print(&stripped(read(&a[0])?)))
        }),
        strict("jsonb_pretty(jsonb) text", |a| {
            let mut out = String::new();
            pretty(&read(&a[0])?, 0, &mut out);
            Ok(out.into())
        }),
    ]
}
