//! Triggers: those before a row is written, as parts of the statement that writes it; those after, as SQLite's own.

use super::{Alias, Renderer, Scope};
use crate::catalog::{Catalog, Table};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::operation::{Call, Operation};
use crate::query::Query;
use crate::routine::Body;
use crate::statement::Statement;
use crate::trigger::{Action, Effect, Event, Step, Timing, Trigger};
use crate::value::Value;
use pando_kernel::Role;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The texts of a row's columns, by their names.
pub type Texts = BTreeMap<String, String>;

/// What the triggers before a row is written make of it.
#[derive(Clone, Debug, Default)]
pub struct Fired {
    /// Its columns as they are afterwards.
    pub row: Texts,
    /// Those that some trigger assigned, in the table's order.
    pub assigned: Vec<String>,
    /// A condition: false where the row is passed over; it raises where the row is refused.
    pub verdict: Option<String>,
}

/// Whether a table has triggers that run before an event.
pub fn fires_before(table: &Table, event: Event, assigned: &[String]) -> bool {
    let mut triggers = table.triggers.iter();
    triggers.any(|trigger| trigger.effect(Timing::Before, event, assigned).is_some())
}

/// Runs the triggers before an event on a row, in the order of their names. `new` are the texts of the row as proposed, `old` those of
/// the row that is there; parameters of what is made of them are those of `out`, to which nothing else is appended.
///
/// Errors: as [`super::render_expr`].
pub fn render_before(
    catalog: &Catalog,
    table: &Table,
    role: Role,
    (event, assigned): (Event, &[String]),
    (new, old): (Texts, Texts),
    out: &mut Statement,
) -> Result<Fired, SqlError> {
    let scope = Scope::default();
    Renderer::new(catalog, role, &scope, out).fire(table, event, assigned, new, old)
}

impl Renderer<'_> {
    /// As [`render_before`].
    pub(crate) fn fire(
        &mut self,
        table: &Table,
        event: Event,
        columns: &[String],
        new: Texts,
        old: Texts,
    ) -> Result<Fired, SqlError> {
        let mut fired = Fired {
            row: new,
            ..Fired::default()
        };
        let old = Alias::Texts(Arc::new(old));
        for trigger in &table.triggers {
            let Some(effect) = trigger.effect(Timing::Before, event, columns) else {
                continue;
            };
            match effect {
                Effect::Before {
                    assignments,
                    verdict,
                } => {
                    let proposed = Alias::Texts(Arc::new(fired.row.clone()));
                    let level = vec![proposed.clone(), old.clone(), proposed];
                    self.apart_as(trigger, level, |renderer, level| {
                        renderer.run_before(assignments, verdict.as_ref(), level, &mut fired)
                    })?;
                }
                Effect::Broken { state, message } => {
                    let raise = self.apart(|renderer| {
                        renderer.raise(state, message);
                        Ok(())
                    })?;
                    fired.judge(raise);
                }
                Effect::After { .. } => {}
            }
        }
        fired.assigned = table
            .columns
            .iter()
            .map(|column| &column.name)
            .filter(|name| fired.assigned.contains(name))
            .cloned()
            .collect();
        Ok(fired)
    }

    fn run_before(
        &mut self,
        assignments: &[(String, Expr)],
        verdict: Option<&Expr>,
        level: &[Alias],
        fired: &mut Fired,
    ) -> Result<(), SqlError> {
        let text = |renderer: &mut Self, expr: &Expr| {
            let mut text = String::new();
            renderer.isolated(level.to_vec(), |renderer| {
                text = renderer.apart(|renderer| renderer.expr(expr))?;
                Ok(())
            })?;
            Ok::<_, SqlError>(text)
        };
        if let Some(verdict) = verdict {
            let verdict = text(self, verdict)?;
            fired.judge(verdict);
        }
        let mut values = Vec::with_capacity(assignments.len());
        for (name, value) in assignments {
            values.push((name, text(self, value)?));
        }
        for (name, value) in values {
            fired.row.insert(name.clone(), format!("({value})"));
            if !fired.assigned.contains(name) {
                fired.assigned.push(name.clone());
            }
        }
        Ok(())
    }

    /// Renders as the one a trigger's function runs as.
    fn apart_as(
        &mut self,
        trigger: &Trigger,
        level: Vec<Alias>,
        render: impl FnOnce(&mut Self, &[Alias]) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let definer = self
            .catalog
            .routine(&trigger.routine)
            .is_some_and(|routine| routine.definer);
        let role = self.role;
        if definer {
            self.role = Role::Service;
        }
        let rendered = self.deeper(|renderer| render(renderer, &level));
        self.role = role;
        rendered
    }

    fn raise(&mut self, state: &str, message: &str) {
        self.out.push("pg_raise(");
        self.value(&Value::text(state));
        self.out.push(", ");
        self.value(&Value::text(message));
        self.out.push(")");
    }
}

