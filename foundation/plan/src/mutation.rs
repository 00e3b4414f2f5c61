//! A mutation becomes up to three statements, run in one transaction by the engine.
//!
//! | part | what it does |
//! |---|---|
//! | the write | changes rows; in its `RETURNING` list stand the row's handle, the checks, and the answer if nothing is embedded |
//! | the lookup (upserts) | finds the row whose key is taken, and whether the caller may update it |
//! | the fetch | reads changed rows again by their handle, with embedded resources |
//!
//! A view that Postgres would update by itself is written as its table: the rows it shows are looked for in it with the handles
//! of the table's rows, and what is answered is read from it.
//!
//! Policies, after Postgres: an insert's check holds for every proposed row, before anything is written, so that a
//! refused row reveals nothing about keys. Select policies join in where the statement reads the table: with a
//! filter, with `on_conflict`, or when rows are returned. What fails them raises 42501; it is not skipped.

mod delete;
mod draft;
mod fire;
mod insert;
mod update;

use crate::error::PlanError;
use crate::input::{self, InputSlot, InputType};
use crate::level::Level;
use crate::payload::{self, PayloadColumn};
use crate::planner::{Planner, column};
use crate::read::{OutColumn, PlanLimits};
use crate::request::{Change, Expect, Input, Mutation, OnConflict};
pub(crate) use draft::Draft;
use draft::is_handle;
use pando_kernel::Role;
use pando_sql::catalog::{Command, ForeignKey, Table};
use pando_sql::render::fires_before;
use pando_sql::trigger::Event;
use pando_sql::writable::writable;
use pando_sql::{Bind, Catalog, SqlError, Statement, Value};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// A mutation, planned for a role: it serves every request of its shape.
#[derive(Clone, Debug)]
pub struct MutationPlan {
    /// What [`pando_sql::Bind::Input`] refers to.
    pub inputs: Vec<InputSlot>,
    /// How each column of a returned row is written.
    pub columns: Vec<OutColumn>,
    /// Whether `columns` are the primary key for `Location`, and not the answer.
    pub keys: bool,
    /// What is run.
    pub work: Work,
    /// How many rows may be changed.
    pub bound: RowBound,
    /// What is needed to say which constraint a failed write broke.
    pub constraints: Constraints,
    /// Whether rows are answered at all.
    pub returning: bool,
    payload: Vec<PayloadColumn>,
    /// Inserts: a key without a default that the payload leaves out; SQLite would number it by itself.
    keyless: Option<String>,
}

/// The statements of a mutation.
#[derive(Clone, Debug)]
pub enum Work {
    /// An update of no columns: changes nothing, answers no rows.
    Nothing,
    /// An insert or upsert.
    Insert(Box<Insert>),
    /// An update, once for all rows that match.
    Update {
        /// The update.
        write: Write,
        /// How the rows are answered, if `write` doesn't.
        fetch: Option<Fetch>,
    },
    /// A delete, once for all rows that match.
    Delete {
        /// The delete.
        write: Write,
        /// Run before the delete, while what is embedded is still there: the answer.
        rows: Option<Statement>,
    },
}

/// An insert, run once for each row of the payload.
#[derive(Clone, Debug)]
pub struct Insert {
    /// The insert. Where the check refuses the row, it inserts and answers nothing.
    pub write: Write,
    /// Whether `write` inserts nothing when a policy refuses the row.
    pub guarded: bool,
    /// Upserts: `write`'s policy check by itself; no row means refused.
    pub guard: Option<Statement>,
    /// Upserts: what to do about a key that is taken.
    pub conflict: Option<Conflict>,
    /// Asked once for each row before anything else: numbers of sequences. What it answers is appended to the row.
    pub drawn: Option<Statement>,
    /// Asked once for each row after that: what triggers make of it. The first value it answers says whether the row is written at all;
    /// all are appended to the row.
    pub fired: Option<Statement>,
    /// How the rows are answered, if `write` doesn't.
    pub fetch: Option<Fetch>,
}

/// An upsert's way with a key that is taken.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The row that has the key: its handle, and whether the caller may update it.
    pub lookup: Statement,
    /// Update it; otherwise it is left as it is.
    pub merge: bool,
}

/// A statement that changes rows.
#[derive(Clone, Debug)]
pub struct Write {
    /// Its text. If `answers`, each changed row answers [`Write::HANDLE`], [`Write::UPDATE_ALLOWED`] and from [`Write::COLUMNS`] on
    /// the columns of the plan, if it has them.
    pub statement: Statement,
    /// Whether it answers rows; otherwise only their number is known.
    pub answers: bool,
    /// Whether the plan's columns are among the answers.
    pub columns: bool,
}

impl Write {
    /// The row's handle, an integer that stays the same within the transaction.
    pub const HANDLE: usize = 0;
    /// Whether policies allow the row as updated: 1, or else it is refused.
    pub const UPDATE_ALLOWED: usize = 1;
    /// Where the plan's columns start.
    pub const COLUMNS: usize = 2;
}

/// Reads changed rows again, with the plan's columns.
#[derive(Clone, Debug)]
pub enum Fetch {
    /// One row: [`Bind::Row`] 0 is its handle.
    Each(Statement),
    /// All of them in the order asked for: [`Bind::Row`] 0 is a JSON array of handles.
    Sorted(Statement),
}

