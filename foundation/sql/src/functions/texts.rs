//! Text functions with Postgres' rules: characters are code points, upper and lower case are Unicode's, one character for one.

mod bytes;
mod compose;

use super::registry::{Row, strict};
use super::{int, text};
use crate::error::SqlError;
use crate::types::{Type, store};
use crate::value::Value;

/// In lower case, as a database with a Unicode locale has it.
pub(super) fn lowered(text: &str) -> String {
    let single = |c: char| {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(lower), None) => lower,
            _ => c,
        }
    };
    text.chars().map(single).collect()
}

/// In upper case.
fn uppered(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

fn size(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The greatest text a function makes.
const LENGTH: usize = 64 << 20;

fn too_long() -> SqlError {
    SqlError::new("54000", "requested length too large")
}

fn negative_length() -> SqlError {
    SqlError::new("22011", "negative substring length not allowed")
}

/// Characters from a place on, counted from 1; places before the text count as well.
fn substring(a: &[Value]) -> Result<Value, SqlError> {
    let start = int(&a[1]);
    let end = match a.get(2) {
        Some(length) => {
            let length = int(length);
            if length < 0 {
                return Err(negative_length());
            }
            start.saturating_add(length)
        }
        None => i64::MAX,
    };
    let skip = usize::try_from(start - 1).unwrap_or(0);
    let take = usize::try_from(end.saturating_sub(start.max(1))).unwrap_or(0);
    Ok(text(&a[0])
        .chars()
        .skip(skip)
        .take(take)
        .collect::<String>()
        .into())
}

fn overlay(a: &[Value]) -> Result<Value, SqlError> {
    let (whole, by, start) = (text(&a[0]), text(&a[1]), int(&a[2]));
    let count = match a.get(3) {
        Some(count) => int(count),
        None => i64::try_from(by.chars().count()).unwrap_or(i64::MAX),
    };
    if start <= 0 {
        return Err(negative_length());
    }
    let end = start
        .checked_add(count)
        .ok_or_else(|| SqlError::new("22003", "integer out of range"))?;
    let before = usize::try_from(start - 1).unwrap_or(0);
    let after = usize::try_from(end - 1).unwrap_or(0);
    let mut out: String = whole.chars().take(before).collect();
    out.push_str(&by);
    out.extend(whole.chars().skip(after));
    Ok(out.into())
}

fn pad(a: &[Value], left: bool) -> Result<Value, SqlError> {
    let whole: Vec<char> = text(&a[0]).chars().collect();
    let fill: Vec<char> = match a.get(2) {
        Some(fill) => text(fill).chars().collect(),
        None => vec![' '],
    };
    let length = usize::try_from(int(&a[1])).unwrap_or(0);
    if length > LENGTH {
        return Err(too_long());
    }
    let kept = whole.iter().take(length);
    let missing = if fill.is_empty() {
        0
    } else {
        length.saturating_sub(whole.len())
    };
    let filling = fill.iter().cycle().take(missing);
    let out: String = if left {
        filling.chain(kept).collect()
    } else {
        kept.chain(filling).collect()
    };
    Ok(out.into())
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
    Both,
}

fn trim(a: &[Value], side: Side) -> Result<Value, SqlError> {
    let whole = text(&a[0]);
    let set = match a.get(1) {
        Some(set) => text(set),
        None => " ".into(),
    };
    let within = |c: char| set.contains(c);
    let mut rest: &str = &whole;
    if side != Side::Right {
        rest = rest.trim_start_matches(within);
    }
    if side != Side::Left {
        rest = rest.trim_end_matches(within);
    }
    Ok(Value::text(rest))
}

fn ends(a: &[Value], left: bool) -> Result<Value, SqlError> {
    let chars: Vec<char> = text(&a[0]).chars().collect();
    let count = int(&a[1]);
    let take = if count >= 0 {
        usize::try_from(count).unwrap_or(0).min(chars.len())
    } else {
        chars
            .len()
            .saturating_sub(usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX))
    };
    let part = if left {
        &chars[..take]
    } else {
        &chars[chars.len() - take..]
    };
    Ok(part.iter().collect::<String>().into())
}

fn split_part(a: &[Value]) -> Result<Value, SqlError> {
    let (whole, separator, at) = (text(&a[0]), text(&a[1]), int(&a[2]));
    let parts: Vec<&str> = if separator.is_empty() {
        vec![whole.as_ref()]
    } else {
        whole.split(separator.as_ref()).collect()
    };
    let index = match at {
        0 => return Err(SqlError::new("22023", "field position must not be zero")),
        1.. => usize::try_from(at - 1).ok(),
        _ => usize::try_from(at.unsigned_abs())
            .ok()
            .and_then(|back| parts.len().checked_sub(back)),
    };
    Ok(Value::text(
        index
            .and_then(|index| parts.get(index))
            .copied()
            .unwrap_or(""),
    ))
}

fn position(a: &[Value]) -> Result<Value, SqlError> {
    let (whole, part) = (text(&a[0]), text(&a[1]));
    Ok(size(
        whole
            .find(part.as_ref())
            .map_or(0, |at| whole[..at].chars().count() + 1),
    ))
}

fn length(a: &[Value]) -> Result<Value, SqlError> {
    Ok(size(text(&a[0]).chars().count()))
}

fn trimmed_length(a: &[Value]) -> Result<Value, SqlError> {
    Ok(size(text(&a[0]).trim_end_matches(' ').chars().count()))
}

fn starts_with(a: &[Value]) -> Result<Value, SqlError> {
    Ok(text(&a[0]).starts_with(text(&a[1]).as_ref()).into())
}

fn initcap(whole: &str) -> String {
    let mut within = false;
    whole
        .chars()
        .map(|c| {
            let shown = match (within, lowered(c.encode_utf8(&mut [0; 4])).chars().next()) {
                (true, Some(lower)) => lower,
                _ => uppered(c),
            };
            within = c.is_alphanumeric();
            shown
        })
        .collect()
}

fn chr(code: i64) -> Result<Value, SqlError> {
    let error = |state, message: &str| Err(SqlError::new(state, message.to_owned()));
    match u32::try_from(code) {
        Err(_) => error("22023", "character number must be positive"),
        Ok(0) => error("54000", "null character not permitted"),
        Ok(code) => match char::from_u32(code) {
            Some(c) => Ok(c.to_string().into()),
            None => Err(SqlError::new(
                "54000",
                format!("requested character too large for encoding: {code}"),
            )),
        },
    }
}

/// The folders of an object's name, as the storage service has them.
fn folders(name: &str) -> Vec<Value> {
    let mut parts: Vec<Value> = name.split('/').map(Value::text).collect();
    parts.pop();
    parts
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        strict("lower(text) text", |a| Ok(lowered(&text(&a[0])).into())),
        strict("upper(text) text", |a| {
            Ok(text(&a[0]).chars().map(uppered).collect::<String>().into())
        }),
        strict("initcap(text) text", |a| Ok(initcap(&text(&a[0])).into())),
        strict("length(text) int4", length),
        strict("length(character) int4", trimmed_length),
        strict("char_length(text) int4", length),
        strict("char_length(character) int4", trimmed_length),
        strict("character_length(text) int4", length),
        strict("character_length(character) int4", trimmed_length),
        strict("octet_length(text) int4", |a| Ok(size(text(&a[0]).len()))),
        strict("octet_length(character) int4", |a| {
            Ok(size(text(&a[0]).len()))
        }),
        strict("bit_length(text) int4", |a| Ok(size(text(&a[0]).len() * 8))),
        strict("strpos(text, text) int4", position),
        strict("position(text, text) int4", position),
        strict("split_part(text, text, int4) text", split_part),
        strict("starts_with(text, text) bool", starts_with),
        strict("^@(text, text) bool", starts_with),
        strict("substring(text, int4) text", substring),
        strict("substring(text, int4, int4) text", substring),
        strict("substr(text, int4) text", substring),
        strict("substr(text, int4, int4) text", substring),
        strict("overlay(text, text, int4) text", overlay),
        strict("overlay(text, text, int4, int4) text", overlay),
        strict("left(text, int4) text", |a| ends(a, true)),
        strict("right(text, int4) text", |a| ends(a, false)),
        strict("lpad(text, int4) text", |a| pad(a, true)),
        strict("lpad(text, int4, text) text", |a| pad(a, true)),
        strict("rpad(text, int4) text", |a| pad(a, false)),
        strict("rpad(text, int4, text) text", |a| pad(a, false)),
        strict("ltrim(text) text", |a| trim(a, Side::Left)),
        strict("ltrim(text, text) text", |a| trim(a, Side::Left)),
        strict("rtrim(text) text", |a| trim(a, Side::Right)),
        strict("rtrim(text, text) text", |a| trim(a, Side::Right)),
        strict("btrim(text) text", |a| trim(a, Side::Both)),
        strict("btrim(text, text) text", |a| trim(a, Side::Both)),
        strict("replace(text, text, text) text", |a| {
            let (whole, old, new) = (text(&a[0]), text(&a[1]), text(&a[2]));
            Ok(if old.is_empty() {
                a[0].clone()
            } else {
                whole.replace(&*old, &new).into()
            })
        }),
        strict("translate(text, text, text) text", |a| {
            let from: Vec<char> = text(&a[1]).chars().collect();
            let to: Vec<char> = text(&a[2]).chars().collect();
            Ok(text(&a[0])
                .chars()
                .filter_map(|c| match from.iter().position(|known| *known == c) {
                    Some(at) => to.get(at).copied(),
                    None => Some(c),
                })
                .collect::<String>()
                .into())
        }),
        strict("reverse(text) text", |a| {
            Ok(text(&a[0]).chars().rev().collect::<String>().into())
        }),
        strict("repeat(text, int4) text", |a| {
            let (part, count) = (text(&a[0]), usize::try_from(int(&a[1])).unwrap_or(0));
            if part.len().saturating_mul(count) > LENGTH {
                return Err(too_long());
            }
            Ok(part.repeat(count).into())
        }),
        strict("ascii(text) int4", |a| {
            Ok(Value::Int(
                text(&a[0])
                    .chars()
                    .next()
                    .map_or(0, |c| i64::from(u32::from(c))),
            ))
        }),
        strict("chr(int4) text", |a| chr(int(&a[0]))),
        strict("storage.foldername(text) text[]", |a| {
            Ok(store(&Type::Text, &folders(&text(&a[0]))))
        }),
        strict("storage.filename(text) text", |a| {
            Ok(Value::text(
                text(&a[0]).rsplit('/').next().unwrap_or_default(),
            ))
        }),
        strict("storage.extension(text) text", |a| {
            let name = text(&a[0]);
            let file = name.rsplit('/').next().unwrap_or_default();
            Ok(Value::text(file.rsplit('.').next().unwrap_or_default()))
        }),
    ];
    rows.extend(bytes::rows());
    rows.extend(compose::rows());
    rows
}
