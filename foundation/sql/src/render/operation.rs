//! Statements of functions, triggers, seeds and whoever writes SQL to us, each as one statement of SQLite's.
//!
//! What a policy refuses raises 42501 from within the statement, by `pg_permit`; nothing is skipped silently.

use super::trigger::{Fired, Texts, fires_before};
use super::{Alias, Renderer};
use crate::catalog::{Column, Command, Table};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::lower::is_empty_row;
use crate::operation::{Assignment, Delete, Insert, Operation, Update};
use crate::query::{Body, Query, Select, Source};
use crate::trigger::Event;
use crate::value::Value;
use std::sync::Arc;

impl Renderer<'_> {
    pub(crate) fn operation(&mut self, operation: &Operation) -> Result<(), SqlError> {
        match operation {
            Operation::Select(query) => self.query(query, None),
            Operation::Insert(insert) => self.insert(insert),
            Operation::Update(update) => self.update(update),
            Operation::Delete(delete) => self.delete(delete),
            Operation::Call(call) => Err(SqlError::new(
                "0A000",
                format!(
                    "function {} does more than one query, and is called by itself",
                    call.routine.name
                ),
            )),
        }
    }

    fn insert(&mut self, insert: &Insert) -> Result<(), SqlError> {
        let table = self.table_of(&insert.schema, &insert.table)?;
        self.permit_insert(&table, insert)?;
        let reached = self.reached.take();
        let file_name = table.file_name();
        let fired = self.fired_insert(&table)?;
        let given = |column: &Column| {
            insert.columns.contains(&column.name)
                || fired
                    .as_ref()
                    .is_some_and(|fired| fired.assigned.contains(&column.name))
        };
        let mut written: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| given(column) || fill(column).is_some())
            .collect();
        if written.is_empty() {
            // SQLite has no empty list of columns; the first one, null, stands for it.
            written.extend(table.columns.first());
        }
        self.out.push("INSERT INTO ").ident(&file_name);
        for (index, column) in written.iter().enumerate() {
            self.out
                .push(if index > 0 { ", " } else { " (" })
                .ident(&column.name);
        }
        self.out.push(") SELECT ");
        for (index, column) in written.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            self.out.push("v.").ident(&column.name);
        }
        let once = self.merged_by(&table, insert)?;
        self.out.push(" FROM (");
        if let Some(once) = &once {
            once.open(self.out);
        }
        let each = std::mem::replace(&mut self.each, true);
        if fired.is_some() || draws(&table, insert) {
            // What is another value each time it is asked is asked once for a row.
            self.out.push("WITH ").ident(ROW).push(" AS MATERIALIZED (");
            self.proposal(&table, insert, reached.as_deref())?;
            self.out.push(") ");
            match &fired {
                Some(fired) => self.fired_row(&table, fired),
                None => {
                    self.out.push("SELECT *");
                }
            }
            self.out.push(" FROM ").ident(ROW);
        } else {
            self.proposal(&table, insert, reached.as_deref())?;
        }
        self.each = each;
        self.out
            .push(if once.is_some() { ") AS m) AS m" } else { "" });
        self.out.push(") AS v WHERE ");
        let reads = insert
            .returning
            .iter()
            .any(|output| reads_target(&output.expr))
            || insert
                .conflict
                .as_ref()
                .is_some_and(|conflict| !conflict.target.is_empty());
        let row = self.proposed(&table)?;
        let permitted =
            self.apart(|renderer| renderer.permitted(&table, Command::Insert, reads, &row))?;
        // In this order: what is not reached does not run its triggers, and what they pass over is not judged.
        let judged = match &fired {
            Some(Fired {
                verdict: Some(_), ..
            }) => format!("CASE WHEN v.\"{VERDICT}\" THEN {permitted} END"),
            _ => permitted,
        };
        match &reached {
            Some(reached) if judged != "1" => self
                .out
                .push("CASE WHEN ")
                .push(reached)
                .push(" THEN ")
                .push(&judged)
                .push(" END"),
            _ => self.out.push(&judged),
        };
        if once.is_some() {
            self.out
                .push(" AND pg_once(v.\"pando.times\") ORDER BY v.\"pando.place\"");
        }
        if let Some(conflict) = &insert.conflict {
            self.conflict(&table, conflict)?;
        }
        self.returning(&table, &insert.returning)
    }

    /// The row proposed, with what will be generated from it, as policies see it.
    fn proposed(&mut self, table: &Table) -> Result<Alias, SqlError> {
        let proposed = Alias::Name("v".to_owned());
        if self.passes(table)
            || table
                .columns
                .iter()
                .all(|column| column.generated.is_none())
        {
            return Ok(proposed);
        }
        let mut texts = self.texts_of(table, "v")?;
        self.generate(table, &mut texts)?;
        Ok(Alias::Texts(Arc::new(texts)))
    }

    /// Writes what is generated from a row into its texts.
    fn generate(&mut self, table: &Table, texts: &mut Texts) -> Result<(), SqlError> {
        let given = Alias::Texts(Arc::new(texts.clone()));
        for column in &table.columns {
            let Some(generated) = &column.generated else {
                continue;
            };
            let text = self.apart(|renderer| {
                renderer.isolated(vec![given.clone()], |renderer| renderer.expr(generated))
            })?;
            texts.insert(column.name.clone(), format!("({text})"));
        }
        Ok(())
    }

    /// What the triggers before an insert make of the row proposed.
    fn fired_insert(&mut self, table: &Table) -> Result<Option<Fired>, SqlError> {
        if !fires_before(table, Event::Insert, &[]) {
            return Ok(None);
        }
        let mut new = self.texts_of(table, ROW)?;
        // What is generated is not there yet.
        for column in table
            .columns
            .iter()
            .filter(|column| column.generated.is_some())
        {
            new.insert(column.name.clone(), "NULL".to_owned());
        }
        let old = Self::texts_of_nothing(table);
        self.fire(table, Event::Insert, &[], new, old).map(Some)
    }

    /// The row as the triggers leave it, and whether it is to be written.
    fn fired_row(&mut self, table: &Table, fired: &Fired) {
        for (index, column) in table.columns.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "SELECT " });
            let text = fired.row.get(&column.name).map_or("NULL", String::as_str);
            self.out.push(text);
            if let Some(collation) = column.ty.collation() {
                self.out.push(" COLLATE ").push(collation);
            }
            self.out.push(" AS ").ident(&column.name);
        }
        if let Some(verdict) = &fired.verdict {
            self.out
                .push(", ")
                .push(verdict)
                .push(" AS ")
                .ident(VERDICT);
        }
    }

    /// The rows as they will be inserted, every column of the table.
    fn proposal(
        &mut self,
        table: &Table,
        insert: &Insert,
        reached: Option<&str>,
    ) -> Result<(), SqlError> {
        self.out.push("SELECT ");
        for (index, column) in table.columns.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            if insert.columns.contains(&column.name) {
                self.out.push("s.").ident(&column.name);
            } else {
                match fill(column) {
                    Some(expr) => self.expr(&expr)?,
                    None => {
                        self.out.push("NULL");
                    }
                }
            }
            if let Some(collation) = column.ty.collation() {
                self.out.push(" COLLATE ").push(collation);
            }
            self.out.push(" AS ").ident(&column.name);
        }
        if !is_empty_row(&insert.rows) {
            self.out.push(" FROM (");
            let rows = filled(table, insert);
            self.query(rows.as_ref().unwrap_or(&insert.rows), Some(&insert.columns))?;
            self.out.push(") AS s");
        }
        if let Some(reached) = reached {
            self.out.push(" WHERE ").push(reached);
        }
        Ok(())
    }

    /// `1`, or that policies permit the row: raises where they do not.
    pub(super) fn permitted(
        &mut self,
        table: &Arc<Table>,
        command: Command,
        reads: bool,
        row: &Alias,
    ) -> Result<(), SqlError> {
        if self.passes(table) {
            self.out.push("1");
            return Ok(());
        }
        let mut asked = self.policies_apart(table, command, true, row)?;
        if reads {
            asked.extend(self.policies_apart(table, Command::Select, false, row)?);
        }
        self.judge(table, &asked, "")
    }

    /// `pg_permit` of each condition, one after the other. `kind` is said of the policy that refuses.
    pub(super) fn judge(
        &mut self,
        table: &Table,
        asked: &[(Option<String>, String)],
        kind: &str,
    ) -> Result<(), SqlError> {
        for (index, (name, condition)) in asked.iter().enumerate() {
            let last = index + 1 == asked.len();
            self.out.push(if last {
                "pg_permit(coalesce("
            } else {
                "CASE WHEN pg_permit(coalesce("
            });
            self.out.push(condition).push(", 0), ");
            self.value(&Value::text(table.name.as_str()));
            self.out.push(", ");
            let which = name
                .as_ref()
                .map_or_else(String::new, |name| format!(" \"{name}\""));
            self.value(&Value::text(format!("{which}{kind}").as_str()));
            self.out.push(if last { ")" } else { ") THEN " });
        }
        for _ in 1..asked.len() {
            self.out.push(" END");
        }
        Ok(())
    }

    /// ` a = .., b = ..`, those that triggers assign too; gives the row as it will be, and the triggers' verdict on it.
    pub(super) fn assigned(
        &mut self,
        table: &Table,
        assignments: &[Assignment],
        own: &Alias,
    ) -> Result<(Alias, Option<String>), SqlError> {
        let old = match own {
            Alias::Name(name) => self.texts_of(table, name)?,
            _ => Texts::new(),
        };
        let mut texts = old.clone();
        let mut columns: Vec<String> = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            let value = match (&assignment.value, table.column(&assignment.column)) {
                (Some(value), _) => self.apart(|renderer| renderer.expr(value))?,
                (None, Some(column)) => match fill(column) {
                    Some(expr) => self.apart(|renderer| renderer.expr(&expr))?,
                    None => "NULL".to_owned(),
                },
                (None, None) => "NULL".to_owned(),
            };
            texts.insert(assignment.column.clone(), format!("({value})"));
            columns.push(assignment.column.clone());
        }
        let mut verdict = None;
        if fires_before(table, Event::Update, &columns) {
            let fired = self.fire(table, Event::Update, &columns, texts, old)?;
            texts = fired.row;
            for column in fired.assigned {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
            verdict = fired.verdict;
        }
        for (index, column) in columns.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            let text = texts.get(column).map_or("NULL", String::as_str);
            self.out.ident(column).push(" = ").push(text);
        }
        if !self.passes(table) {
            self.generate(table, &mut texts)?;
        }
        Ok((Alias::Texts(Arc::new(texts)), verdict))
    }

    fn update(&mut self, update: &Update) -> Result<(), SqlError> {
        let table = self.table_of(&update.schema, &update.table)?;
        self.permit_update(&table, update)?;
        let reached = self.reached.take();
        let each = std::mem::replace(&mut self.each, true);
        let own = Alias::Name(table.file_name());
        let names = self.level(&own, &update.from);
        let rendered = (|| -> Result<(), SqlError> {
            self.out
                .push("UPDATE ")
                .ident(&table.file_name())
                .push(" SET ");
            let (row, verdict) = self.assigned(&table, &update.assignments, &own)?;
            let reads = update.filter.as_ref().is_some_and(reads_target)
                || update
                    .returning
                    .iter()
                    .any(|output| reads_target(&output.expr))
                || update
                    .assignments
                    .iter()
                    .any(|assignment| assignment.value.as_ref().is_some_and(reads_target));
            let mut conditions = self.joined(&update.from, &names)?;
            conditions.extend(reached.clone());
            if let Some(filter) = &update.filter {
                conditions.push(self.apart(|renderer| renderer.expr(filter))?);
            }
            self.using(&table, Command::Update, reads, &own, &mut conditions)?;
            if let Some(verdict) = verdict {
                judge(&mut conditions, &verdict);
            }
            if !self.passes(&table) {
                let allowed = self
                    .apart(|renderer| renderer.permitted(&table, Command::Update, reads, &row))?;
                judge(&mut conditions, &allowed);
            }
            self.conditions_of(&conditions);
            Ok(())
        })();
        self.levels.pop();
        self.each = each;
        rendered?;
        self.returning(&table, &update.returning)
    }

    fn delete(&mut self, delete: &Delete) -> Result<(), SqlError> {
        let table = self.table_of(&delete.schema, &delete.table)?;
        self.permit_delete(&table, delete)?;
        let reached = self.reached.take();
        let own = Alias::Name(table.file_name());
        let names = self.level(&own, &delete.using);
        let rendered = (|| -> Result<(), SqlError> {
            self.out.push("DELETE FROM ").ident(&table.file_name());
            let reads = delete.filter.as_ref().is_some_and(reads_target)
                || delete
                    .returning
                    .iter()
                    .any(|output| reads_target(&output.expr));
            let mut conditions: Vec<String> = reached.into_iter().collect();
            self.using(&table, Command::Delete, reads, &own, &mut conditions)?;
            if delete.using.is_empty() {
                if let Some(filter) = &delete.filter {
                    conditions.push(self.apart(|renderer| renderer.expr(filter))?);
                }
            } else {
                let exists = self.apart(|renderer| {
                    renderer.out.push("EXISTS (SELECT 1");
                    let mut inner = renderer.joined(&delete.using, &names)?;
                    if let Some(filter) = &delete.filter {
                        inner.push(renderer.apart(|renderer| renderer.expr(filter))?);
                    }
                    renderer.conditions_of(&inner);
                    renderer.out.push(")");
                    Ok(())
                })?;
                conditions.push(exists);
            }
            if fires_before(&table, Event::Delete, &[]) {
                let old = self.texts_of(&table, &table.file_name())?;
                let new = Self::texts_of_nothing(&table);
                let fired = self.fire(&table, Event::Delete, &[], new, old)?;
                if let Some(verdict) = fired.verdict {
                    judge(&mut conditions, &verdict);
                }
            }
            self.conditions_of(&conditions);
            Ok(())
        })();
        self.levels.pop();
        rendered?;
        self.returning(&table, &delete.returning)
    }

    /// Pushes the level of a change: the table, then what it is joined with. Gives the names of the latter.
    fn level(&mut self, own: &Alias, joined: &[Source]) -> Vec<String> {
        let depth = self.levels.len();
        let names: Vec<String> = (1..=joined.len())
            .map(|index| format!("p{depth}_{index}"))
            .collect();
        let mut level = vec![own.clone()];
        level.extend(
            joined
                .iter()
                .zip(&names)
                .map(|(source, name)| Self::alias_of(source, name.clone())),
        );
        self.levels.push(level);
        names
    }

    /// ` FROM ..` of a change; gives the conditions of its tables' policies.
    fn joined(&mut self, from: &[Source], names: &[String]) -> Result<Vec<String>, SqlError> {
        let mut conditions = Vec::new();
        if from.is_empty() {
            return Ok(conditions);
        }
        let select = Select {
            from: from.to_vec(),
            ..Select::default()
        };
        for (table, name) in self.from(&select, &[], names)? {
            conditions.push(
                self.apart(|renderer| renderer.policies(&table, Command::Select, false, &name))?,
            );
        }
        Ok(conditions)
    }

    /// The conditions under which a row may be touched.
    fn using(
        &mut self,
        table: &Arc<Table>,
        command: Command,
        reads: bool,
        own: &Alias,
        conditions: &mut Vec<String>,
    ) -> Result<(), SqlError> {
        if self.passes(table) {
            return Ok(());
        }
        let commands = [Some(command), reads.then_some(Command::Select)];
        for command in commands.into_iter().flatten() {
            conditions.push(
                self.apart(|renderer| renderer.policies_on(table, command, false, own.clone()))?,
            );
        }
        Ok(())
    }

    fn conditions_of(&mut self, conditions: &[String]) {
        for (index, condition) in conditions.iter().enumerate() {
            self.out.push(if index > 0 { " AND " } else { " WHERE " });
            self.out.push("(").push(condition).push(")");
        }
    }

    fn returning(
        &mut self,
        table: &Table,
        columns: &[crate::query::Output],
    ) -> Result<(), SqlError> {
        if columns.is_empty() {
            return Ok(());
        }
        self.out.push(" RETURNING ");
        self.levels.push(vec![Alias::Name(table.file_name())]);
        let rendered = self.outputs(columns, None);
        self.levels.pop();
        rendered
    }
}

