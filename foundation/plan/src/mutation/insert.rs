//! Inserts and upserts.
//!
//! A row is proposed as the one row `v` of a sub-select; the insert takes it from there where the policies allow it.

use super::draft::{Check, Draft, is_handle, with_generated};
use super::{Conflict, Constraints, Insert, Work};
use crate::error::PlanError;
use crate::payload::{PayloadColumn, given_position};
use crate::planner::{Conditions, payload_column, push_column};
use crate::request::OnConflict;
use pando_sql::catalog::{Column, Command, Identity, Table};
use pando_sql::expr::{Expr, Function};
use pando_sql::render::{Fired, Scope, Texts, fires_before, render_expr};
use pando_sql::trigger::Event;
use pando_sql::{Bind, SqlError, Statement};

/// Where a column's value comes from.
enum Origin {
    /// This position in the payload; where its cell is absent, the default.
    Payload(usize),
    /// This position in the payload; where its cell is absent, the value drawn, at that position in the row.
    PayloadOrDrawn(usize, usize),
    /// The default.
    Default,
    /// A value drawn before the row is written, at this position in the row.
    Drawn(usize),
    /// The other columns of the row.
    Generated,
    /// Nowhere: null.
    Nothing,
}

pub(super) fn plan(
    draft: &mut Draft<'_>,
    columns: &[String],
    on_conflict: Option<&OnConflict>,
    missing_default: bool,
) -> Result<(Work, Vec<PayloadColumn>, Constraints), PlanError> {
    let payload = payload(draft.table, columns, missing_default)?;
    let fires = fires_before(draft.table, Event::Insert, &[]);
    let (mut origins, drawn, width) = origins(draft, columns, &payload, fires)?;
    let fired = if fires {
        let known = Proposal {
            payload: &payload,
            origins: &origins,
        };
        let (statement, assigned) = known.fired(draft)?;
        for (index, column) in draft.table.columns.iter().enumerate() {
            if let Some(at) = assigned.iter().position(|name| *name == column.name) {
                // The first value is the triggers' verdict.
                origins[index] = Origin::Drawn(width + 1 + at);
            }
        }
        Some(statement)
    } else {
        None
    };
    let proposal = Proposal {
        payload: &payload,
        origins: &origins,
    };
    let target = match on_conflict {
        Some(on_conflict) => {
            arbiter(draft.table, &on_conflict.columns)?.map(|columns| (on_conflict, columns))
        }
        None => None,
    };
    // `on_conflict` reads the key's columns, so Postgres asks for the select policies too.
    let reads = draft.reads_back() || target.is_some();
    let check = draft.check(Command::Insert, reads)?;

    let mut statement = Statement::new();
    proposal.push_insert(draft, check, &mut statement)?;
    let mut update_check = None;
    let mut guard = None;
    let mut conflict = None;
    if let Some((on_conflict, key)) = &target {
        statement.push(" ON CONFLICT (");
        for (index, column) in key.iter().enumerate() {
            statement
                .push(if index > 0 { ", " } else { "" })
                .ident(column);
        }
        statement.push(") DO ");
        if on_conflict.merge && !columns.is_empty() {
            statement.push("UPDATE SET ");
            let old = draft.own_row();
            let excluded = draft.row_of("excluded");
            let mut new = old.clone();
            for column in columns {
                new.insert(
                    column.clone(),
                    excluded.get(column).cloned().unwrap_or_default(),
                );
            }
            let seen = (new.clone(), old);
            let fired = draft.fired((Event::Update, columns), seen, &mut statement)?;
            let row = fired.as_ref().map_or(&new, |fired| &fired.row);
            let assigned = fired.iter().flat_map(|fired| &fired.assigned);
            let assigned = assigned.filter(|name| !columns.contains(name));
            for (index, column) in columns.iter().chain(assigned).enumerate() {
                statement
                    .push(if index > 0 { ", " } else { "" })
                    .ident(column);
                let text = row.get(column).map_or("NULL", String::as_str);
                statement.push(" = ").push(text);
            }
            if let Some(verdict) = fired.as_ref().and_then(|fired| fired.verdict.as_ref()) {
                statement.push(" WHERE ").push(verdict);
            }
            update_check = draft.check(Command::Update, true)?;
        } else {
            statement.push("NOTHING");
        }
        if let Some(check) = check {
            guard = Some(proposal.guard(draft, check)?);
        }
        let merge = on_conflict.merge && !columns.is_empty();
        conflict = Some(Conflict {
            lookup: proposal.lookup(draft, key)?,
            merge,
        });
    }
    let fetch = draft.fetch()?;
    let merge = conflict.as_ref().is_some_and(|conflict| conflict.merge);
    let needs_handle = fetch.is_some() || merge;
    let write = draft.returning(update_check, needs_handle, statement)?;

    let mut after = Statement::new();
    proposal.push_row(draft, &mut after)?;
    let constraints = draft.constraints(None, Some(after), None);
    let insert = Insert {
        write,
        guarded: check.is_some(),
        guard,
        conflict,
        drawn,
        fired,
        fetch,
    };
    Ok((Work::Insert(Box::new(insert)), payload, constraints))
}