impl Fired {
    /// A row that one trigger passes over is not shown to the next.
    fn judge(&mut self, verdict: String) {
        self.verdict = Some(match self.verdict.take() {
            None => verdict,
            Some(known) => format!("CASE WHEN {known} THEN {verdict} END"),
        });
    }
}

/// The triggers of SQLite's that run after rows are written, by their names: for the writing connection, and no part of the file.
///
/// Errors: as [`super::render_statements`].
pub fn after_triggers(catalog: &Catalog) -> Result<Vec<(String, Statement)>, SqlError> {
    let mut made = Vec::new();
    for table in catalog.tables.values() {
        for event in [Event::Insert, Event::Update, Event::Delete] {
            for (columns, triggers) in grouped(table, event) {
                table_triggers(catalog, table, event, columns, &triggers, &mut made)?;
            }
        }
    }
    Ok(made)
}

/// The triggers of an event: those of the same columns run in the order of their names, for they are one trigger of SQLite's.
fn grouped(table: &Table, event: Event) -> Vec<(&[String], Vec<&Trigger>)> {
    let mut groups: Vec<(&[String], Vec<&Trigger>)> = Vec::new();
    for trigger in &table.triggers {
        if trigger
            .effect(Timing::After, event, &trigger.columns)
            .is_none()
        {
            continue;
        }
        let columns = if event == Event::Update {
            &trigger.columns[..]
        } else {
            &[]
        };
        match groups.iter_mut().find(|(known, _)| *known == columns) {
            Some((_, group)) => group.push(trigger),
            None => groups.push((columns, vec![trigger])),
        }
    }
    groups
}

/// One trigger for all callers, or one for each role where policies make a difference.
fn table_triggers(
    catalog: &Catalog,
    table: &Table,
    event: Event,
    columns: &[String],
    triggers: &[&Trigger],
    made: &mut Vec<(String, Statement)>,
) -> Result<(), SqlError> {
    let roles = [Role::Anon, Role::Authenticated, Role::Service];
    let bodies: Vec<Result<String, SqlError>> = roles
        .iter()
        .map(|role| body(catalog, table, event, *role, triggers))
        .collect();
    let alike = bodies
        .iter()
        .all(|body| matches!((body, &bodies[0]), (Ok(body), Ok(first)) if body == first));
    for (role, body) in roles.iter().zip(bodies) {
        let name = format!(
            "pando.{}.{}.{}{}",
            table.file_name(),
            event.word().to_lowercase(),
            role.name(),
            columns
                .iter()
                .map(|column| format!(".{column}"))
                .collect::<String>()
        );
        let mut out = Statement::new();
        out.push("CREATE TEMP TRIGGER ")
            .ident(&name)
            .push(" AFTER ");
        out.push(event.word());
        for (index, column) in columns.iter().enumerate() {
            out.push(if index > 0 { ", " } else { " OF " })
                .ident(column);
        }
        out.push(" ON main.").ident(&table.file_name());
        out.push(" FOR EACH ROW");
        if !alike {
            out.push(" WHEN pg_ambient('user') = '")
                .push(role.name())
                .push("'");
        }
        out.push(" BEGIN ");
        match body {
            Ok(body) => out.push(&body),
            // What a role may not do at all fails when it does it.
            Err(error) => out
                .push("SELECT pg_raise('")
                .push(&error.state)
                .push("', '")
                .push(&error.message.replace('\'', "''"))
                .push("');"),
        };
        out.push(" END");
        made.push((name, out));
        if alike {
            break;
        }
    }
    Ok(())
}

