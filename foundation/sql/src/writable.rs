//! Views that may be written: Postgres' automatically updatable ones, which are one table with some of its columns and a condition.

use crate::catalog::{Catalog, Command, Table, View};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::query::{Body, Distinct, Of, Select};
use std::sync::Arc;

/// A view that may be written, and what it writes to.
#[derive(Clone, Debug)]
pub struct Writable {
    /// The table whose rows the view shows.
    pub base: Arc<Table>,
    /// For each column of the view the table's column that it is; none for one that is computed.
    pub columns: Vec<(String, Option<String>)>,
}

impl Writable {
    /// The table's column behind a column of the view.
    ///
    /// Errors: 0A000 for one that is computed.
    pub fn column(&self, view: &Table, name: &str, command: Command) -> Result<&str, SqlError> {
        let known = self.columns.iter().find(|(known, _)| known == name);
        known
            .and_then(|(_, column)| column.as_deref())
            .ok_or_else(|| {
                let verb = if command == Command::Insert {
                    "insert into"
                } else {
                    "update"
                };
                SqlError::new(
                    "0A000",
                    format!("cannot {verb} column \"{name}\" of view \"{}\"", view.name),
                )
                .detail(
                    "View columns that are not columns of their base relation are not updatable.",
                )
            })
    }
}

/// What a view writes to.
///
/// Errors: 55000 where Postgres does not update it by itself.
pub fn writable(catalog: &Catalog, view: &Table, command: Command) -> Result<Writable, SqlError> {
    let refused = |why: &str| {
        let (verb, what, rule) = match command {
            Command::Insert => ("insert into", "inserting into", "INSERT"),
            Command::Delete => ("delete from", "deleting from", "DELETE"),
            _ => ("update", "updating", "UPDATE"),
        };
        SqlError::new("55000", format!("cannot {verb} view \"{}\"", view.name))
            .detail(why)
            .hint(format!(
                "To enable {what} the view, provide an INSTEAD OF {rule} trigger or an unconditional ON {rule} DO INSTEAD rule."
            ))
    };
    let Some(known) = &view.view else {
        return Err(SqlError::new("XX000", "a table is written as it is"));
    };
    let select = simple(known).map_err(&refused)?;
    let Some(Of::Table { schema, name }) = select.from.first().map(|source| &source.of) else {
        return Err(refused(ONE_TABLE));
    };
    let inner = catalog.table(schema, name).ok_or_else(|| {
        SqlError::new(
            "42P01",
            format!("relation \"{schema}.{name}\" does not exist"),
        )
    })?;
    let below = match &inner.view {
        None => None,
        Some(nested) if !nested.invoker => {
            return Err(SqlError::new(
                "0A000",
                format!(
                    "cannot write through view \"{}\" on the embedded engine",
                    inner.name
                ),
            )
            .hint("Create it with (security_invoker = true), or write to its table."));
        }
        Some(_) => Some(writable(catalog, inner, command)?),
    };
    let columns = view
        .columns
        .iter()
        .zip(&select.columns)
        .map(|(column, output)| {
            let plain = match &output.expr {
                Expr::Column { level: 0, name, .. } => Some(name),
                _ => None,
            };
            let behind = match (&below, plain) {
                (_, None) => None,
                (None, Some(name)) => Some(name.clone()),
                (Some(below), Some(name)) => below
                    .columns
                    .iter()
                    .find(|(known, _)| known == name)
                    .and_then(|(_, column)| column.clone()),
            };
            (column.name.clone(), behind)
        })
        .collect();
    Ok(Writable {
        base: below.map_or_else(|| inner.clone(), |below| below.base),
        columns,
    })
}

const ONE_TABLE: &str =
    "Views that do not select from a single table or view are not automatically updatable.";

/// The one select that a simple view is; why it is none otherwise.
pub(crate) fn simple(view: &View) -> Result<&Select, &'static str> {
    let query = &view.query;
    let mut body = &query.body;
    while let Body::Query(inner) = body {
        if inner.limit.is_some() || inner.offset.is_some() || !inner.with.is_empty() {
            break;
        }
        body = &inner.body;
    }
    let select = match body {
        Body::Select(select) => select,
        Body::Set { .. } => {
            return Err(
                "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.",
            );
        }
        Body::Values(_) | Body::Query(_) => return Err(ONE_TABLE),
    };
    if select.distinct != Distinct::No {
        return Err("Views containing DISTINCT are not automatically updatable.");
    }
    if !select.group.is_empty() {
        return Err("Views containing GROUP BY are not automatically updatable.");
    }
    if select.having.is_some() {
        return Err("Views containing HAVING are not automatically updatable.");
    }
    if !query.with.is_empty() {
        return Err("Views containing WITH are not automatically updatable.");
    }
    if query.limit.is_some() || query.offset.is_some() {
        return Err("Views containing LIMIT or OFFSET are not automatically updatable.");
    }
    let mut aggregates = false;
    for output in &select.columns {
        output.expr.walk(0, &mut |depth, expr| {
            aggregates |= depth == 0 && matches!(expr, Expr::Aggregate(_));
        });
    }
    if aggregates {
        return Err("Views that return aggregate functions are not automatically updatable.");
    }
    match &select.from[..] {
        [source] if matches!(source.of, Of::Table { .. }) => Ok(select),
        _ => Err(ONE_TABLE),
    }
}
