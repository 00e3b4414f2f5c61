//! Triggers: what a function does when rows of a table change, worked out for that table.
//!
//! What a `before` trigger does is part of the statement that writes the row. An `after` trigger is one of SQLite's, on the writing
//! connection alone, so that the file stays readable for every program.

use crate::catalog::Table;
use crate::expr::Expr;
use crate::operation::Operation;
use crate::query::Query;
use crate::routine::RoutineId;
use serde::{Deserialize, Serialize};

/// A trigger on a table, for each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its name: triggers of one event run in the order of their names.
    pub name: String,
    /// Before or after the row is written.
    pub timing: Timing,
    /// What it is for.
    pub events: Vec<Event>,
    /// `update of`: only when one of these columns is assigned. Empty for any.
    pub columns: Vec<String>,
    /// `when (..)`, over the new row as source 0 and the old one as source 1.
    pub when: Option<Expr>,
    /// The function.
    pub routine: RoutineId,
    /// Not after `alter table .. disable trigger`.
    pub enabled: bool,
    /// What the function comes to here, for each event.
    pub effects: Vec<(Event, Effect)>,
    /// The statement as written, for Postgres.
    pub source: String,
}

/// When a trigger runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timing {
    /// Before the row is checked and written.
    Before,
    /// After it was written.
    After,
}

/// What happens to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It is new.
    Insert,
    /// It changes.
    Update,
    /// It goes.
    Delete,
}

impl Event {
    /// `tg_op`
    pub fn word(self) -> &'static str {
        match self {
            Event::Insert => "INSERT",
            Event::Update => "UPDATE",
            Event::Delete => "DELETE",
        }
    }
}

/// What a trigger's function does, for one table and one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Before a row is written. Source 1 is the old row, source 2 the proposed one.
    Before {
        /// Values of columns that are not those proposed.
        assignments: Vec<(String, Expr)>,
        /// False where the row is passed over; raises where it is refused. None passes every row.
        verdict: Option<Expr>,
    },
    /// After a row was written. Source 0 is the new row, source 1 the old one; parameters are the function's variables.
    After {
        /// How many variables there are.
        slots: u32,
        /// In order.
        steps: Vec<Step>,
    },
    /// It can't run as the schema is now: what it names is not there. Writing a row raises this, as it does in Postgres.
    Broken {
        /// SQLSTATE
        state: String,
        /// Postgres' words.
        message: String,
    },
}

/// A statement of a function after a row was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// All must hold for it to be run.
    pub path: Vec<Expr>,
    /// What is done.
    pub action: Action,
}

/// What a [`Step`] does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Gives a variable its value.
    Keep {
        /// Which.
        slot: u32,
        /// The value.
        value: Expr,
    },
    /// Changes rows.
    Run(Operation),
    /// Asks, and lets the answer go.
    Ask(Query),
    /// Raises an error.
    Raise(Expr),
}

impl Trigger {
    /// What it does about an event that assigns some columns; none if it is not for it.
    pub fn effect(&self, timing: Timing, event: Event, assigned: &[String]) -> Option<&Effect> {
        let meant = self.enabled
            && self.timing == timing
            && (event != Event::Update
                || self.columns.is_empty()
                || self.columns.iter().any(|column| assigned.contains(column)));
        let effect = self.effects.iter().find(|(of, _)| *of == event);
        effect.filter(|_| meant).map(|(_, effect)| effect)
    }

    /// Its condition knows the types that the columns have by now.
    pub(crate) fn retype(&mut self, table: &Table) {
        let Some(when) = &mut self.when else { return };
        when.walk_mut(&mut Vec::new(), &mut |_, expr| {
            if let Expr::Column { name, ty, .. } = expr
                && let Some(column) = table.column(name)
            {
                ty.clone_from(&column.ty);
            }
        });
    }

    /// A column of the table has another name now.
    pub(crate) fn rename_column(&mut self, old: &str, new: &str) {
        for column in &mut self.columns {
            if column == old {
                new.clone_into(column);
            }
        }
        if let Some(when) = &mut self.when {
            when.walk_mut(&mut Vec::new(), &mut |scope, expr| {
                if let Expr::Column { level, name, .. } = expr
                    && *level as usize == scope.len()
                    && name == old
                {
                    new.clone_into(name);
                }
            });
        }
    }
}
