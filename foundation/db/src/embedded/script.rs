//! Statements that are run as they are: whoever writes SQL to us, and functions called by themselves.

use super::identity::resolve;
use super::json::write_row;
use super::mutate::Parameters;
use super::violation;
use bytes::Bytes;
use pando_kernel::{Caller, Role, Timestamp};
use pando_plan::OutColumn;
use pando_sql::render::Rendered;
use pando_sql::{Bind, Catalog, SqlError, Type, Value};
use rusqlite::Connection;

mod foreign_key;
#[cfg(test)]
mod tests;

/// The greatest answer, bytes.
const BODY: usize = 64 << 20;

/// What the last of some statements answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlAnswer {
    /// The names and types of its columns.
    pub columns: Vec<(String, Type)>,
    /// Its rows as a JSON array of objects.
    pub body: Bytes,
    /// How many rows it answered, or changed.
    pub rows: u64,
}

/// Runs statements in order. A failed one fails them all: the caller undoes what was done. `act_as` is told whose rights each has.
pub(crate) fn run(
    connection: &Connection,
    catalog: &Catalog,
    (caller, now): (&Caller, Timestamp),
    statements: &[Rendered],
    inputs: &[Value],
    act_as: &dyn Fn(Role),
) -> Result<SqlAnswer, SqlError> {
    let identity = |bind: &Bind| resolve(caller, now, bind);
    let parameters = Parameters {
        inputs,
        row: &[],
        identity: &identity,
    };
    let mut answer = SqlAnswer::default();
    for statement in statements {
        act_as(statement.role);
        answer = one(connection, statement, parameters)
            .map_err(|error| told(connection, catalog, statement, parameters, error))??;
    }
    Ok(answer)
}

/// What became of a statement that failed, in Postgres' words.
pub(crate) fn told(
    connection: &Connection,
    catalog: &Catalog,
    statement: &Rendered,
    parameters: Parameters<'_>,
    error: rusqlite::Error,
) -> SqlError {
    let key = is_foreign_key(&error)
        .then(|| foreign_key::explain(connection, catalog, statement, parameters))
        .flatten();
    key.unwrap_or_else(|| violation::named(catalog, error))
}

fn is_foreign_key(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(_, Some(message)) if message.contains("FOREIGN KEY constraint failed"))
}

fn one(
    connection: &Connection,
    rendered: &Rendered,
    parameters: Parameters<'_>,
) -> rusqlite::Result<Result<SqlAnswer, SqlError>> {
    let mut prepared = connection.prepare_cached(&rendered.statement.sql)?;
    parameters.bind(&mut prepared, &rendered.statement.binds)?;
    if rendered.columns.is_empty() && rendered.writes {
        let rows = prepared.raw_execute()?;
        return Ok(Ok(SqlAnswer {
            rows: rows as u64,
            body: Bytes::from_static(b"[]"),
            columns: Vec::new(),
        }));
    }
    let columns: Vec<OutColumn> = rendered
        .columns
        .iter()
        .map(|(name, ty)| OutColumn::new(name, ty.json_out()))
        .collect();
    let mut body = vec![b'['];
    let mut rows = 0;
    let mut found = prepared.raw_query();
    while let Some(row) = found.next()? {
        if rows > 0 {
            body.push(b',');
        }
        rows += 1;
        write_row(row, 0, &columns, &mut body)?;
        if body.len() > BODY {
            return Ok(Err(SqlError::new(
                "54000",
                format!("the answer is larger than {} MiB", BODY >> 20),
            )
            .hint("Ask for fewer rows or columns.")));
        }
    }
    body.push(b']');
    Ok(Ok(SqlAnswer {
        columns: rendered.columns.clone(),
        body: body.into(),
        rows,
    }))
}
