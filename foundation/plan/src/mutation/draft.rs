//! A mutation being planned: what inserts, updates and deletes share.

use super::{Constraints, Fetch, Reference, Write};
use crate::error::PlanError;
use crate::level::Level;
use crate::planner::{Conditions, Planner, payload_column, push_column};
use crate::read::OutColumn;
use crate::request::{Item, Mutation};
use pando_kernel::Role;
use pando_sql::catalog::{Action, Column, Command, ForeignKey, Table};
use pando_sql::render::{Scope, render_check_option, render_expr, render_handles};
use pando_sql::writable::Writable;
use pando_sql::{Bind, Catalog, SqlError, Statement, Type, policy};
use std::borrow::Cow;
use std::sync::Arc;

/// Cascades followed to explain a refused delete; beyond, the explanation names no constraint.
const CASCADES_FOLLOWED_MAX: usize = 4;

/// What a written row must meet: the command's check, and the select policies where the statement reads the table.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) command: Command,
    pub(super) select: bool,
}

/// A mutation being planned.
pub(crate) struct Draft<'a> {
    pub(crate) planner: Planner<'a>,
    /// The table whose rows change.
    pub(crate) table: &'a Arc<Table>,
    /// Its name in the file, by which every statement knows it.
    pub(super) name: String,
    /// The view it is written through: what `root` is then.
    pub(crate) view: Option<&'a Writable>,
    /// What was asked for, with what is answered of it.
    pub(crate) root: Level<'a>,
    pub(crate) mutation: &'a Mutation,
    pub(super) columns: Vec<OutColumn>,
}

impl<'a> Draft<'a> {
    /// Whether changed rows are read back, which needs the select policies.
    pub(super) fn reads_back(&self) -> bool {
        self.mutation.returning || self.mutation.keys
    }

