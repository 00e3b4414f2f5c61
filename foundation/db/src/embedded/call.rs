//! Runs a function step by step, and reads what its last step gave. All of it is in the savepoint or transaction of whoever calls.

use super::error::sql_error;
use super::identity::resolve;
use super::mutate::{Identity, Parameters};
use super::{page, script};
use crate::db::Page;
use bytes::Bytes;
use pando_kernel::{Caller, Role, Timestamp};
use pando_plan::{CallPlan, Steps};
use pando_sql::render::Rendered;
use pando_sql::{Bind, Catalog, SqlError, Statement, Type, Value};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::fmt::Write;

/// The most a function's rows take up between its last step and the answer, bytes.
const ROWS: usize = 64 << 20;

/// How many rows a call may answer; any other number undoes what it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallBound {
    /// Exactly one, or else PGRST116.
    pub one: bool,
    /// At most so many, or else PGRST124.
    pub at_most: Option<u64>,
}

/// The values of a call: of the function's arguments, and of what is read of its rows.
#[derive(Clone, Debug, Default)]
pub struct CallValues {
    /// From [`CallPlan::bind_arguments`].
    pub arguments: Vec<Value>,
    /// From [`pando_plan::ReadPlan::bind`].
    pub inputs: Vec<Value>,
    /// How many rows may come of it.
    pub bound: CallBound,
}

/// `act_as` is told whose rights each step has.
pub(crate) fn run(
    connection: &Connection,
    catalog: &Catalog,
    (caller, now): (&Caller, Timestamp),
    plan: &CallPlan,
    values: &CallValues,
    act_as: &dyn Fn(Role),
) -> Result<Page, SqlError> {
    let mut inputs = values.inputs.clone();
    if let Some(steps) = &plan.steps {
        let identity = |bind: &Bind| resolve(caller, now, bind);
        let run = Run {
            connection,
            catalog,
            identity: &identity,
            act_as,
        };
        let rows = run.rows(plan.set, steps, values)?;
        if let Some(place) = inputs.get_mut(CallPlan::ROWS) {
            *place = Value::text(rows);
        }
    }
    let page = match &plan.read {
        Some(read) => page::within(connection, caller, now, read, &inputs)?,
        None => Page {
            body: Bytes::from_static(b"[]"),
            rows: 0,
            total: None,
        },
    };
    if values.bound.one && page.rows != 1 && plan.read.is_some() {
        return Err(SqlError::new(
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
        )
        .detail(format!("The result contains {} rows", page.rows)));
    }
    if values.bound.at_most.is_some_and(|most| page.rows > most) {
        return Err(SqlError::new(
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
        )
        .detail(format!("The query affects {} rows", page.rows)));
    }
    Ok(page)
}

struct Run<'a> {
    connection: &'a Connection,
    catalog: &'a Catalog,
    identity: &'a Identity<'a>,
    act_as: &'a dyn Fn(Role),
}