/// The name of a triggers' verdict beside the columns of a row.
const VERDICT: &str = "pando.verdict";

/// The rows proposed, before triggers run: a name no table has.
const ROW: &str = "pando.row";

/// Whether rows hold values that are others each time they are asked for.
fn draws(table: &Table, insert: &Insert) -> bool {
    let drawn = |expr: &Expr| {
        let mut found = false;
        expr.walk(0, &mut |_, expr| {
            found |= matches!(
                expr,
                Expr::Call {
                    function: Function::RandomUuid | Function::NextVal | Function::SetVal,
                    ..
                }
            );
        });
        found
    };
    let mut found = false;
    insert.rows.walk(0, &mut |_, expr| found |= drawn(expr));
    let asked = |column: &&Column| {
        let given = insert.columns.iter().position(|name| *name == column.name);
        given.is_none_or(|at| insert.defaults.iter().any(|(_, of)| *of == at))
    };
    let mut defaults = table.columns.iter().filter(asked).filter_map(fill);
    found || defaults.any(|default| drawn(&default))
}

/// Adds a condition that may raise: asked only of rows that meet the others.
fn judge(conditions: &mut Vec<String>, verdict: &str) {
    if conditions.is_empty() {
        conditions.push(verdict.to_owned());
        return;
    }
    let met: Vec<String> = conditions
        .iter()
        .map(|condition| format!("({condition})"))
        .collect();
    conditions.push(format!(
        "CASE WHEN {} THEN {verdict} END",
        met.join(" AND ")
    ));
}

/// What a column has where no value is given.
pub(crate) fn fill(column: &Column) -> Option<Expr> {
    column.default.clone()
}

/// The rows of an insert with `default` written out.
fn filled(table: &Table, insert: &Insert) -> Option<Query> {
    if insert.defaults.is_empty() {
        return None;
    }
    let mut rows = insert.rows.clone();
    if let Body::Values(values) = &mut rows.body {
        for (row, at) in &insert.defaults {
            let fill = insert
                .columns
                .get(*at)
                .and_then(|name| table.column(name))
                .and_then(fill);
            if let (Some(cell), Some(fill)) =
                (values.get_mut(*row).and_then(|row| row.get_mut(*at)), fill)
            {
                *cell = fill;
            }
        }
    }
    Some(rows)
}

/// Whether a value is taken from the row that is changed.
fn reads_target(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(0, &mut |depth, expr| {
        found |= matches!(expr, Expr::Column { level, source: 0, .. } if *level == depth);
    });
    found
}