    /// The table's columns behind those a payload names.
    pub(crate) fn written<'c>(
        &self,
        columns: &'c [String],
        command: Command,
    ) -> Result<Cow<'c, [String]>, PlanError> {
        let Some(view) = self.view else {
            return Ok(Cow::Borrowed(columns));
        };
        let mut written: Vec<String> = Vec::with_capacity(columns.len());
        for name in columns {
            payload_column(self.root.table, name)?;
            let column = view.column(self.root.table, name, command)?;
            if written.iter().any(|known| known == column) {
                return Err(SqlError::new(
                    "42601",
                    format!("multiple assignments to same column \"{column}\""),
                )
                .into());
            }
            written.push(column.to_owned());
        }
        Ok(Cow::Owned(written))
    }

    /// The name the answer has for a column of the table; none where a view does not show it.
    fn shown_as(&self, column: &str) -> Option<String> {
        let Some(view) = self.view else {
            return Some(column.to_owned());
        };
        let shown = view
            .columns
            .iter()
            .find(|(_, known)| known.as_deref() == Some(column));
        shown.map(|(name, _)| name.clone())
    }

    /// Appends the `using` policies of a command on the table's rows.
    pub(super) fn using(
        &self,
        command: Command,
        conditions: &mut Conditions,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let Planner { catalog, role, .. } = self.planner;
        conditions.push(out, |out| {
            Ok(policy::render_using(
                catalog, self.table, command, role, &self.name, out,
            )?)
        })
    }

    /// Appends ` FROM ..`: what was asked for, its rows with their handles. `filtered`: only the rows that a view shows.
    pub(super) fn from(&mut self, filtered: bool, out: &mut Statement) -> Result<(), PlanError> {
        if self.view.is_none() {
            return self.planner.from(&self.root, out);
        }
        out.push(" FROM ");
        self.handles(filtered, out)?;
        self.planner.spread_joins(&self.root, out)
    }

    /// Appends a view's rows with their handles.
    fn handles(&self, filtered: bool, out: &mut Statement) -> Result<(), PlanError> {
        let Planner { catalog, role, .. } = self.planner;
        render_handles(catalog, self.root.table, role, filtered, out)?;
        out.push(" AS ").ident(&self.root.alias);
        Ok(())
    }

    /// Whether a write can answer the columns itself: nothing is embedded and no order is asked for.
    pub(super) fn answers_in_place(&self) -> bool {
        let plain = |item: &Item| !matches!(item, Item::Embed(_));
        self.mutation.returning
            && self.view.is_none()
            && self.mutation.node.items.iter().all(plain)
            && self.mutation.node.order.is_empty()
    }

    /// Appends ` RETURNING ..`, if anything is to be answered.
    pub(super) fn returning(
        &mut self,
        update_check: Option<Check>,
        needs_handle: bool,
        mut statement: Statement,
    ) -> Result<Write, PlanError> {
        let answers = self.reads_back() || needs_handle || update_check.is_some();
        if !answers {
            return Ok(Write {
                statement,
                answers,
                columns: false,
            });
        }
        statement.push(" RETURNING rowid, ");
        match update_check {
            Some(check) => self.push_check(check, &self.name, &mut statement)?,
            None => {
                statement.push("1");
            }
        }
        let in_place = self.answers_in_place();
        if in_place {
            let before = statement.sql.len();
            statement.push(", ");
            self.columns = self.planner.list(&self.root, &mut statement)?;
            if self.columns.is_empty() {
                statement.sql.truncate(before);
            }
        } else if !self.mutation.returning {
            for name in self.table.primary_key.iter().flat_map(|key| &key.columns) {
                let (Some(column), Some(shown)) = (self.table.column(name), self.shown_as(name))
                else {
                    continue;
                };
                statement.push(", ");
                push_column(&self.name, name, &mut statement);
                self.columns
                    .push(OutColumn::new(&shown, column.ty.json_out()));
            }
        }
        Ok(Write {
            statement,
            answers,
            columns: in_place || self.mutation.keys && !self.mutation.returning,
        })
    }

    /// How changed rows are read again, where the write can't answer them.
    pub(super) fn fetch(&mut self) -> Result<Option<Fetch>, PlanError> {
        if !self.mutation.returning || self.answers_in_place() {
            return Ok(None);
        }
        let sorted = !self.mutation.node.order.is_empty();
        let mut statement = Statement::new();
        self.columns = self.planner.select(&self.root, &mut statement)?;
        self.from(false, &mut statement)?;
        let mut conditions = Conditions::after(" WHERE ");
        conditions.push(&mut statement, |out| {
            push_column(&self.root.alias, "rowid", out);
            if sorted {
                out.push(" IN (SELECT value FROM json_each(")
                    .bind(Bind::Row(0))
                    .push("))");
            } else {
                out.push(" = ").bind(Bind::Row(0));
            }
            Ok(())
        })?;
        self.planner
            .inner(&self.root, &mut conditions, &mut statement)?;
        self.planner.order(&self.root, &mut statement)?;
        Ok(Some(if sorted {
            Fetch::Sorted(statement)
        } else {
            Fetch::Each(statement)
        }))
    }

    /// Appends ` WHERE ..`: the rows of the table an update or delete is about.
    pub(super) fn matching(
        &mut self,
        command: Command,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let mut conditions = Conditions::after(" WHERE ");
        self.permitted(command, &mut conditions, out)?;
        if self.view.is_none() {
            return self.planner.filters(&self.root, &mut conditions, out);
        }
        let name = self.name.clone();
        conditions.push(out, |out| {
            out.ident(&name).push(".rowid IN (SELECT ");
            push_column(&self.root.alias, "rowid", out);
            out.push(" FROM ");
            self.handles(true, out)?;
            let mut inner = Conditions::after(" WHERE ");
            self.planner.filters(&self.root, &mut inner, out)?;
            out.push(")");
            Ok(())
        })
    }

    /// As [`matching`](Self::matching), over what [`from`](Self::from) selects.
    pub(super) fn matching_asked(
        &mut self,
        command: Command,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        if self.view.is_none() {
            return self.matching(command, out);
        }
        let mut conditions = Conditions::after(" WHERE ");
        conditions.push(out, |out| {
            push_column(&self.root.alias, "rowid", out);
            out.push(" IN (SELECT rowid FROM ").ident(&self.name);
            self.permitted(command, &mut Conditions::after(" WHERE "), out)?;
            out.push(")");
            Ok(())
        })?;
        self.planner.filters(&self.root, &mut conditions, out)
    }

    /// Appends the policies an update or delete passes.
    fn permitted(
        &self,
        command: Command,
        conditions: &mut Conditions,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        self.using(command, conditions, out)?;
        if self.needs_select() {
            self.using(Command::Select, conditions, out)?;
        }
        Ok(())
    }

    /// Whether an update or delete reads the table, so that select policies apply too.
    pub(super) fn needs_select(&self) -> bool {
        self.reads_back() || !self.mutation.node.filters.is_empty()
    }

    /// A check that can fail, or none.
    pub(super) fn check(&self, command: Command, select: bool) -> Result<Option<Check>, PlanError> {
        let check = Check { command, select };
        let mut probe = Statement::new();
        self.push_check(check, &self.name, &mut probe)?;
        Ok(if probe.sql == "1" { None } else { Some(check) })
    }

    /// Appends the condition a written row must meet, on the table's occurrence `alias`; `1` if it always holds.
    pub(super) fn push_check(
        &self,
        check: Check,
        alias: &str,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let Planner { catalog, role, .. } = self.planner;
        let start = out.sql.len();
        out.push("(");
        let mut conditions = Conditions::after("");
        conditions.push(out, |out| {
            Ok(policy::render_check(
                catalog,
                self.table,
                check.command,
                role,
                alias,
                out,
            )?)
        })?;
        if check.select {
            let command = Command::Select;
            conditions.push(out, |out| {
                Ok(policy::render_using(
                    catalog, self.table, command, role, alias, out,
                )?)
            })?;
        }
        if self.view.is_some() && check.command != Command::Delete {
            let mut option = Statement {
                sql: String::new(),
                binds: std::mem::take(&mut out.binds),
            };
            let rendered = render_check_option(catalog, self.root.table, role, alias, &mut option);
            out.binds = option.binds;
            rendered?;
            if !option.sql.is_empty() {
                conditions.push(out, |out| {
                    out.push(&option.sql);
                    Ok(())
                })?;
            }
        }
        if out.sql.len() == start + 1 {
            out.sql.truncate(start);
            out.push("1");
        } else {
            out.push(")");
        }
        Ok(())
    }

    pub(super) fn constraints(
        &self,
        before: Option<Statement>,
        after: Option<Statement>,
        action: Option<fn(&ForeignKey) -> Action>,
    ) -> Constraints {
        let references = action.map_or_else(Vec::new, |action| {
            references(
                self.planner.catalog,
                self.table,
                action,
                CASCADES_FOLLOWED_MAX,
            )
        });
        let shows_values = !policy::applies(self.table, self.planner.role);
        Constraints {
            table: Arc::clone(self.table),
            shows_values,
            before,
            after,
            refusal: None,
            references,
        }
    }
}

