//! Whole statements over rows: those of functions, triggers, seeds and whoever writes SQL to us. Typed and resolved.

use crate::expr::{Expr, Function};
use crate::query::{Output, Query, Source};
use crate::routine::RoutineId;
use crate::types::Type;
use serde::{Deserialize, Serialize};

/// A statement that reads or changes rows.
#[expect(
    clippy::large_enum_variant,
    reason = "most are selects, and all of them live on the heap within their function"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// `select`
    Select(Query),
    /// `insert`
    Insert(Box<Insert>),
    /// `update`
    Update(Box<Update>),
    /// `delete`
    Delete(Box<Delete>),
    /// `select f(..)` of a function that changes rows or has several statements: they take its place.
    Call(Box<Call>),
}

/// A function called by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Which.
    pub routine: RoutineId,
    /// One for each of its parameters, coerced.
    pub args: Vec<Expr>,
    /// The columns of its answer.
    pub columns: Vec<(String, Type)>,
}

/// `insert`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Insert {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The columns given, in the order of the source's.
    pub columns: Vec<String>,
    /// The rows. A value that is `default` is none of them: see [`Insert::defaults`].
    pub rows: Query,
    /// Positions of values that are `default`, by (row, column) of a `values` list.
    pub defaults: Vec<(usize, usize)>,
    /// `overriding system value`
    pub overriding: bool,
    /// `on conflict`
    pub conflict: Option<Conflict>,
    /// `returning`, over the table as source 0.
    pub returning: Vec<Output>,
}

/// `on conflict`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The columns or expressions of the unique index; empty for any.
    pub target: Vec<Expr>,
    /// The condition of a partial unique index.
    pub predicate: Option<Expr>,
    /// `do update set`, over the table as source 0 and `excluded` as source 1; none is `do nothing`.
    pub update: Option<(Vec<Assignment>, Option<Expr>)>,
}

/// `update`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// `set`
    pub assignments: Vec<Assignment>,
    /// `from`: sources 1 and on; the table is source 0.
    pub from: Vec<Source>,
    /// `where`
    pub filter: Option<Expr>,
    /// `returning`
    pub returning: Vec<Output>,
}

/// `delete`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delete {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// `using`: sources 1 and on; the table is source 0.
    pub using: Vec<Source>,
    /// `where`
    pub filter: Option<Expr>,
    /// `returning`
    pub returning: Vec<Output>,
}

/// `column = value`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The column.
    pub column: String,
    /// Its value, coerced; none is `default`.
    pub value: Option<Expr>,
}

impl Operation {
    /// Whether it changes anything: rows, or where a sequence stands.
    pub fn writes(&self) -> bool {
        let Operation::Select(query) = self else {
            return true;
        };
        let mut counts = false;
        query.walk(0, &mut |_, expr| {
            counts |= matches!(
                expr,
                Expr::Call {
                    function: Function::NextVal
                        | Function::SetVal
                        | Function::CurrVal
                        | Function::LastVal,
                    ..
                }
            );
        });
        counts
    }

    /// What selects from one table selects from it by its new name.
    pub(crate) fn rename_sources(&mut self, from: &(String, String), to: &(String, String)) {
        let outputs = |outputs: &mut Vec<Output>| {
            outputs
                .iter_mut()
                .for_each(|output| output.expr.rename_sources(from, to));
        };
        let assigned = |assignments: &mut Vec<Assignment>| {
            assignments
                .iter_mut()
                .filter_map(|assignment| assignment.value.as_mut())
                .for_each(|value| value.rename_sources(from, to));
        };
        let renamed = |schema: &mut String, table: &mut String| {
            if *schema == from.0 && *table == from.1 {
                schema.clone_from(&to.0);
                table.clone_from(&to.1);
            }
        };
        match self {
            Operation::Select(query) => query.rename_sources(from, to),
            Operation::Insert(insert) => {
                renamed(&mut insert.schema, &mut insert.table);
                insert.rows.rename_sources(from, to);
                if let Some((assignments, filter)) = insert
                    .conflict
                    .as_mut()
                    .and_then(|conflict| conflict.update.as_mut())
                {
                    assigned(assignments);
                    filter
                        .iter_mut()
                        .for_each(|filter| filter.rename_sources(from, to));
                }
                outputs(&mut insert.returning);
            }
            Operation::Update(update) => {
                renamed(&mut update.schema, &mut update.table);
                for source in &mut update.from {
                    source.rename(from, to);
                }
                assigned(&mut update.assignments);
                update
                    .filter
                    .iter_mut()
                    .for_each(|filter| filter.rename_sources(from, to));
                outputs(&mut update.returning);
            }
            Operation::Delete(delete) => {
                renamed(&mut delete.schema, &mut delete.table);
                for source in &mut delete.using {
                    source.rename(from, to);
                }
                delete
                    .filter
                    .iter_mut()
                    .for_each(|filter| filter.rename_sources(from, to));
                outputs(&mut delete.returning);
            }
            Operation::Call(call) => call
                .args
                .iter_mut()
                .for_each(|arg| arg.rename_sources(from, to)),
        }
    }

    /// The table whose rows it changes, (schema, name).
    pub fn table(&self) -> Option<(String, String)> {
        let (schema, table) = match self {
            Operation::Insert(insert) => (&insert.schema, &insert.table),
            Operation::Update(update) => (&update.schema, &update.table),
            Operation::Delete(delete) => (&delete.schema, &delete.table),
            Operation::Select(_) | Operation::Call(_) => return None,
        };
        Some((schema.clone(), table.clone()))
    }

    /// The names and types of the columns of its answer.
    pub fn columns(&self) -> Vec<(String, Type)> {
        let outputs = match self {
            Operation::Select(query) => return query.columns(),
            Operation::Insert(insert) => &insert.returning,
            Operation::Update(update) => &update.returning,
            Operation::Delete(delete) => &delete.returning,
            Operation::Call(call) => return call.columns.clone(),
        };
        outputs
            .iter()
            .map(|output| (output.name.clone(), output.expr.ty()))
            .collect()
    }
}
