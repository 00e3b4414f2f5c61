//! Arrays, in their stored form: JSON arrays.

use super::registry::{Row, lax_typed, typed};
use super::{SqlFunction, int, internal, text};
use crate::error::SqlError;
use crate::json::{self, Json};
use crate::types::compare::compare;
use crate::types::{Type, members, store};
use crate::value::Value;
use std::cmp::Ordering;

/// What requests ask of a column, by the stored forms alone.
pub(super) const ALL: &[SqlFunction] = &[
    // `= any (array)` of values that are equal when their stored forms are.
    SqlFunction {
        name: "pg_member",
        arity: 2,
        deterministic: true,
        // Not even null is in an array without members.
        call: |a| {
            if a[1].is_null() {
                return Ok(Value::Null);
            }
            let mut unknown = false;
            for item in items(&a[1])? {
                let equal = match (&item, &a[0]) {
                    (Json::Null, _) | (_, Value::Null) => {
                        unknown = true;
                        false
                    }
                    (Json::Bool(item), Value::Int(int)) => i64::from(*item) == *int,
                    (Json::Number(item), Value::Int(int)) => item.to_i64() == Some(*int),
                    (Json::Text(item), Value::Text(text)) => item.as_str() == &**text,
                    _ => false,
                };
                if equal {
                    return Ok(true.into());
                }
            }
            Ok(if unknown { Value::Null } else { false.into() })
        },
    },
    internal!("pg_array_contains", 2, |a: &[Value]| {
        let (whole, part) = (items(&a[0])?, items(&a[1])?);
        // A null equals nothing, so an array that asks for one is never contained.
        Ok(part
            .iter()
            .all(|item| *item != Json::Null && whole.contains(item))
            .into())
    }),
    internal!("pg_array_contained", 2, |a: &[Value]| {
        let (part, whole) = (items(&a[0])?, items(&a[1])?);
        Ok(part
            .iter()
            .all(|item| *item != Json::Null && whole.contains(item))
            .into())
    }),
    internal!("pg_array_overlaps", 2, |a: &[Value]| {
        let (left, right) = (items(&a[0])?, items(&a[1])?);
        Ok(left
            .iter()
            .any(|item| *item != Json::Null && right.contains(item))
            .into())
    }),
];

fn items(value: &Value) -> Result<Vec<Json>, SqlError> {
    match json::parse(&text(value)) {
        Ok(Json::Array(items)) => Ok(items),
        _ => Err(SqlError::new("22P02", "malformed array")),
    }
}

/// The members of an array of a type.
fn read<'t>(ty: &'t Type, value: &Value) -> Result<(&'t Type, Vec<Value>), SqlError> {
    match ty {
        Type::Array(item) => Ok((item, members(item, &text(value))?)),
        _ => Err(SqlError::new("XX000", "an array is wanted")),
    }
}

/// As [`read`], a null being an array of nothing.
fn read_or_empty<'t>(ty: &'t Type, value: &Value) -> Result<(&'t Type, Vec<Value>), SqlError> {
    match (ty, value) {
        (Type::Array(item), Value::Null) => Ok((item, Vec::new())),
        _ => read(ty, value),
    }
}

fn same(item: &Type, left: &Value, right: &Value) -> bool {
    compare(item, left, right).is_eq()
}

