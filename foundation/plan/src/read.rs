//! A read becomes one statement.

use crate::error::PlanError;
use crate::input::{self, InputSlot};
use crate::request::{Input, Read};
use pando_kernel::Role;
use pando_sql::statement::JsonOut;
use pando_sql::{Catalog, SqlError, Statement, Value};

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
        OutColumn { key: key.into(), name: name.to_owned(), out }
    }
}

impl ReadPlan {
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
    _catalog: &Catalog,
    _role: Role,
    _read: &Read,
    _limits: &PlanLimits,
) -> Result<ReadPlan, PlanError> {
    Err(SqlError::new("0A000", "reads are not planned yet").into())
}
