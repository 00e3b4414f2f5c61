//! A mutation being planned: what inserts, updates and deletes share.

use super::{Constraints, Fetch, Reference, Write};
use crate::error::PlanError;
use crate::level::Level;
use crate::planner::{Conditions, Planner, push_column};
use crate::read::OutColumn;
use crate::request::{Item, Mutation};
use pando_kernel::Role;
use pando_sql::catalog::{Action, Column, Command, ForeignKey, Table};
use pando_sql::render::{Scope, render_expr};
use pando_sql::{Bind, Catalog, Statement, Type, policy};
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
    pub(crate) table: &'a Arc<Table>,
    pub(crate) root: Level<'a>,
    pub(crate) mutation: &'a Mutation,
    pub(super) columns: Vec<OutColumn>,
}

impl<'a> Draft<'a> {
    /// Whether changed rows are read back, which needs the select policies.
    pub(super) fn reads_back(&self) -> bool {
        self.mutation.returning || self.mutation.keys
    }

    /// Whether a write can answer the columns itself: nothing is embedded and no order is asked for.
    pub(super) fn answers_in_place(&self) -> bool {
        let plain = |item: &Item| !matches!(item, Item::Embed(_));
        self.mutation.returning
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
            Some(check) => self.push_check(check, &self.root.alias, &mut statement)?,
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
                let Some(column) = self.table.column(name) else {
                    continue;
                };
                statement.push(", ");
                push_column(&self.root.alias, name, &mut statement);
                self.columns
                    .push(OutColumn::new(name, column.ty.json_out()));
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
        self.planner.from(&self.root, &mut statement)?;
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

    /// Appends ` WHERE ..`: the rows an update or delete is about.
    pub(super) fn matching(
        &mut self,
        command: Command,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let mut conditions = Conditions::after(" WHERE ");
        self.planner
            .using(&self.root, command, &mut conditions, out)?;
        if self.needs_select() {
            self.planner
                .using(&self.root, Command::Select, &mut conditions, out)?;
        }
        self.planner.filters(&self.root, &mut conditions, out)
    }

    /// Whether an update or delete reads the table, so that select policies apply too.
    pub(super) fn needs_select(&self) -> bool {
        self.reads_back() || !self.mutation.node.filters.is_empty()
    }

    /// A check that can fail, or none.
    pub(super) fn check(&self, command: Command, select: bool) -> Result<Option<Check>, PlanError> {
        let check = Check { command, select };
        let mut probe = Statement::new();
        self.push_check(check, &self.root.alias, &mut probe)?;
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
