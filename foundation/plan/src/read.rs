//! A read becomes one statement, and one more when the rows are counted.

use crate::error::PlanError;
use crate::input::{self, InputSlot};
use crate::level::Level;
use crate::planner::{Conditions, Planner};
use crate::request::{Filter, Input, Node, Op, Read, Test};
use pando_kernel::Role;
use pando_sql::catalog::Table;
use pando_sql::statement::JsonOut;
use pando_sql::{Catalog, SqlError, Statement, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bounds of a plan. Part of what a plan depends on: a plan is made for one set of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanLimits {
    /// Levels of embedded resources.
    pub embed_depth_max: usize,
    /// Rows of one page, at every level.
    pub page_rows_max: u64,
    /// Whether tables without row-level security are reachable at all; otherwise they are unknown.
    pub allow_unprotected: bool,
}

/// A read, planned for a role: it serves every request of its shape.
#[derive(Clone, Debug)]
pub struct ReadPlan {
    /// The rows, one column for each of `columns`. With no columns it selects one null a row.
    pub statement: Statement,
    /// How each column is written.
    pub columns: Vec<OutColumn>,
    /// The number of rows that match whatever the page: one row, one integer. Same inputs.
    pub count: Option<Statement>,
    /// What [`pando_sql::Bind::Input`] refers to.
    pub inputs: Vec<InputSlot>,
    /// At most one row, found by a unique key, and nothing to-many in it: cheap enough to run in place.
    pub point: bool,
    /// Rows are answered as the value of their one column.
    pub values: bool,
    /// What running it has taught: see [`ReadPlan::slow`].
    slow: Arc<AtomicBool>,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutColumn {
    /// `"name":` as JSON, ready to append.
    pub key: Box<str>,
    /// The name, for CSV and for looking a value up.
    pub name: String,
    /// How its value becomes JSON.
    pub out: JsonOut,
}

impl OutColumn {
    /// A column called `name`.
    pub fn new(name: &str, out: JsonOut) -> OutColumn {
        let key = format!("{}:", serde_json::Value::from(name));
        OutColumn {
            key: key.into(),
            name: name.to_owned(),
            out,
        }
    }
}

impl ReadPlan {
    /// Whether it has taken longer than a read that runs on the thread that asks may take.
    pub fn slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// From now on it runs on a thread of its own.
    pub fn mark_slow(&self) {
        self.slow.store(true, Ordering::Relaxed);
    }

    /// Reads the request's inputs by the types of what they are compared with.
    ///
    /// # Errors
    /// As Postgres' input functions: 22P02, 22003, 22007, ..
    pub fn bind(&self, inputs: &[Input]) -> Result<Vec<Value>, SqlError> {
        input::bind(&self.inputs, inputs)
    }
}

/// Plans a read for a role.
///
/// # Errors
/// Unknown or ambiguous names, operators that do not exist for a type, policies that recurse.
pub fn plan_read(
    catalog: &Catalog,
    role: Role,
    read: &Read,
    limits: &PlanLimits,
) -> Result<ReadPlan, PlanError> {
    let planner = Planner::new(catalog, role, limits, &read.schema);
    let table = planner.table(&read.table)?;
    plan_source(planner, read, table)
}

/// Plans a read of something that is reachable.
pub(crate) fn plan_source<'a>(
    mut planner: Planner<'a>,
    read: &'a Read,
    table: &'a Table,
) -> Result<ReadPlan, PlanError> {
    let alias = planner.alias();
    let root = Level::resolve(&mut planner, table, alias, &read.node, 0)?;
    let point = pins_one_row(table, &read.node) && !root.has_to_many();

    let mut statement = Statement::new();
    let columns = if read.bodyless {
        statement.push("SELECT NULL");
        Vec::new()
    } else {
        planner.select(&root, &mut statement)?
    };
    planner.from(&root, &mut statement)?;
    planner.conditions(&root, &mut Conditions::after(" WHERE "), &mut statement)?;
    planner.order(&root, &mut statement)?;
    planner.page(&root, !point, &mut statement);

    let count = if read.count {
        let mut count = Statement::new();
        count.push("SELECT count(*) FROM ");
        planner.push_source(table, &mut count)?;
        count.push(" AS ").ident(&root.alias);
        planner.conditions(&root, &mut Conditions::after(" WHERE "), &mut count)?;
        Some(count)
    } else {
        None
    };
    planner.permit_schema()?;
    planner.permit_read(&root, true)?;
    Ok(ReadPlan {
        statement,
        columns,
        count,
        inputs: planner.inputs,
        point,
        values: read.values,
        slow: Arc::default(),
    })
}

impl<'a> Planner<'a> {
    /// Appends `SELECT ..` with the cells of the root.
    pub(crate) fn select(
        &mut self,
        root: &Level<'a>,
        out: &mut Statement,
    ) -> Result<Vec<OutColumn>, PlanError> {
        out.push("SELECT ");
        let columns = self.list(root, out)?;
        if columns.is_empty() {
            out.push("NULL");
        }
        Ok(columns)
    }

    /// Appends the cells of the root, separated by commas.
    pub(crate) fn list(
        &mut self,
        root: &Level<'a>,
        out: &mut Statement,
    ) -> Result<Vec<OutColumn>, PlanError> {
        let mut columns = Vec::new();
        for (index, cell) in self.cells(root, false)?.iter().enumerate() {
            if index > 0 {
                out.push(", ");
            }
            let json_out = self.value(cell, out)?;
            columns.push(OutColumn::new(cell.key, json_out));
        }
        Ok(columns)
    }
}

/// Whether the filters fix all columns of a unique key.
fn pins_one_row(table: &Table, node: &Node) -> bool {
    let pinned = |column: &String| {
        node.filters.iter().any(|filter| {
            matches!(filter, Filter::Compare { path, negated: false, test: Test::Op(Op::Eq, _) }
                if path.column == *column && path.steps.is_empty())
        })
    };
    table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .any(|key| key.columns.iter().all(pinned))
}