fn payload(
    table: &Table,
    columns: &[String],
    missing_default: bool,
) -> Result<Vec<PayloadColumn>, PlanError> {
    let mut payload = Vec::with_capacity(columns.len());
    for name in columns {
        let column = payload_column(table, name)?;
        if column.identity == Some(Identity::Always) {
            return Err(SqlError::new(
                "428C9",
                format!("cannot insert a non-DEFAULT value into column \"{name}\""),
            )
            .detail(format!(
                "Column \"{name}\" is an identity column defined as GENERATED ALWAYS."
            ))
            .hint("Use OVERRIDING SYSTEM VALUE to override.")
            .into());
        }
        if column.generated.is_some() {
            return Err(SqlError::new(
                "428C9",
                format!("cannot insert a non-DEFAULT value into column \"{name}\""),
            )
            .detail(format!("Column \"{name}\" is a generated column."))
            .into());
        }
        payload.push(PayloadColumn {
            name: name.clone(),
            ty: column.ty.clone(),
            says_given: missing_default && column.default.is_some(),
            refuses_null: is_handle(table, column),
        });
    }
    Ok(payload)
}

/// Whether an expression gives another value each time it is asked, which must then be asked once for a row.
fn counts(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(0, &mut |_, expr| {
        found |= matches!(
            expr,
            Expr::Call {
                function: Function::NextVal | Function::SetVal,
                ..
            }
        );
    });
    found
}

/// Where each column of the table comes from, the statement that draws what is drawn, and how many values the row has then. With `all`
/// every default is drawn: triggers see what is written.
fn origins(
    draft: &Draft<'_>,
    columns: &[String],
    payload: &[PayloadColumn],
    all: bool,
) -> Result<(Vec<Origin>, Option<Statement>, usize), PlanError> {
    let width = payload.len() + payload.iter().filter(|column| column.says_given).count();
    let mut count = 0;
    let mut drawn = Statement::new();
    let mut origins = Vec::with_capacity(draft.table.columns.len());
    for column in &draft.table.columns {
        let position = columns.iter().position(|name| *name == column.name);
        let given = position.and_then(|position| given_position(payload, position));
        let wanted = position.is_none() || given.is_some();
        let counted = wanted
            && column
                .default
                .as_ref()
                .is_some_and(|default| all || counts(default));
        if counted {
            count += 1;
            drawn.push(if count == 1 { "SELECT " } else { ", " });
            if let Some(given) = given {
                // What the payload brings draws no number.
                drawn
                    .push("CASE WHEN ")
                    .bind(Bind::Row(given as u32))
                    .push(" THEN NULL ELSE ");
            }
            push_default(draft, column, &mut drawn)?;
            drawn.push(if given.is_some() { " END" } else { "" });
        }
        let last = (width + count).saturating_sub(1);
        origins.push(match position {
            Some(position) if counted => Origin::PayloadOrDrawn(position, last),
            Some(position) => Origin::Payload(position),
            None if column.generated.is_some() => Origin::Generated,
            None if counted => Origin::Drawn(last),
            None if column.default.is_some() => Origin::Default,
            None => Origin::Nothing,
        });
    }
    Ok((origins, (count > 0).then_some(drawn), width + count))
}

