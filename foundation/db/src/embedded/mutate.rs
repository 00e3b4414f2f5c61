//! Runs a mutation's plan inside the savepoint the writer opened for it.
//!
//! A refused or failed row fails the whole request: the error goes up and the writer rolls the savepoint back. Nothing
//! here keeps state between runs, so a plan can be run again with the same values.

use super::violation;
use bytes::Bytes;
use pando_plan::{Fetch, Insert, MutationPlan, RowBound, Work, Write};
use pando_sql::{Bind, SqlError, Statement, Value};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Row};
use std::collections::HashSet;

/// What a mutation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The changed rows as a JSON array, if they are returned.
    pub body: Option<Bytes>,
    /// How many rows were inserted, updated or deleted.
    pub rows: u64,
    /// How many of them are new.
    pub inserted: u64,
    /// The primary key of the one row inserted, column by column, where `Location` is wanted.
    pub location: Vec<(String, String)>,
}

/// Resolves the parameters that neither the request nor the row fills.
pub(crate) type Identity<'a> = dyn Fn(&Bind) -> Value + 'a;

/// Runs a mutation: `inputs` from [`MutationPlan::bind`], `rows` from [`MutationPlan::bind_row`].
pub(crate) fn run(
    conn: &Connection,
    plan: &MutationPlan,
    inputs: &[Value],
    rows: &[Vec<Value>],
    identity: &Identity<'_>,
) -> Result<Changed, SqlError> {
    let mut run = Run {
        conn,
        plan,
        inputs,
        identity,
        changed: Changed::default(),
        body: Body::default(),
    };
    match &plan.work {
        Work::Nothing => {}
        Work::Insert(insert) => run.insert(insert, rows)?,
        Work::Update { write, fetch } => {
            let row = rows.first().map_or(&[] as &[Value], Vec::as_slice);
            run.update(write, fetch.as_ref(), row)?;
        }
        Work::Delete { write, rows } => run.delete(write, rows.as_ref())?,
    }
    if super::deferred::is_broken(conn) {
        return Err(violation::deferred(conn, plan));
    }
    run.finish()
}

/// What stands behind a statement's parameters.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a> {
    pub(crate) inputs: &'a [Value],
    pub(crate) row: &'a [Value],
    pub(crate) identity: &'a Identity<'a>,
}

/// A value on its way into SQLite, borrowed.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(int) => ValueRef::Integer(*int),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Parameters<'_> {
    /// Binds every parameter of a statement.
    pub(crate) fn bind(
        &self,
        statement: &mut CachedStatement<'_>,
        binds: &[Bind],
    ) -> rusqlite::Result<()> {
        // A function may leave its arguments unused, and with them parameters at the end.
        for (index, bind) in binds.iter().enumerate().take(statement.parameter_count()) {
            let computed;
            let value = match bind {
                Bind::Const(value) => value,
                Bind::Input(position) => {
                    self.inputs.get(*position as usize).unwrap_or(&Value::Null)
                }
                Bind::Row(position) => self.row.get(*position as usize).unwrap_or(&Value::Null),
                other => {
                    computed = (self.identity)(other);
                    &computed
                }
            };
            statement.raw_bind_parameter(index + 1, Bound(value))?;
        }
        Ok(())
    }
}

/// The rows of an answer, written one after the other.
#[derive(Default)]
struct Body {
    text: Vec<u8>,
    rows: u64,
}

impl Body {
    fn push(&mut self, row: &Row<'_>, first: usize, plan: &MutationPlan) -> rusqlite::Result<()> {
        self.text.push(if self.rows == 0 { b'[' } else { b',' });
        self.rows += 1;
        super::json::write_row(row, first, &plan.columns, &mut self.text)
    }
}

struct Run<'a> {
    conn: &'a Connection,
    plan: &'a MutationPlan,
    inputs: &'a [Value],
    identity: &'a Identity<'a>,
    changed: Changed,
    body: Body,
}

/// A row that a write answered.
struct Written {
    handle: i64,
    update_allowed: bool,
}

impl<'a> Run<'a> {
    fn parameters<'b>(&'b self, row: &'b [Value]) -> Parameters<'b> {
        Parameters {
            inputs: self.inputs,
            row,
            identity: self.identity,
        }
    }