fn body(
    catalog: &Catalog,
    table: &Table,
    event: Event,
    role: Role,
    triggers: &[&Trigger],
) -> Result<String, SqlError> {
    let mut out = Statement::new();
    let scope = Scope::default();
    let mut renderer = Renderer::new(catalog, role, &scope, &mut out);
    renderer.inline = true;
    renderer.ambient = true;
    let row = |name: &str, there: bool| {
        if there {
            return Alias::Name(name.to_owned());
        }
        // The row that is not there in this event is all nulls.
        let columns = table.columns.iter();
        Alias::Texts(Arc::new(
            columns
                .map(|column| (column.name.clone(), "NULL".to_owned()))
                .collect(),
        ))
    };
    renderer.levels = vec![vec![
        row("new", event != Event::Delete),
        row("old", event != Event::Insert),
    ]];
    for trigger in triggers {
        let effect = trigger.effect(Timing::After, event, &trigger.columns);
        match effect {
            Some(Effect::After { slots, steps }) => renderer.run_after(trigger, *slots, steps)?,
            Some(Effect::Broken { state, message }) => {
                renderer.out.push("SELECT ");
                renderer.raise(state, message);
                renderer.out.push("; ");
            }
            Some(Effect::Before { .. }) | None => {}
        }
    }
    Ok(out.sql)
}

