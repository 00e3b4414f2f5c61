//! Updates.

use super::draft::{Draft, is_handle, with_generated};
use super::{Constraints, Work};
use crate::error::PlanError;
use crate::payload::PayloadColumn;
use crate::planner::{payload_column, push_column};
use pando_sql::catalog::{Command, Identity};
use pando_sql::render::{Fired, fires_before};
use pando_sql::trigger::Event;
use pando_sql::{Bind, SqlError, Statement};

pub(super) fn plan(
    draft: &mut Draft<'_>,
    columns: &[String],
) -> Result<(Work, Vec<PayloadColumn>, Constraints), PlanError> {
    let mut payload = Vec::new();
    for name in columns {
        let column = payload_column(draft.table, name)?;
        if column.identity == Some(Identity::Always) {
            return Err(SqlError::new(
                "428C9",
                format!("column \"{name}\" can only be updated to DEFAULT"),
            )
            .detail(format!(
                "Column \"{name}\" is an identity column defined as GENERATED ALWAYS."
            ))
            .into());
        }
        if column.generated.is_some() {
            return Err(SqlError::new(
                "428C9",
                format!("column \"{name}\" can only be updated to DEFAULT"),
            )
            .detail(format!("Column \"{name}\" is a generated column."))
            .into());
        }
        payload.push(PayloadColumn {
            name: name.clone(),
            ty: column.ty.clone(),
            says_given: false,
            refuses_null: is_handle(draft.table, column),
        });
    }
    if columns.is_empty() {
        draft.columns = draft.planner.select(&draft.root, &mut Statement::new())?;
        return Ok((Work::Nothing, payload, draft.constraints(None, None, None)));
    }

    let mut statement = Statement::new();
    statement.push("UPDATE ").ident(&draft.name).push(" SET ");
    let fired = proposed(draft, columns, &mut statement)?;
    for (index, name) in columns.iter().enumerate() {
        if index > 0 {
            statement.push(", ");
        }
        statement.ident(name).push(" = ");
        match fired.as_ref().and_then(|fired| fired.row.get(name)) {
            Some(text) => statement.push(text),
            None => statement.bind(Bind::Row(index as u32)),
        };
    }
    for name in fired.iter().flat_map(|fired| &fired.assigned) {
        if let Some(text) = fired.as_ref().and_then(|fired| fired.row.get(name))
            && !columns.contains(name)
        {
            statement.push(", ").ident(name).push(" = ").push(text);
        }
    }
    draft.matching_judged(Command::Update, fired.as_ref(), &mut statement)?;
    let check = draft.check(Command::Update, draft.needs_select())?;
    let fetch = draft.fetch()?;
    let write = draft.returning(check, fetch.is_some(), statement)?;

    let before = rows(draft, &[])?;
    let after = rows(draft, columns)?;
    let refusal = match check {
        Some(check) => {
            let mut refusal = Statement::new();
            refusal
                .push("SELECT 1 FROM (")
                .push(&after.sql)
                .push(") AS v WHERE NOT coalesce(");
            refusal.binds.clone_from(&after.binds);
            draft.push_check(check, "v", &mut refusal)?;
            refusal.push(", 0) LIMIT 1");
            Some(refusal)
        }
        None => None,
    };
    let constraints = draft.constraints(Some(before), Some(after), Some(|key| key.on_update));
    let constraints = Constraints {
        refusal,
        ..constraints
    };
    Ok((Work::Update { write, fetch }, payload, constraints))
}

/// What triggers make of a row whose `changed` columns are those of the payload.
fn proposed(
    draft: &Draft<'_>,
    changed: &[String],
    out: &mut Statement,
) -> Result<Option<Fired>, PlanError> {
    if changed.is_empty() || !fires_before(draft.table, Event::Update, changed) {
        return Ok(None);
    }
    let old = draft.own_row();
    let mut new = old.clone();
    for (index, name) in changed.iter().enumerate() {
        let at = out.sql.len();
        out.bind(Bind::Row(index as u32));
        new.insert(name.clone(), out.sql.split_off(at));
    }
    draft.fired((Event::Update, changed), (new, old), out)
}

/// The rows the update is about, with `changed` columns as they will be.
fn rows(draft: &mut Draft<'_>, changed: &[String]) -> Result<Statement, PlanError> {
    let mut rows = Statement::new();
    let (catalog, table) = (draft.planner.catalog, draft.table);
    with_generated(catalog, table, &mut rows, |rows| {
        let columns = table
            .columns
            .iter()
            .filter(|column| column.generated.is_none());
        let fired = proposed(draft, changed, rows)?;
        for (index, column) in columns.enumerate() {
            rows.push(if index == 0 { "SELECT " } else { ", " });
            let text = fired.as_ref().and_then(|fired| fired.row.get(&column.name));
            match changed.iter().position(|name| *name == column.name) {
                _ if text.is_some() => {
                    rows.push(text.map_or("NULL", String::as_str));
                    if let Some(collation) = column.ty.collation() {
                        rows.push(" COLLATE ").push(collation);
                    }
                }
                Some(position) => {
                    rows.bind(Bind::Row(position as u32));
                    if let Some(collation) = column.ty.collation() {
                        rows.push(" COLLATE ").push(collation);
                    }
                }
                None => push_column(&draft.name, &column.name, rows),
            }
            rows.push(" AS ").ident(&column.name);
        }
        rows.push(" FROM ").ident(&draft.name);
        draft.matching(Command::Update, rows)
    })?;
    Ok(rows)
}
