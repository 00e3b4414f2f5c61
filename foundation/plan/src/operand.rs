//! A column or a value inside its JSON, as an SQL expression with its type.

use crate::error::PlanError;
use crate::planner::{JSON_STEPS_MAX, at_most, column, push_column};
use crate::request::{JsonKey, JsonStep, Path};
use pando_sql::catalog::Table;
use pando_sql::{Bind, SqlError, Statement, Type, Value};

/// What a path leads to: resolved before it is rendered, because its type decides how it is compared.
pub(crate) struct Operand<'a> {
    pub(crate) column: &'a str,
    pub(crate) steps: &'a [JsonStep],
    pub(crate) ty: Type,
    /// Never null in a row that exists.
    pub(crate) not_null: bool,
}

/// Resolves a path on a table.
pub(crate) fn resolve<'a>(table: &'a Table, path: &'a Path) -> Result<Operand<'a>, PlanError> {
    let column = column(table, &path.column)?;
    at_most(path.steps.len(), JSON_STEPS_MAX, "steps into JSON")?;
    let mut ty = column.ty.clone();
    for step in &path.steps {
        // Arrays are JSON arrays in storage, and PostgREST lets a path go into them too.
        if !matches!(ty, Type::Json | Type::Jsonb | Type::Array(_)) {
            let arrow = if step.text { "->>" } else { "->" };
            return Err(no_operator(&ty, arrow).into());
        }
        ty = match (step.text, &ty) {
            (true, _) => Type::Text,
            (false, Type::Json) => Type::Json,
            (false, _) => Type::Jsonb,
        };
    }
    let not_null = column.not_null && path.steps.is_empty();
    Ok(Operand {
        column: &column.name,
        steps: &path.steps,
        ty,
        not_null,
    })
}

impl Operand<'_> {
    /// Appends the collation of what was just written, if it is no column that brings its own along.
    pub(crate) fn collate(&self, out: &mut Statement) {
        if let Some(collation) = self.ty.collation()
            && !self.steps.is_empty()
        {
            out.push(" COLLATE ").push(collation);
        }
    }

    /// Appends the expression on the table's occurrence `alias`.
    pub(crate) fn render(&self, alias: &str, out: &mut Statement) {
        for step in self.steps.iter().rev() {
            out.push(if step.text {
                "pg_json_get_text("
            } else {
                "pg_json_get("
            });
        }
        push_column(alias, self.column, out);
        for step in self.steps {
            let key = match &step.key {
                JsonKey::Name(name) => Value::text(name.as_str()),
                JsonKey::Index(index) => Value::Int(*index),
            };
            out.push(", ").bind(Bind::Const(key)).push(")");
        }
    }
}

/// The key a path has in the answer when the request gives no other: its last name.
pub(crate) fn default_key(path: &Path) -> &str {
    path.steps
        .iter()
        .rev()
        .find_map(|step| match &step.key {
            JsonKey::Name(name) => Some(name.as_str()),
            JsonKey::Index(_) => None,
        })
        .unwrap_or(&path.column)
}

/// Postgres' answer to an operator that a type doesn't have.
pub(crate) fn no_operator(ty: &Type, operator: &str) -> SqlError {
    SqlError::new("42883", format!("operator does not exist: {} {operator} unknown", ty.name()))
        .hint("No operator matches the given name and argument types. You might need to add explicit type casts.")
}