fn size(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn contains(types: &[Type], whole: &Value, part: &Value) -> Result<Value, SqlError> {
    let (item, whole) = read(&types[0], whole)?;
    let (_, part) = read(&types[1], part)?;
    let has =
        |wanted: &Value| !wanted.is_null() && whole.iter().any(|known| same(item, known, wanted));
    Ok(part.iter().all(has).into())
}

fn joined(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    if a[0].is_null() || a[1].is_null() {
        return Ok(if a[0].is_null() {
            a[1].clone()
        } else {
            a[0].clone()
        });
    }
    let (item, mut left) = read(&types[0], &a[0])?;
    left.extend(read(&types[1], &a[1])?.1);
    Ok(store(item, &left))
}

fn appended(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    let (item, mut members) = read_or_empty(&types[0], &a[0])?;
    members.push(a[1].clone());
    Ok(store(item, &members))
}

fn prepended(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    let (item, mut members) = read_or_empty(&types[1], &a[1])?;
    members.insert(0, a[0].clone());
    Ok(store(item, &members))
}

fn positions(types: &[Type], a: &[Value], from: i64) -> Result<Vec<i64>, SqlError> {
    let (item, members) = read_or_empty(&types[0], &a[0])?;
    Ok((1..)
        .zip(&members)
        .filter(|(at, member)| *at >= from && same(item, member, &a[1]))
        .map(|(at, _)| at)
        .collect())
}

fn position(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    let from = match a.get(2) {
        Some(Value::Null) => {
            return Err(SqlError::new("22004", "initial position must not be null"));
        }
        Some(from) => int(from),
        None => 1,
    };
    Ok(positions(types, a, from)?.first().copied().into())
}

fn to_string(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    if a[0].is_null() || a[1].is_null() {
        return Ok(Value::Null);
    }
    let (item, members) = read(&types[0], &a[0])?;
    let missing = a.get(2).filter(|missing| !missing.is_null()).map(text);
    let parts: Vec<String> = members
        .iter()
        .filter_map(|member| {
            if member.is_null() {
                missing.as_ref().map(ToString::to_string)
            } else {
                Some(item.print(member))
            }
        })
        .collect();
    Ok(parts.join(&text(&a[1])).into())
}

fn from_string(a: &[Value]) -> Result<Value, SqlError> {
    if a[0].is_null() {
        return Ok(Value::Null);
    }
    let whole = text(&a[0]);
    let parts: Vec<String> = match &a[1] {
        _ if whole.is_empty() => Vec::new(),
        Value::Null => whole.chars().map(String::from).collect(),
        separator => match &*text(separator) {
            "" => vec![whole.to_string()],
            separator => whole.split(separator).map(str::to_owned).collect(),
        },
    };
    let missing = a.get(2).filter(|missing| !missing.is_null()).map(text);
    let parts: Vec<Value> = parts
        .into_iter()
        .map(|part| {
            if missing.as_ref().is_some_and(|missing| **missing == *part) {
                Value::Null
            } else {
                part.into()
            }
        })
        .collect();
    Ok(store(&Type::Text, &parts))
}

fn length(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    let (_, members) = read(&types[0], &a[0])?;
    Ok(if members.is_empty() || int(&a[1]) != 1 {
        Value::Null
    } else {
        size(members.len())
    })
}

/// Whether a comparison's outcome answers an operator.
fn answers(op: &str, order: Ordering) -> bool {
    match op {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// `x op any (array)` and `x op all (array)`, null as Postgres has it.
fn quantified(types: &[Type], a: &[Value], all: bool) -> Result<Value, SqlError> {
    let op = text(&a[0]);
    if a[2].is_null() {
        return Ok(Value::Null);
    }
    let (item, members) = read(&types[2], &a[2])?;
    let mut unknown = false;
    for member in &members {
        if member.is_null() || a[1].is_null() {
            unknown = true;
            continue;
        }
        let (negated, pattern) = match op.strip_prefix('!') {
            Some(op) => (true, op),
            None => (false, &*op),
        };
        let answer = if pattern.starts_with('~') {
            let key = format!("{pattern}(text, text)");
            let matches = super::registry::builtin(&key)
                .ok_or_else(|| SqlError::new("XX000", "an unknown operator"))?;
            (matches.call(&[a[1].clone(), member.clone()])? == Value::Int(1)) != negated
        } else {
            answers(&op, compare(item, &a[1], member))
        };
        if answer != all {
            return Ok((!all).into());
        }
    }
    Ok(if unknown { Value::Null } else { all.into() })
}

/// The greatest or the least, nulls passed over.
fn extreme(types: &[Type], a: &[Value], wanted: Ordering) -> Value {
    let mut best: Option<&Value> = None;
    for value in a.iter().filter(|value| !value.is_null()) {
        if best.is_none_or(|best| compare(&types[0], value, best) == wanted) {
            best = Some(value);
        }
    }
    best.cloned().unwrap_or(Value::Null)
}

fn labels(ty: &Type) -> Vec<Value> {
    match ty {
        Type::Enum(labels) => labels
            .labels
            .iter()
            .map(|label| Value::text(label.as_str()))
            .collect(),
        _ => Vec::new(),
    }
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        typed("@>(anyarray, anyarray) bool", |types, a| {
            contains(types, &a[0], &a[1])
        }),
        typed("<@(anyarray, anyarray) bool", |types, a| {
            contains(types, &a[1], &a[0])
        }),
        typed("&&(anyarray, anyarray) bool", |types, a| {
            let (item, left) = read(&types[0], &a[0])?;
            let (_, right) = read(&types[1], &a[1])?;
            let shared = |wanted: &Value| {
                !wanted.is_null() && right.iter().any(|known| same(item, known, wanted))
            };
            Ok(left.iter().any(shared).into())
        }),
        lax_typed(
            "||(anycompatiblearray, anycompatiblearray) anycompatiblearray",
            joined,
        ),
        lax_typed(
            "||(anycompatiblearray, anycompatible) anycompatiblearray",
            appended,
        ),
        lax_typed(
            "||(anycompatible, anycompatiblearray) anycompatiblearray",
            prepended,
        ),
        lax_typed(
            "array_cat(anycompatiblearray, anycompatiblearray) anycompatiblearray",
            joined,
        ),
        lax_typed(
            "array_append(anycompatiblearray, anycompatible) anycompatiblearray",
            appended,
        ),
        lax_typed(
            "array_prepend(anycompatible, anycompatiblearray) anycompatiblearray",
            prepended,
        ),
        lax_typed(
            "array_remove(anycompatiblearray, anycompatible) anycompatiblearray",
            |types, a| {
                if a[0].is_null() {
                    return Ok(Value::Null);
                }
                let (item, mut members) = read(&types[0], &a[0])?;
                members.retain(|member| !same(item, member, &a[1]));
                Ok(store(item, &members))
            },
        ),
        lax_typed(
            "array_replace(anycompatiblearray, anycompatible, anycompatible) anycompatiblearray",
            |types, a| {
                if a[0].is_null() {
                    return Ok(Value::Null);
                }
                let (item, mut members) = read(&types[0], &a[0])?;
                for member in &mut members {
                    if same(item, member, &a[1]) {
                        *member = a[2].clone();
                    }
                }
                Ok(store(item, &members))
            },
        ),
        lax_typed(
            "array_position(anycompatiblearray, anycompatible) int4",
            position,
        ),
        lax_typed(
            "array_position(anycompatiblearray, anycompatible, int4) int4",
            position,
        ),
        lax_typed(
            "array_positions(anycompatiblearray, anycompatible) int4[]",
            |types, a| {
                if a[0].is_null() {
                    return Ok(Value::Null);
                }
                let found: Vec<Value> = positions(types, a, 1)?
                    .into_iter()
                    .map(Value::Int)
                    .collect();
                Ok(store(&Type::Int4, &found))
            },
        ),
        typed("array_length(anyarray, int4) int4", length),
        typed("array_upper(anyarray, int4) int4", length),
        typed("array_lower(anyarray, int4) int4", |types, a| {
            let (_, members) = read(&types[0], &a[0])?;
            let some = !members.is_empty() && int(&a[1]) == 1;
            Ok(if some { Value::Int(1) } else { Value::Null })
        }),
        typed("array_ndims(anyarray) int4", |types, a| {
            let (_, members) = read(&types[0], &a[0])?;
            Ok(if members.is_empty() {
                Value::Null
            } else {
                Value::Int(1)
            })
        }),
        typed("array_dims(anyarray) text", |types, a| {
            let (_, members) = read(&types[0], &a[0])?;
            Ok(if members.is_empty() {
                Value::Null
            } else {
                format!("[1:{}]", members.len()).into()
            })
        }),
        typed("cardinality(anyarray) int4", |types, a| {
            Ok(size(read(&types[0], &a[0])?.1.len()))
        }),
        typed("trim_array(anyarray, int4) anyarray", |types, a| {
            let (item, mut members) = read(&types[0], &a[0])?;
            let keep = usize::try_from(int(&a[1]))
                .ok()
                .and_then(|count| members.len().checked_sub(count))
                .ok_or_else(|| {
                    SqlError::new(
                        "2202E",
                        format!(
                            "number of elements to trim must be between 0 and {}",
                            members.len()
                        ),
                    )
                })?;
            members.truncate(keep);
            Ok(store(item, &members))
        }),
        lax_typed("array_to_string(anyarray, text) text", to_string),
        lax_typed("array_to_string(anyarray, text, text) text", to_string),
        super::registry::lax("string_to_array(text, text) text[]", from_string),
        super::registry::lax("string_to_array(text, text, text) text[]", from_string),
        typed(
            ".subscript(anyarray, int4) anyelement as pg_subscript",
            |types, a| {
                let (_, members) = read(&types[0], &a[0])?;
                let at = usize::try_from(int(&a[1]) - 1).ok();
                Ok(at
                    .and_then(|at| members.get(at))
                    .cloned()
                    .unwrap_or(Value::Null))
            },
        ),
        typed(
            ".slice(anyarray, int4, int4) anyarray as pg_slice",
            |types, a| {
                let (item, members) = read(&types[0], &a[0])?;
                let from = usize::try_from(int(&a[1]).max(1) - 1)
                    .unwrap_or(0)
                    .min(members.len());
                let to = usize::try_from(int(&a[2]).max(0))
                    .unwrap_or(0)
                    .min(members.len());
                Ok(store(item, &members[from..to.max(from)]))
            },
        ),
        lax_typed(
            ".array(variadic anycompatible) anycompatiblearray as pg_array",
            |types, a| Ok(store(types.first().unwrap_or(&Type::Text), a)),
        ),
        lax_typed(
            ".some(text, anyelement, anyarray) bool as pg_some_of",
            |types, a| quantified(types, a, false),
        ),
        lax_typed(
            ".every(text, anyelement, anyarray) bool as pg_all_of",
            |types, a| quantified(types, a, true),
        ),
        lax_typed(
            ".greatest(variadic anycompatible) anycompatible as pg_greatest",
            |types, a| Ok(extreme(types, a, Ordering::Greater)),
        ),
        lax_typed(
            ".least(variadic anycompatible) anycompatible as pg_least",
            |types, a| Ok(extreme(types, a, Ordering::Less)),
        ),
        typed(
            ".compare(anyelement, anyelement) int4 as pg_compare",
            |types, a| {
                Ok(Value::Int(match compare(&types[0], &a[0], &a[1]) {
                    Ordering::Less => -1,
                    Ordering::Equal => 0,
                    Ordering::Greater => 1,
                }))
            },
        ),
        lax_typed("enum_first(anyenum) anyenum", |types, _| {
            Ok(labels(&types[0]).first().cloned().unwrap_or(Value::Null))
        }),
        lax_typed("enum_last(anyenum) anyenum", |types, _| {
            Ok(labels(&types[0]).last().cloned().unwrap_or(Value::Null))
        }),
        lax_typed(
            "enum_range(anyenum) anyarray as pg_enum_labels",
            |types, _| Ok(store(&Type::Text, &labels(&types[0]))),
        ),
        lax_typed(
            "enum_range(anyenum, anyenum) anyarray as pg_enum_between",
            |types, a| {
                let within = |label: &Value| {
                    (a[0].is_null() || compare(&types[0], label, &a[0]).is_ge())
                        && (a[1].is_null() || compare(&types[0], label, &a[1]).is_le())
                };
                let found: Vec<Value> = labels(&types[0]).into_iter().filter(within).collect();
                Ok(store(&Type::Text, &found))
            },
        ),
        lax_typed("num_nulls(variadic any) int4", |_, a| {
            Ok(size(a.iter().filter(|value| value.is_null()).count()))
        }),
        lax_typed("num_nonnulls(variadic any) int4", |_, a| {
            Ok(size(a.iter().filter(|value| !value.is_null()).count()))
        }),
    ]
}