/// The unique key an upsert goes by: the columns asked for, or the primary key. A table without one has no conflicts.
fn arbiter(table: &Table, columns: &[String]) -> Result<Option<Vec<String>>, PlanError> {
    if columns.is_empty() {
        return Ok(table.primary_key.as_ref().map(|key| key.columns.clone()));
    }
    for name in columns {
        payload_column(table, name)?;
    }
    let same = |known: &mut dyn Iterator<Item = &str>| {
        let known: Vec<&str> = known.collect();
        known.len() == columns.len()
            && known
                .iter()
                .all(|name| columns.iter().any(|column| column == name))
    };
    let by_key = table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .any(|key| same(&mut key.columns.iter().map(String::as_str)));
    let by_index = table
        .indexes
        .iter()
        .filter(|index| index.unique && index.predicate.is_none())
        .any(|index| {
            let names: Option<Vec<&str>> = index
                .parts
                .iter()
                .map(|part| match &part.expr {
                    Expr::Column { name, .. } => Some(name.as_str()),
                    _ => None,
                })
                .collect();
            names.is_some_and(|names| same(&mut names.into_iter()))
        });
    if by_key || by_index {
        return Ok(Some(columns.to_vec()));
    }
    Err(SqlError::new(
        "42P10",
        "there is no unique or exclusion constraint matching the ON CONFLICT specification",
    )
    .into())
}

/// A row as it will be inserted.
struct Proposal<'p> {
    payload: &'p [PayloadColumn],
    origins: &'p [Origin],
}

