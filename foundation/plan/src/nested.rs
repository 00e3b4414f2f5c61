//! Nested resources: JSON that SQLite concatenates.
//!
//! Concatenation keeps numerics, jsonb and nested JSON exactly as they are stored, without parsing them again, and null
//! stays null.

use crate::error::PlanError;
use crate::level::{Child, Level};
use crate::planner::{Planner, push_literal};
use crate::select::Cell;
use pando_sql::statement::JsonOut;
use pando_sql::{Bind, Statement, Value};

/// SQLite takes up to a thousand arguments; a call with more is nested.
const CONCAT_ARGUMENTS_MAX: usize = 900;

impl<'a> Planner<'a> {
    /// Appends a JSON array over the rows of a to-many resource, in its order.
    pub(crate) fn array(
        &mut self,
        parent: &Level<'a>,
        child: &Child<'a>,
        out: &mut Statement,
        member: impl FnOnce(&mut Self, &mut Statement) -> Result<(), PlanError>,
    ) -> Result<(), PlanError> {
        out.push("(SELECT concat('[', group_concat(j), ']') FROM (SELECT ");
        member(self, out)?;
        out.push(" AS j");
        self.join(parent, child, out)?;
        self.order(&child.level, out)?;
        self.page(&child.level, true, out);
        out.push("))");
        Ok(())
    }

    /// Appends a level's row as the text of a JSON object.
    pub(crate) fn object(
        &mut self,
        level: &Level<'a>,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let cells = self.cells(level, false)?;
        if cells.is_empty() {
            out.push("'{}'");
            return Ok(());
        }
        // Two arguments a cell, and one that closes.
        let nested = cells.len() * 2 > CONCAT_ARGUMENTS_MAX;
        out.push("concat(");
        for (index, chunk) in cells.chunks(CONCAT_ARGUMENTS_MAX / 2).enumerate() {
            if index > 0 {
                out.push(", ");
            }
            if nested {
                out.push("concat(");
            }
            for (position, cell) in chunk.iter().enumerate() {
                if position > 0 {
                    out.push(", ");
                }
                let before = if index == 0 && position == 0 {
                    '{'
                } else {
                    ','
                };
                push_key(before, cell.key, level, out);
                out.push(", ");
                self.json(cell, out)?;
            }
            if nested {
                out.push(")");
            }
        }
        out.push(", '}')");
        Ok(())
    }

    /// Appends a cell as JSON text, never null.
    pub(crate) fn json(
        &mut self,
        cell: &Cell<'_, 'a>,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let mut value = Statement {
            sql: String::new(),
            binds: std::mem::take(&mut out.binds),
        };
        let json_out = self.value(cell, &mut value)?;
        out.binds = value.binds;
        let (value, not_null, numeric) = (value.sql, cell.is_not_null(), cell.is_numeric());
        match json_out {
            JsonOut::Text => out.push("json_quote(").push(&value).push(")"),
            JsonOut::Int if not_null => out.push(&value),
            // NaN and the infinities are the numerics that end in a letter.
            JsonOut::Raw if numeric => {
                out.push("iif(substr(")
                    .push(&value)
                    .push(", -1) > '9', json_quote(")
                    .push(&value);
                out.push("), coalesce(").push(&value).push(", 'null'))")
            }
            JsonOut::Raw if not_null => out.push(&value),
            JsonOut::Int | JsonOut::Raw => out.push("coalesce(").push(&value).push(", 'null')"),
            JsonOut::Bool => out
                .push("CASE ")
                .push(&value)
                .push(" WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END"),
            JsonOut::Float | JsonOut::Float4 => out
                .push(if json_out == JsonOut::Float {
                    "coalesce(pg_json_float("
                } else {
                    "coalesce(pg_json_float4("
                })
                .push(&value)
                .push("), 'null')"),
            JsonOut::Bytes => out
                .push("coalesce('\"\\\\x' || lower(hex(")
                .push(&value)
                .push(")) || '\"', 'null')"),
        };
        Ok(())
    }
}

/// Appends `{"key":` or `,"key":` as SQL. A key the client chose is bound.
fn push_key(before: char, key: &str, level: &Level<'_>, out: &mut Statement) {
    let text = format!("{before}{}:", serde_json::Value::from(key));
    if level.table.column(key).is_some() {
        push_literal(&text, out);
    } else {
        out.bind(Bind::Const(Value::text(text)));
    }
}
