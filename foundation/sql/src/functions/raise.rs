//! Errors raised from within a statement. They are not deterministic, so that SQLite calls them only where they stand.

use super::{SqlFunction, text};
use crate::error::SqlError;
use crate::value::Value;
use std::borrow::Cow;

pub(super) const ALL: &[SqlFunction] = &[
    // State and message. Never answers.
    SqlFunction {
        name: "pg_raise",
        arity: 2,
        deterministic: false,
        call: |a| {
            Err(SqlError {
                state: Cow::Owned(text(&a[0]).to_string()),
                message: text(&a[1]).to_string(),
                detail: None,
                hint: None,
            })
        },
    },
    // A policy's verdict on a row, and the table: raises 42501 for anything but true.
    SqlFunction {
        name: "pg_permit",
        arity: 2,
        deterministic: false,
        call: |a| match &a[0] {
            Value::Int(1) => Ok(Value::Int(1)),
            _ => Err(SqlError::new(
                "42501",
                format!(
                    "new row violates row-level security policy for table \"{}\"",
                    text(&a[1])
                ),
            )),
        },
    },
];