impl Run<'_> {
    /// Runs the steps; gives the rows of the last one as a JSON array of stored values.
    fn rows(&self, set: bool, steps: &Steps, values: &CallValues) -> Result<String, SqlError> {
        let arguments = match &steps.arguments {
            Some(statement) => self.arguments(statement, &values.arguments)?,
            None => Vec::new(),
        };
        let parameters = Parameters {
            inputs: &arguments,
            row: &[],
            identity: self.identity,
        };
        let mut gathered = Gathered::default();
        if !(steps.strict && arguments.iter().any(Value::is_null)) {
            for operation in &steps.operations {
                (self.act_as)(operation.role);
                gathered = Gathered::default();
                self.step(operation, parameters, &steps.types, set, &mut gathered)
                    .map_err(|error| {
                        script::told(self.connection, self.catalog, operation, parameters, error)
                    })??;
            }
        }
        if gathered.rows == 0 && !set {
            gathered.push_nulls(steps.types.len());
        }
        Ok(gathered.finish())
    }

    /// The value of each parameter.
    fn arguments(&self, statement: &Statement, inputs: &[Value]) -> Result<Vec<Value>, SqlError> {
        let parameters = Parameters {
            inputs,
            row: &[],
            identity: self.identity,
        };
        let ask = || {
            let mut prepared = self.connection.prepare_cached(&statement.sql)?;
            parameters.bind(&mut prepared, &statement.binds)?;
            let count = prepared.column_count();
            let mut found = prepared.raw_query();
            let Some(row) = found.next()? else {
                return Ok(Vec::new());
            };
            (0..count)
                .map(|column| Ok(crate::tx::value(row.get_ref(column)?)))
                .collect()
        };
        ask().map_err(sql_error)
    }

    fn step(
        &self,
        rendered: &Rendered,
        parameters: Parameters<'_>,
        types: &[Type],
        set: bool,
        gathered: &mut Gathered,
    ) -> rusqlite::Result<Result<(), SqlError>> {
        let mut prepared = self.connection.prepare_cached(&rendered.statement.sql)?;
        parameters.bind(&mut prepared, &rendered.statement.binds)?;
        if rendered.columns.is_empty() && rendered.writes {
            prepared.raw_execute()?;
            return Ok(Ok(()));
        }
        // Only the last step is sure to have the columns of the answer.
        let types = &types[..types.len().min(prepared.column_count())];
        let mut found = prepared.raw_query();
        // A change is run to its end, whatever of its rows is wanted.
        while let Some(row) = found.next()? {
            if gathered.rows == 0 || set {
                gathered.push(row, types)?;
            }
            if gathered.json.len() > ROWS {
                return Ok(Err(SqlError::new(
                    "54000",
                    format!("the function gives more than {} MiB", ROWS >> 20),
                )
                .hint("Let it give fewer rows or columns.")));
            }
        }
        Ok(Ok(()))
    }
}

/// Rows as `json_each` reads them: a row of one column is its value, others are arrays.
#[derive(Default)]
struct Gathered {
    json: String,
    rows: u64,
}

impl Gathered {
    fn next(&mut self) {
        self.json.push(if self.rows == 0 { '[' } else { ',' });
        self.rows += 1;
    }

    fn push(&mut self, row: &Row<'_>, types: &[Type]) -> rusqlite::Result<()> {
        self.next();
        if types.len() != 1 {
            self.json.push('[');
        }
        for index in 0..types.len() {
            if index > 0 {
                self.json.push(',');
            }
            self.value(row.get_ref(index)?);
        }
        if types.len() != 1 {
            self.json.push(']');
        }
        Ok(())
    }

    fn push_nulls(&mut self, columns: usize) {
        self.next();
        let nulls = vec!["null"; columns].join(",");
        if columns == 1 {
            self.json.push_str(&nulls);
        } else {
            self.json.push('[');
            self.json.push_str(&nulls);
            self.json.push(']');
        }
    }

    fn value(&mut self, value: ValueRef<'_>) {
        // Writing to a String can't fail.
        let _ = match value {
            ValueRef::Null => write!(self.json, "null"),
            ValueRef::Integer(int) => write!(self.json, "{int}"),
            // SQLite reads what is too large as infinity.
            ValueRef::Real(real) if real == f64::INFINITY => write!(self.json, "9e999"),
            ValueRef::Real(real) if real == f64::NEG_INFINITY => write!(self.json, "-9e999"),
            ValueRef::Real(real) if real.is_nan() => write!(self.json, "null"),
            ValueRef::Real(real) => write!(self.json, "{real:?}"),
            ValueRef::Text(text) => {
                let text = String::from_utf8_lossy(text);
                write!(self.json, "{}", serde_json::Value::from(&*text))
            }
            ValueRef::Blob(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                write!(self.json, "\"\\\\x{hex}\"")
            }
        };
    }

    fn finish(mut self) -> String {
        self.json.push_str(if self.rows == 0 { "[]" } else { "]" });
        self.json
    }
}
