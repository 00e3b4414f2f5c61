//! Runs a read's plan: rows become JSON while SQLite steps over them.

use super::error::sql_error;
use super::identity::resolve;
use super::json::{write_row, write_value};
use super::mutate::Parameters;
use crate::db::Page;
use bytes::Bytes;
use pando_kernel::{Caller, Timestamp};
use pando_plan::ReadPlan;
use pando_sql::{Bind, SqlError, Statement, Value};
use rusqlite::{CachedStatement, Connection};

/// The greatest answer, bytes.
const BODY: usize = 64 << 20;

pub(crate) fn run(
    connection: &Connection,
    caller: &Caller,
    now: Timestamp,
    plan: &ReadPlan,
    inputs: &[Value],
) -> Result<Page, SqlError> {
    if plan.count.is_none() {
        return within(connection, caller, now, plan, inputs);
    }
    // The page and its total are of one moment.
    let transaction = connection.unchecked_transaction().map_err(sql_error)?;
    within(&transaction, caller, now, plan, inputs)
}

/// As [`run`], within a transaction.
pub(crate) fn within(
    connection: &Connection,
    caller: &Caller,
    now: Timestamp,
    plan: &ReadPlan,
    inputs: &[Value],
) -> Result<Page, SqlError> {
    let identity = |bind: &Bind| resolve(caller, now, bind);
    let parameters = Parameters {
        inputs,
        row: &[],
        identity: &identity,
    };
    let total = match &plan.count {
        Some(count) => Some(total(connection, count, parameters)?),
        None => None,
    };
    rows(connection, plan, parameters, total)
}

fn total(
    connection: &Connection,
    count: &Statement,
    parameters: Parameters<'_>,
) -> Result<u64, SqlError> {
    let mut statement = prepared(connection, count, parameters)?;
    let mut counted = statement.raw_query();
    let total = match counted.next().map_err(sql_error)? {
        Some(row) => row.get::<_, i64>(0).map_err(sql_error)?,
        None => 0,
    };
    Ok(u64::try_from(total).unwrap_or(0))
}

fn prepared<'a>(
    connection: &'a Connection,
    statement: &Statement,
    parameters: Parameters<'_>,
) -> Result<CachedStatement<'a>, SqlError> {
    let mut prepared = connection
        .prepare_cached(&statement.sql)
        .map_err(sql_error)?;
    parameters
        .bind(&mut prepared, &statement.binds)
        .map_err(sql_error)?;
    Ok(prepared)
}

fn rows(
    connection: &Connection,
    plan: &ReadPlan,
    parameters: Parameters<'_>,
    total: Option<u64>,
) -> Result<Page, SqlError> {
    let mut statement = prepared(connection, &plan.statement, parameters)?;
    let mut found = statement.raw_query();
    let mut body = Vec::with_capacity(if plan.point { 512 } else { 4_096 });
    body.push(b'[');
    let mut count = 0;
    while let Some(row) = found.next().map_err(sql_error)? {
        if count > 0 {
            body.push(b',');
        }
        count += 1;
        if let (true, [column]) = (plan.values, &plan.columns[..]) {
            write_value(row.get_ref(0).map_err(sql_error)?, column.out, &mut body);
        } else if !plan.columns.is_empty() {
            write_row(row, 0, &plan.columns, &mut body).map_err(sql_error)?;
        } else {
            body.extend_from_slice(b"{}");
        }
        if body.len() > BODY {
            return Err(SqlError::new(
                "54000",
                format!("the answer is larger than {} MiB", BODY >> 20),
            )
            .hint("Ask for fewer rows or columns."));
        }
    }
    body.push(b']');
    Ok(Page {
        body: Bytes::from(body),
        rows: count,
        total,
    })
}