    fn prepare(&self, statement: &Statement) -> Result<CachedStatement<'a>, SqlError> {
        self.conn
            .prepare_cached(&statement.sql)
            .map_err(super::error::sql_error)
    }

    fn insert(&mut self, insert: &Insert, rows: &[Vec<Value>]) -> Result<(), SqlError> {
        let mut write = self.prepare(&insert.write.statement)?;
        let mut drawn = insert
            .drawn
            .as_ref()
            .map(|drawn| self.prepare(drawn))
            .transpose()?;
        let mut fired = insert
            .fired
            .as_ref()
            .map(|fired| self.prepare(fired))
            .transpose()?;
        let mut guard = insert
            .guard
            .as_ref()
            .map(|guard| self.prepare(guard))
            .transpose()?;
        let mut lookup = insert
            .conflict
            .as_ref()
            .map(|conflict| self.prepare(&conflict.lookup))
            .transpose()?;
        let mut fetch = match &insert.fetch {
            Some(Fetch::Each(statement)) => Some((self.prepare(statement)?, statement)),
            _ => None,
        };
        let mut handles = Vec::new();
        let mut touched = HashSet::new();
        for payload in rows {
            let numbered = match (&insert.drawn, &mut drawn) {
                (Some(statement), Some(prepared)) => Some(self.draw(prepared, statement, payload)?),
                _ => None,
            };
            let row = numbered.as_deref().unwrap_or(payload);
            let seen = match (&insert.fired, &mut fired) {
                (Some(statement), Some(prepared)) => Some(self.draw(prepared, statement, row)?),
                _ => None,
            };
            // A trigger may pass a row over.
            if let Some(seen) = &seen
                && seen.get(row.len()).and_then(Value::as_int) != Some(1)
            {
                continue;
            }
            let row = seen.as_deref().unwrap_or(row);
            let merge = insert
                .conflict
                .as_ref()
                .is_some_and(|conflict| conflict.merge);
            let taken = match (&insert.conflict, &mut lookup) {
                (Some(conflict), Some(lookup)) => self.taken(lookup, &conflict.lookup, row)?,
                _ => None,
            };
            if let Some((handle, allowed)) = taken {
                if let (Some(guard), Some(statement)) = (&mut guard, &insert.guard)
                    && !self.any(guard, statement, row)?
                {
                    return Err(self.refused(""));
                }
                if merge && touched.contains(&handle) {
                    return Err(SqlError::new(
                        "21000",
                        "ON CONFLICT DO UPDATE command cannot affect row a second time",
                    )
                    .hint(
                        "Ensure that no rows proposed for insertion within the same command have duplicate \
                         constrained values.",
                    ));
                }
                if merge && !allowed {
                    return Err(self.refused(" (USING expression)"));
                }
            }
            let mut written = Vec::new();
            let changed = self.write(&mut write, &insert.write, row, &mut written)?;
            if changed == 0 {
                if taken.is_none() && insert.guarded {
                    return Err(self.refused(""));
                }
                continue;
            }
            self.changed.rows += 1;
            if taken.is_none() {
                self.changed.inserted += 1;
            }
            let Some(written) = written.pop() else {
                continue;
            };
            if taken.is_some() && !written.update_allowed {
                return Err(self.refused(""));
            }
            if merge {
                touched.insert(written.handle);
            }
            match &mut fetch {
                Some((fetch, statement)) => {
                    self.answer(fetch, statement, &[Value::Int(written.handle)])?
                }
                None => handles.push(written.handle),
            }
        }
        if let Some(Fetch::Sorted(statement)) = &insert.fetch {
            self.answer_sorted(statement, &handles)?;
        }
        Ok(())
    }

    fn update(
        &mut self,
        write: &Write,
        fetch: Option<&Fetch>,
        row: &[Value],
    ) -> Result<(), SqlError> {
        let mut statement = self.prepare(&write.statement)?;
        let mut written = Vec::new();
        self.changed.rows = self.write(&mut statement, write, row, &mut written)?;
        if written.iter().any(|written| !written.update_allowed) {
            return Err(self.refused(""));
        }
        match fetch {
            Some(Fetch::Each(each)) => {
                let mut prepared = self.prepare(each)?;
                for written in written {
                    self.answer(&mut prepared, each, &[Value::Int(written.handle)])?;
                }
            }
            Some(Fetch::Sorted(sorted)) => {
                let handles: Vec<i64> = written.iter().map(|written| written.handle).collect();
                self.answer_sorted(sorted, &handles)?;
            }
            None => {}
        }
        Ok(())
    }

    fn delete(&mut self, write: &Write, rows: Option<&Statement>) -> Result<(), SqlError> {
        if let Some(rows) = rows {
            let mut prepared = self.prepare(rows)?;
            self.answer(&mut prepared, rows, &[])?;
        }
        let mut statement = self.prepare(&write.statement)?;
        self.changed.rows = self.write(&mut statement, write, &[], &mut Vec::new())?;
        Ok(())
    }

    /// Runs a write to its end; says how many rows it changed.
    fn write(
        &mut self,
        statement: &mut CachedStatement<'_>,
        write: &Write,
        row: &[Value],
        written: &mut Vec<Written>,
    ) -> Result<u64, SqlError> {
        let outcome = self.try_write(statement, write, row, written);
        outcome
            .map_err(|error| violation::explain(self.conn, self.plan, &self.parameters(row), error))
    }

    fn try_write(
        &mut self,
        statement: &mut CachedStatement<'_>,
        write: &Write,
        row: &[Value],
        written: &mut Vec<Written>,
    ) -> rusqlite::Result<u64> {
        self.parameters(row)
            .bind(statement, &write.statement.binds)?;
        if !write.answers {
            return statement.raw_execute().map(|rows| rows as u64);
        }
        let mut rows = statement.raw_query();
        let mut changed = 0;
        while let Some(row) = rows.next()? {
            changed += 1;
            written.push(Written {
                handle: row.get(Write::HANDLE)?,
                update_allowed: row.get::<_, Option<i64>>(Write::UPDATE_ALLOWED)? == Some(1),
            });
            if write.columns && self.plan.keys {
                self.changed.location = self.key(row)?;
            } else if write.columns {
                self.body.push(row, Write::COLUMNS, self.plan)?;
            }
        }
        Ok(changed)
    }

    /// The primary key of a row, as text.
    fn key(&self, row: &Row<'_>) -> rusqlite::Result<Vec<(String, String)>> {
        let text = |value: ValueRef<'_>| match value {
            ValueRef::Null => String::new(),
            ValueRef::Integer(int) => int.to_string(),
            ValueRef::Real(real) => real.to_string(),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                String::from_utf8_lossy(bytes).into_owned()
            }
        };
        let columns = self.plan.columns.iter().enumerate();
        columns
            .map(|(index, column)| {
                Ok((
                    column.name.clone(),
                    text(row.get_ref(Write::COLUMNS + index)?),
                ))
            })
            .collect()
    }

    /// The row that has the proposed key, and whether the caller may update it.
    fn taken(
        &self,
        prepared: &mut CachedStatement<'_>,
        lookup: &Statement,
        row: &[Value],
    ) -> Result<Option<(i64, bool)>, SqlError> {
        let mut find = || {
            self.parameters(row).bind(prepared, &lookup.binds)?;
            let mut rows = prepared.raw_query();
            let Some(row) = rows.next()? else {
                return Ok(None);
            };
            Ok(Some((
                row.get(0)?,
                row.get::<_, Option<i64>>(1)? == Some(1),
            )))
        };
        find().map_err(super::error::sql_error)
    }

    fn any(
        &self,
        prepared: &mut CachedStatement<'_>,
        guard: &Statement,
        row: &[Value],
    ) -> Result<bool, SqlError> {
        let mut ask = || {
            self.parameters(row).bind(prepared, &guard.binds)?;
            Ok(prepared.raw_query().next()?.is_some())
        };
        ask().map_err(super::error::sql_error)
    }

    /// The row with what is drawn for it.
    fn draw(
        &self,
        prepared: &mut CachedStatement<'_>,
        drawn: &Statement,
        payload: &[Value],
    ) -> Result<Vec<Value>, SqlError> {
        let mut row = payload.to_vec();
        let mut ask = || {
            self.parameters(payload).bind(prepared, &drawn.binds)?;
            let columns = prepared.column_count();
            let mut rows = prepared.raw_query();
            if let Some(found) = rows.next()? {
                for column in 0..columns {
                    row.push(crate::tx::value(found.get_ref(column)?));
                }
            }
            Ok(())
        };
        ask().map_err(super::error::sql_error)?;
        Ok(row)
    }

    /// Appends the rows a statement finds to the answer.
    fn answer(
        &mut self,
        prepared: &mut CachedStatement<'_>,
        statement: &Statement,
        row: &[Value],
    ) -> Result<(), SqlError> {
        let mut read = || {
            self.parameters(row).bind(prepared, &statement.binds)?;
            let mut rows = prepared.raw_query();
            while let Some(row) = rows.next()? {
                self.body.push(row, 0, self.plan)?;
            }
            Ok(())
        };
        read().map_err(super::error::sql_error)
    }

    fn answer_sorted(&mut self, statement: &Statement, handles: &[i64]) -> Result<(), SqlError> {
        let list: Vec<String> = handles.iter().map(i64::to_string).collect();
        let mut prepared = self.prepare(statement)?;
        self.answer(
            &mut prepared,
            statement,
            &[Value::text(format!("[{}]", list.join(",")))],
        )
    }

    /// A row-level security policy refuses a row.
    fn refused(&self, which: &str) -> SqlError {
        let table = &self.plan.constraints.table.name;
        SqlError::new(
            "42501",
            format!("new row violates row-level security policy{which} for table \"{table}\""),
        )
    }

    fn finish(mut self) -> Result<Changed, SqlError> {
        let rows = if self.plan.returning {
            self.body.rows
        } else {
            self.changed.rows
        };
        match self.plan.bound {
            RowBound::One if rows != 1 => {
                return Err(SqlError::new(
                    "PGRST116",
                    "Cannot coerce the result to a single JSON object",
                )
                .detail(format!("The result contains {rows} rows")));
            }
            RowBound::AtMost(input) => {
                let most = self
                    .inputs
                    .get(input as usize)
                    .and_then(Value::as_int)
                    .unwrap_or(i64::MAX);
                if self.changed.rows > u64::try_from(most).unwrap_or(0) {
                    return Err(SqlError::new(
                        "PGRST124",
                        "Query result exceeds max-affected preference constraint",
                    )
                    .detail(format!("The query affects {} rows", self.changed.rows)));
                }
            }
            RowBound::One | RowBound::Any => {}
        }
        if self.changed.rows != 1 {
            self.changed.location.clear();
        }
        if self.plan.returning {
            if self.body.rows == 0 {
                self.body.text.push(b'[');
            }
            self.body.text.push(b']');
            self.changed.body = Some(self.body.text.into());
        }
        Ok(self.changed)
    }
}

#[cfg(test)]
mod tests;
