//! Errors raised from within a statement. They are volatile, so that SQLite calls them only where they stand.

use super::registry::{Row, lax};
use super::text;
use crate::error::SqlError;
use crate::value::Value;
use std::borrow::Cow;

pub(super) fn rows() -> Vec<Row> {
    vec![
        // State and message. Never answers.
        lax(".pg_raise(any, any) any as pg_raise", |a| {
            Err(SqlError {
                state: Cow::Owned(text(&a[0]).to_string()),
                message: text(&a[1]).to_string(),
                detail: None,
                hint: None,
            })
        })
        .volatile(),
        // With a detail and a hint.
        lax(".pg_raise(any, any, any, any) any as pg_raise", |a| {
            let option = |value: &Value| (!value.is_null()).then(|| text(value).to_string());
            Err(SqlError {
                state: Cow::Owned(text(&a[0]).to_string()),
                message: text(&a[1]).to_string(),
                detail: option(&a[2]),
                hint: option(&a[3]),
            })
        })
        .volatile(),
        // A policy's verdict on a row, the table, and which policy: raises 42501 for anything but true.
        lax(".pg_permit(any, any, any) any as pg_permit", |a| {
            match &a[0] {
                Value::Int(1) => Ok(Value::Int(1)),
                _ => Err(SqlError::new(
                    "42501",
                    format!(
                        "new row violates row-level security policy{} for table \"{}\"",
                        text(&a[2]),
                        text(&a[1])
                    ),
                )),
            }
        })
        .volatile(),
        // Whether a row meets a view's condition, and the view: raises 44000 for anything but true.
        lax(
            ".pg_check_option(any, any) any as pg_check_option",
            |a| match &a[0] {
                Value::Int(1) => Ok(Value::Int(1)),
                _ => Err(SqlError::new(
                    "44000",
                    format!("new row violates check option for view \"{}\"", text(&a[1])),
                )),
            },
        )
        .volatile(),
        // How often an upsert proposes a key: raises for more than once.
        lax(".pg_once(any) any as pg_once", |a| match &a[0] {
            Value::Int(2..) => Err(SqlError::new(
                "21000",
                "ON CONFLICT DO UPDATE command cannot affect row a second time",
            )),
            _ => Ok(Value::Int(1)),
        })
        .volatile(),
    ]
}
