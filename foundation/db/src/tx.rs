//! Hand-written SQL of a service, within the transaction it was given.

use crate::embedded::error::sql_error;
use crate::embedded::mutate::Bound;
use crate::row::Row;
use pando_kernel::Timestamp;
use pando_sql::{SqlError, Value};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection};

/// A transaction. Parameters are numbered `?1`, `?2`; statements are prepared once a connection.
pub struct Tx<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) now: Timestamp,
}

impl Tx<'_> {
    /// All rows.
    pub fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, SqlError> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(row);
            true
        })?;
        Ok(found)
    }

    /// The first row, if there is one.
    pub fn query_one(&self, sql: &str, params: &[Value]) -> Result<Option<Row>, SqlError> {
        let mut found = None;
        self.each(sql, params, |row| {
            found = Some(row);
            false
        })?;
        Ok(found)
    }

    /// Runs a statement and tells how many rows it changed.
    pub fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, SqlError> {
        let mut statement = self.prepare(sql, params)?;
        Ok(statement.raw_execute().map_err(sql_error)? as u64)
    }

    /// One moment for the whole transaction.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    fn prepare(&self, sql: &str, params: &[Value]) -> Result<CachedStatement<'_>, SqlError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(sql_error)?;
        for (index, value) in params.iter().enumerate() {
            statement
                .raw_bind_parameter(index + 1, Bound(value))
                .map_err(sql_error)?;
        }
        Ok(statement)
    }

    fn each(
        &self,
        sql: &str,
        params: &[Value],
        mut visit: impl FnMut(Row) -> bool,
    ) -> Result<(), SqlError> {
        let mut statement = self.prepare(sql, params)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(sql_error)? {
            let values = (0..columns)
                .map(|index| Ok(value(row.get_ref(index).map_err(sql_error)?)))
                .collect::<Result<_, SqlError>>()?;
            if !visit(Row(values)) {
                break;
            }
        }
        Ok(())
    }
}

pub(crate) fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::text(String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    }
}
