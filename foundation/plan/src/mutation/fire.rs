//! Triggers before a row is written, as parts of the statements that write it.

use super::draft::Draft;
use crate::error::PlanError;
use pando_sql::Statement;
use pando_sql::catalog::Command;
use pando_sql::render::{Fired, Texts, fires_before, render_before};
use pando_sql::trigger::Event;

impl Draft<'_> {
    /// The row that is there, by the table's own name.
    pub(super) fn own_row(&self) -> Texts {
        self.row_of(&self.name)
    }

    /// The columns of the table under a name.
    pub(super) fn row_of(&self, name: &str) -> Texts {
        let columns = self.table.columns.iter().map(|column| {
            let mut text = Statement::new();
            text.ident(name).push(".").ident(&column.name);
            (column.name.clone(), text.sql)
        });
        columns.collect()
    }

    /// A row that is not there.
    pub(super) fn no_row(&self) -> Texts {
        let columns = self.table.columns.iter();
        columns
            .map(|column| (column.name.clone(), "NULL".to_owned()))
            .collect()
    }

    /// What triggers make of a row before an event that assigns some columns; none if there are no such triggers. Parameters are those of
    /// `out`.
    pub(super) fn fired(
        &self,
        (event, assigned): (Event, &[String]),
        (new, old): (Texts, Texts),
        out: &mut Statement,
    ) -> Result<Option<Fired>, PlanError> {
        if !fires_before(self.table, event, assigned) {
            return Ok(None);
        }
        let planner = &self.planner;
        let fired = render_before(
            planner.catalog,
            self.table,
            planner.role,
            (event, assigned),
            (new, old),
            out,
        )?;
        Ok(Some(fired))
    }

    /// As [`matching`](Self::matching), for the rows that triggers let pass; only those that match are shown to them.
    pub(super) fn matching_judged(
        &mut self,
        command: Command,
        fired: Option<&Fired>,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let at = out.sql.len();
        self.matching(command, out)?;
        let Some(verdict) = fired.and_then(|fired| fired.verdict.as_ref()) else {
            return Ok(());
        };
        let matched = out.sql.split_off(at);
        match matched.strip_prefix(" WHERE ") {
            Some(matched) => out
                .push(" WHERE ")
                .push(matched)
                .push(" AND CASE WHEN ")
                .push(matched)
                .push(" THEN ")
                .push(verdict)
                .push(" END"),
            None => out.push(" WHERE ").push(verdict),
        };
        Ok(())
    }
}