impl Proposal<'_> {
    /// What triggers make of the row: their verdict, then the columns they assign.
    fn fired(&self, draft: &Draft<'_>) -> Result<(Statement, Vec<String>), PlanError> {
        let mut out = Statement::new();
        let mut new = Texts::new();
        for (index, column) in draft.table.columns.iter().enumerate() {
            // What is generated is not there yet.
            if column.generated.is_some() {
                out.push("NULL");
            } else {
                self.push_value(draft, index, column, &mut out)?;
            }
            new.insert(column.name.clone(), std::mem::take(&mut out.sql));
        }
        let seen = (new, draft.no_row());
        let fired = draft.fired((Event::Insert, &[]), seen, &mut out)?;
        let Fired {
            row,
            assigned,
            verdict,
        } = fired.unwrap_or_default();
        out.push("SELECT ").push(verdict.as_deref().unwrap_or("1"));
        for name in &assigned {
            out.push(", ")
                .push(row.get(name).map_or("NULL", String::as_str));
        }
        Ok((out, assigned))
    }

    /// Appends the whole insert but its conflict clause, refusing rows that fail `check`.
    fn push_insert(
        &self,
        draft: &Draft<'_>,
        check: Option<Check>,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        out.push("INSERT INTO ").ident(&draft.name);
        let table = draft.table;
        let written: Vec<(usize, &Column)> = table
            .columns
            .iter()
            .enumerate()
            .filter(|(index, _)| {
                !matches!(self.origins[*index], Origin::Nothing | Origin::Generated)
            })
            .collect();
        // SQLite has no empty list of columns; the first one, null, stands for it.
        let filler: Option<(usize, &Column)> = table
            .columns
            .iter()
            .enumerate()
            .find(|(_, column)| column.generated.is_none())
            .filter(|_| written.is_empty());
        let written: Vec<(usize, &Column)> = written.into_iter().chain(filler).collect();
        for (index, (_, column)) in written.iter().enumerate() {
            out.push(if index == 0 { " (" } else { ", " })
                .ident(&column.name);
        }
        out.push(")");
        let Some(check) = check else {
            for (index, (position, column)) in written.iter().enumerate() {
                out.push(if index == 0 { " VALUES (" } else { ", " });
                self.push_value(draft, *position, column, out)?;
            }
            out.push(")");
            return Ok(());
        };
        for (index, (_, column)) in written.iter().enumerate() {
            out.push(if index == 0 { " SELECT " } else { ", " });
            push_column("v", &column.name, out);
        }
        self.push_guarded(draft, check, out)
    }

    /// Appends ` FROM (the row) AS v WHERE check`.
    fn push_guarded(
        &self,
        draft: &Draft<'_>,
        check: Check,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        out.push(" FROM (");
        self.push_row(draft, out)?;
        out.push(") AS v");
        Conditions::after(" WHERE ").push(out, |out| draft.push_check(check, "v", out))
    }

    /// The check by itself: a row if it holds.
    fn guard(&self, draft: &Draft<'_>, check: Check) -> Result<Statement, PlanError> {
        let mut guard = Statement::new();
        guard.push("SELECT 1");
        self.push_guarded(draft, check, &mut guard)?;
        Ok(guard)
    }

    /// The row that has the proposed key, and whether the caller may update it.
    fn lookup(&self, draft: &Draft<'_>, key: &[String]) -> Result<Statement, PlanError> {
        let mut lookup = Statement::new();
        lookup.push("SELECT rowid, ");
        let start = lookup.sql.len();
        let mut allowed = Conditions::after("");
        draft.using(Command::Update, &mut allowed, &mut lookup)?;
        draft.using(Command::Select, &mut allowed, &mut lookup)?;
        if lookup.sql.len() == start {
            lookup.push("1");
        }
        lookup.push(" FROM ").ident(&draft.name);
        let mut conditions = Conditions::after(" WHERE ");
        for (index, column) in draft.table.columns.iter().enumerate() {
            if key.contains(&column.name) {
                conditions.push(&mut lookup, |out| {
                    push_column(&draft.name, &column.name, out);
                    out.push(" = ");
                    self.push_value(draft, index, column, out)
                })?;
            }
        }
        Ok(lookup)
    }

    /// Appends a select of every column of the row; comparing them works as on the table's.
    fn push_row(&self, draft: &Draft<'_>, out: &mut Statement) -> Result<(), PlanError> {
        with_generated(draft.planner.catalog, draft.table, out, |out| {
            let columns = draft.table.columns.iter().enumerate();
            let columns = columns.filter(|(_, column)| column.generated.is_none());
            for (at, (index, column)) in columns.enumerate() {
                out.push(if at == 0 { "SELECT " } else { ", " });
                self.push_value(draft, index, column, out)?;
                if let Some(collation) = column.ty.collation() {
                    out.push(" COLLATE ").push(collation);
                }
                out.push(" AS ").ident(&column.name);
            }
            Ok(())
        })
    }

    fn push_value(
        &self,
        draft: &Draft<'_>,
        index: usize,
        column: &Column,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        match self.origins[index] {
            Origin::PayloadOrDrawn(position, drawn) => {
                let given = given_position(self.payload, position).unwrap_or(position);
                out.push("CASE WHEN ")
                    .bind(Bind::Row(given as u32))
                    .push(" THEN ")
                    .bind(Bind::Row(position as u32));
                out.push(" ELSE ")
                    .bind(Bind::Row(drawn as u32))
                    .push(" END");
            }
            Origin::Payload(position) => {
                let Some(given) = given_position(self.payload, position) else {
                    out.bind(Bind::Row(position as u32));
                    return Ok(());
                };
                out.push("CASE WHEN ")
                    .bind(Bind::Row(given as u32))
                    .push(" THEN ")
                    .bind(Bind::Row(position as u32));
                if column.default.is_some() {
                    out.push(" ELSE ");
                    push_default(draft, column, out)?;
                }
                out.push(" END");
            }
            Origin::Default => push_default(draft, column, out)?,
            Origin::Drawn(position) => {
                out.bind(Bind::Row(position as u32));
            }
            Origin::Generated => {
                out.push("(SELECT ").ident(&column.name).push(" FROM (");
                self.push_row(draft, out)?;
                out.push("))");
            }
            Origin::Nothing => {
                out.push("NULL");
            }
        }
        Ok(())
    }
}

fn push_default(draft: &Draft<'_>, column: &Column, out: &mut Statement) -> Result<(), PlanError> {
    match &column.default {
        Some(default) => {
            let scope = Scope::default();
            render_expr(
                draft.planner.catalog,
                draft.planner.role,
                default,
                &scope,
                out,
            )?;
        }
        None => {
            out.push("NULL");
        }
    }
    Ok(())
}
