//! Text functions with Postgres' rules: characters are code points, upper and lower case are Unicode's.

use super::registry::{Row, strict};
use super::{int, text};
use crate::error::SqlError;
use crate::value::Value;

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("lower(text) text", |a: &[Value]| {
            Ok(text(&a[0]).to_lowercase().into())
        }),
        strict("upper(text) text", |a: &[Value]| {
            Ok(text(&a[0]).to_uppercase().into())
        }),
        strict("length(text) int4", |a: &[Value]| {
            Ok(Value::Int(
                i64::try_from(text(&a[0]).chars().count()).unwrap_or(i64::MAX),
            ))
        }),
        strict("strpos(text, text) int4", |a: &[Value]| {
            let (whole, part) = (text(&a[0]), text(&a[1]));
            let at = whole
                .find(part.as_ref())
                .map_or(0, |at| whole[..at].chars().count() + 1);
            Ok(Value::Int(i64::try_from(at).unwrap_or(i64::MAX)))
        }),
        strict("split_part(text, text, int4) text", |a: &[Value]| {
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
        }),
        strict("btrim(text) text", |a: &[Value]| {
            Ok(text(&a[0]).trim_matches(' ').into())
        }),
        strict("replace(text, text, text) text", |a: &[Value]| {
            let (whole, old, new) = (text(&a[0]), text(&a[1]), text(&a[2]));
            Ok(if old.is_empty() {
                a[0].clone()
            } else {
                whole.replace(&*old, &new).into()
            })
        }),
        strict("starts_with(text, text) bool", |a: &[Value]| {
            Ok(text(&a[0]).starts_with(text(&a[1]).as_ref()).into())
        }),
    ]
}
