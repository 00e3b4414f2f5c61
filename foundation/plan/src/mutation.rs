//! A mutation becomes up to three statements, run in one transaction.

use crate::error::PlanError;
use crate::input::{self, InputSlot};
use crate::read::{OutColumn, PlanLimits};
use crate::request::{Input, Mutation};
use pando_kernel::Role;
use pando_sql::{Catalog, SqlError, Value};
use serde_json::value::RawValue;

/// A mutation, planned for a role: it serves every request of its shape.
#[derive(Clone, Debug)]
pub struct MutationPlan {
    /// What [`pando_sql::Bind::Input`] refers to.
    pub inputs: Vec<InputSlot>,
    /// How each column of a returned row is written.
    pub columns: Vec<OutColumn>,
}

impl MutationPlan {
    /// Reads the request's inputs by the types of what they are compared with.
    ///
    /// # Errors
    /// As Postgres' input functions: 22P02, 22003, 22007, ..
    pub fn bind(&self, inputs: &[Input]) -> Result<Vec<Value>, SqlError> {
        input::bind(&self.inputs, inputs)
    }

    /// Reads one row of the payload: its cells in the order of the change's columns, `None` where the key is absent.
    ///
    /// # Errors
    /// As Postgres' input functions, and 22023 when the number of cells isn't the number of columns.
    pub fn bind_row(&self, _cells: &[Option<&RawValue>]) -> Result<Vec<Value>, SqlError> {
        Err(SqlError::new("0A000", "payloads are not read yet"))
    }
}

/// Plans a mutation for a role.
///
/// # Errors
/// Unknown or ambiguous names, identity columns given a value (428C9), policies that recurse.
pub fn plan_mutation(
    _catalog: &Catalog,
    _role: Role,
    _mutation: &Mutation,
    _limits: &PlanLimits,
) -> Result<MutationPlan, PlanError> {
    Err(SqlError::new("0A000", "mutations are not planned yet").into())
}
