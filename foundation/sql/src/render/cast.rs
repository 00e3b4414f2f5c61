//! How each cast is made from the stored form of one type to that of another.

use super::Renderer;
use crate::error::SqlError;
use crate::expr::Expr;
use crate::lower::{castable, number, same, textual};
use crate::statement::{Bind, Statement};
use crate::types::Type;
use crate::value::Value;

/// Appends a cast of what `operand` appends.
///
/// Errors: 42846 when the embedded engine has no such cast; what `operand` raises.
pub fn render_cast(
    from: &Type,
    to: &Type,
    operand: impl FnOnce(&mut Statement) -> Result<(), SqlError>,
    out: &mut Statement,
) -> Result<(), SqlError> {
    if !castable(from, to) {
        return Err(SqlError::new(
            "42846",
            format!("cannot cast type {} to {}", from.name(), to.name()),
        ));
    }
    let (before, after) = recipe(from, to);
    out.push(&before);
    operand(out)?;
    for part in after {
        match part {
            Part::Sql(sql) => out.push(&sql),
            Part::Bind(value) => out.bind(Bind::Const(value)),
        };
    }
    Ok(())
}

enum Part {
    Sql(String),
    Bind(Value),
}

impl Renderer<'_> {
    pub(super) fn cast(&mut self, expr: &Expr, to: &Type) -> Result<(), SqlError> {
        let from = expr.ty();
        if !castable(&from, to) {
            return Err(SqlError::new(
                "42846",
                format!("cannot cast type {} to {}", from.name(), to.name()),
            ));
        }
        let (before, after) = recipe(&from, to);
        self.out.push(&before);
        self.expr(expr)?;
        for part in after {
            match part {
                Part::Sql(sql) => {
                    self.out.push(&sql);
                }
                Part::Bind(value) => self.value(&value),
            }
        }
        Ok(())
    }
}

fn around(before: &str, after: &str) -> (String, Vec<Part>) {
    (before.to_owned(), vec![Part::Sql(after.to_owned())])
}

fn recipe(from: &Type, to: &Type) -> (String, Vec<Part>) {
    use Type as T;
    match (from, to) {
        (from, T::Varchar(Some(limit))) if textual(from) && !matches!(from, T::Char(_)) => {
            around("pg_cut(", &format!(", {limit})"))
        }
        (from, T::Numeric(Some((precision, scale))))
            if matches!(from, T::Numeric(_)) && from != to =>
        {
            around("pg_numeric_fit(", &format!(", {precision}, {scale})"))
        }
        (T::Int8, T::Int2 | T::Int4) | (T::Int4, T::Int2) => around(
            if *to == T::Int2 {
                "pg_read_int2("
            } else {
                "pg_read_int4("
            },
            ")",
        ),
        (from, to) if same(from, to) => around("", ""),
        (from, to) if textual(to) => match from {
            T::Bool => (
                "(CASE ".to_owned(),
                vec![Part::Sql(
                    " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)".to_owned(),
                )],
            ),
            T::Int2 | T::Int4 | T::Int8 => around("CAST(", " AS TEXT)"),
            T::Float4 | T::Float8 => around("pg_float_text(", ")"),
            T::Timestamptz | T::Timestamp => around("pg_timestamp_text(", ")"),
            T::Array(_) => around("pg_array_text(", ")"),
            T::Char(_) => around("rtrim(", ", ' ')"),
            _ => around("", ""),
        },
        (from, T::Enum(labels)) if textual(from) => {
            let list = serde_json::to_string(&labels.labels).unwrap_or_default();
            (
                "pg_read_enum(".to_owned(),
                vec![
                    Part::Sql(", ".to_owned()),
                    Part::Bind(list.into()),
                    Part::Sql(", ".to_owned()),
                    Part::Bind(labels.name.as_str().into()),
                    Part::Sql(")".to_owned()),
                ],
            )
        }
        (from, to) if textual(from) => match to {
            T::Int2 => around("pg_read_int2(", ")"),
            T::Int4 => around("pg_read_int4(", ")"),
            T::Int8 => around("pg_read_int8(", ")"),
            T::Float4 => around("pg_read_float4(", ")"),
            T::Float8 => around("pg_read_float8(", ")"),
            T::Numeric(None) => around("pg_read_numeric(", ")"),
            T::Numeric(Some((precision, scale))) => {
                around("pg_numeric_fit(", &format!(", {precision}, {scale})"))
            }
            T::Bool => around("pg_read_bool(", ")"),
            T::Uuid => around("pg_read_uuid(", ")"),
            T::Timestamptz => around("pg_read_timestamptz(", ")"),
            T::Timestamp => around("pg_read_timestamp(", ")"),
            T::Date => around("pg_read_date(", ")"),
            T::Time => around("pg_read_time(", ")"),
            T::Json => around("pg_read_json(", ")"),
            T::Jsonb => around("pg_read_jsonb(", ")"),
            T::Array(_) => around("pg_read_text_array(", ")"),
            _ => around("", ""),
        },
        (from, to) if number(from) && number(to) => match (from, to) {
            (T::Int2 | T::Int4 | T::Int8, T::Float4 | T::Float8)
            | (T::Numeric(_), T::Float8 | T::Float4) => around("CAST(", " AS REAL)"),
            (T::Float4 | T::Float8, T::Float4 | T::Float8) => around("", ""),
            (_, T::Int2) => around("pg_read_int2(pg_round_int(", "))"),
            (_, T::Int4) => around("pg_read_int4(pg_round_int(", "))"),
            (_, T::Int8) => around("pg_round_int(", ")"),
            (T::Int2 | T::Int4 | T::Int8, T::Numeric(None)) => around("CAST(", " AS TEXT)"),
            (_, T::Numeric(None)) => around("pg_read_numeric(", ")"),
            (_, T::Numeric(Some((precision, scale)))) => {
                around("pg_numeric_fit(", &format!(", {precision}, {scale})"))
            }
            _ => around("", ""),
        },
        (T::Int4, T::Bool) => around("(", " <> 0)"),
        (T::Timestamptz | T::Timestamp, T::Date) => around("substr(", ", 1, 10)"),
        (T::Timestamptz, T::Timestamp) => (
            "replace(".to_owned(),
            vec![Part::Sql(", '+00:00', '')".to_owned())],
        ),
        (T::Timestamp, T::Timestamptz) => around("(", " || '+00:00')"),
        (T::Date, T::Timestamp) => around("(", " || 'T00:00:00')"),
        (T::Date, T::Timestamptz) => around("(", " || 'T00:00:00+00:00')"),
        (T::Json, T::Jsonb) => around("pg_read_jsonb(", ")"),
        (T::Jsonb, T::Bool) => around("pg_jsonb_scalar(", ", 'boolean')"),
        (T::Jsonb, T::Numeric(_)) => around("pg_jsonb_scalar(", ", 'numeric')"),
        (T::Jsonb, T::Float4 | T::Float8) => around(
            "CAST(pg_jsonb_scalar(",
            &format!(", '{}') AS REAL)", to.base_name()),
        ),
        (T::Jsonb, T::Int2 | T::Int4 | T::Int8) => {
            let read = match to {
                T::Int2 => "pg_read_int2",
                T::Int4 => "pg_read_int4",
                _ => "pg_read_int8",
            };
            around(
                &format!("{read}(pg_round_int(pg_jsonb_scalar("),
                &format!(", '{}')))", to.base_name()),
            )
        }
        _ => around("", ""),
    }
}
