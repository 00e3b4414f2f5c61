//! How each cast is made from the stored form of one type to that of another.

use super::Renderer;
use crate::error::SqlError;
use crate::expr::Expr;
use crate::lower::castable;
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
    let mut operand = Some(operand);
    for part in after {
        match part {
            Part::Sql(sql) => {
                out.push(&sql);
            }
            Part::Bind(value) => {
                out.bind(Bind::Const(value));
            }
            Part::Operand => {
                if let Some(operand) = operand.take() {
                    operand(out)?;
                }
            }
        }
    }
    Ok(())
}

enum Part {
    Sql(String),
    Bind(Value),
    Operand,
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
        for part in after {
            match part {
                Part::Sql(sql) => {
                    self.out.push(&sql);
                }
                Part::Bind(value) => self.value(&value),
                Part::Operand => self.expr(expr)?,
            }
        }
        if to.collation().is_none() && self.collated(expr) && from.collation().is_some() {
            // Nothing else would tell SQLite that the column's own order does not hold any more.
            self.out.push(" COLLATE BINARY");
        }
        Ok(())
    }
}

fn around(before: &str, after: &str) -> (String, Vec<Part>) {
    (
        before.to_owned(),
        vec![Part::Operand, Part::Sql(after.to_owned())],
    )
}

fn recipe(from: &Type, to: &Type) -> (String, Vec<Part>) {
    use Type as T;
    match (from, to) {
        (from, to) if from == to => around("", ""),
        // One stored form, and nothing to check.
        (T::Int2, T::Int4 | T::Int8) | (T::Int4, T::Int8) => around("", ""),
        (T::Text | T::Varchar(_), T::Text | T::Varchar(None)) => around("", ""),
        (
            T::Uuid
            | T::Date
            | T::Time
            | T::Interval
            | T::Json
            | T::Jsonb
            | T::Enum(_)
            | T::Numeric(_),
            T::Text | T::Varchar(None),
        ) => around("", ""),
        (T::Jsonb, T::Json) | (T::Numeric(_), T::Numeric(None)) => around("", ""),
        (T::Int2 | T::Int4 | T::Int8, T::Text | T::Varchar(None) | T::Numeric(None)) => {
            around("CAST(", " AS TEXT)")
        }
        (T::Int2 | T::Int4 | T::Int8, T::Float8) => around("CAST(", " AS REAL)"),
        (T::Bool, T::Text | T::Varchar(None)) => {
            around("(CASE ", " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)")
        }
        // The first ten characters are the date, and infinities are shorter.
        (T::Timestamptz | T::Timestamp, T::Date) => around("substr(", ", 1, 10)"),
        (T::Timestamptz, T::Timestamp) => around("replace(", ", '+00:00', '')"),
        (from, to) => {
            let mut tags = String::new();
            from.tag(&mut tags);
            to.tag(&mut tags);
            let tags = Part::Bind(tags.into());
            (
                "pg_cast(".to_owned(),
                vec![
                    tags,
                    Part::Sql(", ".to_owned()),
                    Part::Operand,
                    Part::Sql(")".to_owned()),
                ],
            )
        }
    }
}
