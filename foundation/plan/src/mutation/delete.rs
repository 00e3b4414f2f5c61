//! Deletes.

use super::draft::Draft;
use super::{Constraints, Work};
use crate::error::PlanError;
use crate::payload::PayloadColumn;
use crate::planner::push_column;
use pando_sql::Statement;
use pando_sql::catalog::Command;
use pando_sql::trigger::Event;

pub(super) fn plan(
    draft: &mut Draft<'_>,
) -> Result<(Work, Vec<PayloadColumn>, Constraints), PlanError> {
    let mut statement = Statement::new();
    statement.push("DELETE FROM ").ident(&draft.name);
    let rows = (draft.no_row(), draft.own_row());
    let fired = draft.fired((Event::Delete, &[]), rows, &mut statement)?;
    draft.matching_judged(Command::Delete, fired.as_ref(), &mut statement)?;
    let write = draft.returning(None, false, statement)?;

    let rows = if draft.mutation.returning && !write.columns {
        // What is embedded may go with the row, so it is read first.
        let mut rows = Statement::new();
        draft.columns = draft.planner.select(&draft.root, &mut rows)?;
        draft.from(true, &mut rows)?;
        if draft.view.is_some() {
            draft.matching_asked(Command::Delete, &mut rows)?;
        } else {
            let seen = (draft.no_row(), draft.own_row());
            let fired = draft.fired((Event::Delete, &[]), seen, &mut rows)?;
            draft.matching_judged(Command::Delete, fired.as_ref(), &mut rows)?;
        }
        draft.planner.order(&draft.root, &mut rows)?;
        Some(rows)
    } else {
        None
    };

    let mut before = Statement::new();
    before.push("SELECT ");
    for (index, column) in draft.table.columns.iter().enumerate() {
        if index > 0 {
            before.push(", ");
        }
        push_column(&draft.name, &column.name, &mut before);
    }
    before.push(" FROM ").ident(&draft.name);
    draft.matching(Command::Delete, &mut before)?;
    let constraints = draft.constraints(Some(before), None, Some(|key| key.on_delete));
    Ok((Work::Delete { write, rows }, Vec::new(), constraints))
}