/// How many rows a mutation may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowBound {
    /// Any number.
    Any,
    /// Exactly one.
    One,
    /// At most the value of this parameter.
    AtMost(u32),
}

/// What explains a failed write in Postgres' words.
#[derive(Clone, Debug)]
pub struct Constraints {
    /// The table written.
    pub table: Arc<Table>,
    /// Whether the caller may be shown values of rows: no policy stands between.
    pub shows_values: bool,
    /// The rows as they were, all columns of the table in order. Updates and deletes.
    pub before: Option<Statement>,
    /// The rows as proposed, all columns of the table in order. Inserts (of one row) and updates.
    pub after: Option<Statement>,
    /// Updates: answers a row if a policy refuses one of the proposed rows.
    pub refusal: Option<Statement>,
    /// Foreign keys that refer to the table and refuse or pass on its change.
    pub references: Vec<Reference>,
}

/// A foreign key from the side of the table it refers to.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The table that holds the key.
    pub table: Arc<Table>,
    /// The key.
    pub key: ForeignKey,
    /// Whether it refuses the change while rows refer; otherwise the change cascades.
    pub refuses: bool,
    /// Keys that refer to that table in turn, where the change cascades.
    pub further: Vec<Reference>,
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
    /// As Postgres' input functions; 23502 for an identity column given null; 22023 when the number of cells isn't
    /// the number of columns.
    pub fn bind_row(&self, cells: &[Option<&RawValue>]) -> Result<Vec<Value>, SqlError> {
        if let Some(column) = &self.keyless {
            return Err(payload::null_in(column, &self.constraints.table.name));
        }
        payload::read_row(&self.payload, &self.constraints.table, cells)
    }
}

/// Plans a mutation for a role.
///
/// # Errors
/// Unknown or ambiguous names, identity columns given a value (428C9), `on_conflict` on columns that are no key
/// (42P10), policies that recurse.
pub fn plan_mutation(
    catalog: &Catalog,
    role: Role,
    mutation: &Mutation,
    limits: &PlanLimits,
) -> Result<MutationPlan, PlanError> {
    let mut planner = Planner::new(catalog, role, limits, &mutation.schema);
    let asked = planner.table(&mutation.table)?;
    let command = match mutation.change {
        Change::Insert { .. } => Command::Insert,
        Change::Update { .. } => Command::Update,
        Change::Delete => Command::Delete,
    };
    let view = match &asked.view {
        Some(_) => Some(writable(catalog, asked, command)?),
        None => None,
    };
    let table = view.as_ref().map_or(asked, |view| &view.base);
    // A RETURNING list knows the table by its own name only, so that is its alias everywhere.
    let alias = match &view {
        Some(_) => planner.alias(),
        None => table.file_name(),
    };
    let root = Level::resolve(&mut planner, asked, alias, &mutation.node, 0)?;
    if !matches!(mutation.change, Change::Insert { .. })
        && (mutation.node.limit.is_some() || mutation.node.offset.is_some())
    {
        return Err(PlanError::LimitedMutation);
    }
    if mutation.returning && root.counts() {
        // Changed rows are answered one by one; their number is in `Content-Range`.
        column(asked, "count")?;
    }
    let mut draft = Draft {
        planner,
        table,
        name: table.file_name(),
        view: view.as_ref(),
        root,
        mutation,
        columns: Vec::new(),
    };
    let columns = match &mutation.change {
        Change::Insert { columns, .. } | Change::Update { columns } => {
            draft.written(columns, command)?
        }
        Change::Delete => Cow::Borrowed(&[][..]),
    };
    let (work, payload, constraints) = match &mutation.change {
        Change::Insert {
            on_conflict,
            missing_default,
            ..
        } => {
            let on_conflict = match on_conflict {
                Some(known) => Some(OnConflict {
                    columns: draft.written(&known.columns, command)?.into_owned(),
                    merge: known.merge,
                }),
                None => None,
            };
            insert::plan(&mut draft, &columns, on_conflict.as_ref(), *missing_default)?
        }
        Change::Update { .. } => update::plan(&mut draft, &columns)?,
        Change::Delete => delete::plan(&mut draft)?,
    };
    draft.permit_change()?;
    let keyless = match &mutation.change {
        Change::Insert { .. } => table
            .columns
            .iter()
            .find(|column| {
                is_handle(table, column)
                    && column.default.is_none()
                    && !columns.contains(&column.name)
                    && !fires_before(table, Event::Insert, &[])
            })
            .map(|column| column.name.clone()),
        _ => None,
    };
    let bound = match mutation.expect {
        Expect::Any => RowBound::Any,
        Expect::One => RowBound::One,
        Expect::AtMost(slot) => {
            let mut parameter = Statement::new();
            draft
                .planner
                .bind_input(slot, InputType::Rows, &mut parameter);
            match parameter.binds.as_slice() {
                [Bind::Input(index)] => RowBound::AtMost(*index),
                _ => RowBound::Any,
            }
        }
    };
    Ok(MutationPlan {
        inputs: draft.planner.inputs,
        columns: draft.columns,
        keys: mutation.keys && !mutation.returning,
        work,
        bound,
        constraints,
        returning: mutation.returning,
        payload,
        keyless,
    })
}