/// Keys that refer to a table, and through cascades to those that hold them.
fn references(
    catalog: &Catalog,
    referred: &Table,
    action: fn(&ForeignKey) -> Action,
    depth: usize,
) -> Vec<Reference> {
    let mut found = Vec::new();
    for table in catalog.tables.values() {
        for key in &table.foreign_keys {
            if key.foreign_table != referred.name || key.foreign_schema != referred.schema {
                continue;
            }
            let (refuses, further) = match action(key) {
                Action::NoAction | Action::Restrict => (true, Vec::new()),
                Action::Cascade if depth > 0 => {
                    (false, references(catalog, table, action, depth - 1))
                }
                Action::Cascade | Action::SetNull | Action::SetDefault => continue,
            };
            found.push(Reference {
                table: Arc::clone(table),
                key: key.clone(),
                refuses,
                further,
            });
        }
    }
    found
}

/// Appends a select of every column of the table, given one of those that are not generated; the others are computed from them.
pub(super) fn with_generated(
    catalog: &Catalog,
    table: &Table,
    out: &mut Statement,
    inner: impl FnOnce(&mut Statement) -> Result<(), PlanError>,
) -> Result<(), PlanError> {
    if table
        .columns
        .iter()
        .all(|column| column.generated.is_none())
    {
        return inner(out);
    }
    for (index, column) in table.columns.iter().enumerate() {
        out.push(if index == 0 { "SELECT " } else { ", " });
        match &column.generated {
            Some(generated) => {
                // It reads nothing but the row, so no policy stands in it.
                let scope = Scope::over("r");
                render_expr(catalog, Role::Service, generated, &scope, out)?;
                if let Some(collation) = column.ty.collation() {
                    out.push(" COLLATE ").push(collation);
                }
            }
            None => push_column("r", &column.name, out),
        }
        out.push(" AS ").ident(&column.name);
    }
    out.push(" FROM (");
    inner(out)?;
    out.push(") AS r");
    Ok(())
}

/// Whether the column is SQLite's own row number: an integer that alone is the primary key.
pub(super) fn is_handle(table: &Table, column: &Column) -> bool {
    matches!(column.ty, Type::Int2 | Type::Int4 | Type::Int8)
        && table
            .primary_key
            .as_ref()
            .is_some_and(|key| key.columns == [column.name.as_str()])
}