impl Renderer<'_> {
    fn run_after(&mut self, trigger: &Trigger, slots: u32, steps: &[Step]) -> Result<(), SqlError> {
        let definer = self
            .catalog
            .routine(&trigger.routine)
            .is_some_and(|routine| routine.definer);
        let user = if definer { "service_role" } else { "" };
        self.out
            .push("SELECT pg_enter('")
            .push(user)
            .push(&format!("', {slots}); "));
        let role = self.role;
        if definer {
            self.role = Role::Service;
        }
        self.frames
            .push((0..slots).map(|slot| format!("pg_slot({slot})")).collect());
        let rendered = steps.iter().try_for_each(|step| self.step_or_raise(step));
        self.frames.pop();
        self.role = role;
        rendered?;
        self.out.push("SELECT pg_leave(); ");
        Ok(())
    }

    /// A statement that can't be run at all, because the role may not, fails when it is come to.
    fn step_or_raise(&mut self, step: &Step) -> Result<(), SqlError> {
        let path = if step.path.is_empty() {
            None
        } else {
            let mut parts = Vec::with_capacity(step.path.len());
            for condition in &step.path {
                parts.push(self.apart(|renderer| renderer.expr(condition))?);
            }
            Some(parts.join(" AND "))
        };
        let at = self.out.sql.len();
        let (levels, frames) = (self.levels.clone(), self.frames.clone());
        let (stack, nested, role) = (self.stack.clone(), self.nested, self.role);
        let Err(error) = self.step(step, path.clone()) else {
            return Ok(());
        };
        self.out.sql.truncate(at);
        (self.levels, self.frames) = (levels, frames);
        (self.stack, self.nested, self.role) = (stack, nested, role);
        self.reached = None;
        self.out.push("SELECT ");
        self.guarded(path.as_deref(), |renderer| {
            renderer.raise(&error.state, &error.message);
            Ok(())
        })?;
        self.out.push("; ");
        Ok(())
    }

    fn step(&mut self, step: &Step, path: Option<String>) -> Result<(), SqlError> {
        match &step.action {
            Action::Keep { slot, value } => {
                self.out.push("SELECT ");
                self.guarded(path.as_deref(), |renderer| {
                    renderer.out.push(&format!("pg_keep({slot}, "));
                    renderer.expr(value)?;
                    renderer.out.push(")");
                    Ok(())
                })?;
            }
            Action::Raise(raise) => {
                self.out.push("SELECT ");
                self.guarded(path.as_deref(), |renderer| renderer.expr(raise))?;
            }
            Action::Ask(query) => {
                self.out.push("SELECT ");
                self.guarded(path.as_deref(), |renderer| renderer.asked(query))?;
            }
            Action::Run(Operation::Call(called)) => return self.called(called, path.as_deref()),
            Action::Run(operation) => {
                let outer = std::mem::replace(&mut self.reached, path);
                let rendered = self.operation(operation);
                self.reached = outer;
                rendered?;
            }
        }
        self.out.push("; ");
        Ok(())
    }

    /// The statements of a function that changes rows, in the place of its call.
    fn called(&mut self, called: &Call, path: Option<&str>) -> Result<(), SqlError> {
        let routine = self.routine(&called.routine)?;
        let Body::Sql(operations) = &routine.body else {
            return Err(SqlError::new(
                "0A000",
                "trigger functions can only be called as triggers",
            ));
        };
        let mut args = Vec::with_capacity(called.args.len());
        for arg in &called.args {
            args.push(self.apart(|renderer| renderer.expr(arg))?);
        }
        let role = self.role;
        if routine.definer {
            self.role = Role::Service;
        }
        let rendered = self.deeper(|renderer| {
            renderer.isolated(Vec::new(), |renderer| {
                renderer.frames.push(args);
                for operation in operations {
                    match operation {
                        Operation::Call(called) => {
                            renderer.called(called, path)?;
                            continue;
                        }
                        Operation::Select(query) => {
                            renderer.out.push("SELECT ");
                            renderer.guarded(path, |renderer| renderer.asked(query))?;
                        }
                        operation => {
                            renderer.reached = path.map(str::to_owned);
                            renderer.operation(operation)?;
                        }
                    }
                    renderer.out.push("; ");
                }
                Ok(())
            })
        });
        self.role = role;
        rendered
    }

    /// A query for what it does on its way.
    fn asked(&mut self, query: &Query) -> Result<(), SqlError> {
        // Counting each column asks for it, where counting rows would not.
        let names: Vec<String> = (0..query.columns().len())
            .map(|at| format!("v{at}"))
            .collect();
        let counts: Vec<String> = names
            .iter()
            .map(|name| format!("count(\"{name}\")"))
            .collect();
        self.out
            .push("(SELECT ")
            .push(&counts.join(" + "))
            .push(" FROM (");
        self.query(query, Some(&names))?;
        self.out.push("))");
        Ok(())
    }

    /// A value that is asked only where the path was taken.
    fn guarded(
        &mut self,
        path: Option<&str>,
        render: impl FnOnce(&mut Self) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        if let Some(path) = path {
            self.out.push("CASE WHEN ").push(path).push(" THEN ");
        }
        render(self)?;
        self.out.push(if path.is_some() { " END" } else { "" });
        Ok(())
    }

    /// The texts of a row's columns under a name.
    pub(crate) fn texts_of(&mut self, table: &Table, name: &str) -> Result<Texts, SqlError> {
        let mut texts = Texts::new();
        for column in &table.columns {
            let text = self.apart(|renderer| {
                renderer.out.ident(name).push(".").ident(&column.name);
                Ok(())
            })?;
            texts.insert(column.name.clone(), text);
        }
        Ok(texts)
    }

    /// The texts of a row that is not there.
    pub(crate) fn texts_of_nothing(table: &Table) -> Texts {
        let columns = table.columns.iter();
        columns
            .map(|column| (column.name.clone(), "NULL".to_owned()))
            .collect()
    }
}
