//! What every part of planning one request shares: the catalog, the role, and the inputs collected so far.

use crate::error::PlanError;
use crate::input::{InputSlot, InputType};
use crate::near::nearest;
use crate::read::PlanLimits;
use crate::request::Slot;
use pando_kernel::Role;
use pando_sql::catalog::{Column, Table, View};
use pando_sql::render::render_source;
use pando_sql::{Bind, Catalog, Statement};
use std::sync::Arc;

/// Embedded resources in one request, at all levels together: SQLite joins at most 64 tables.
pub(crate) const EMBEDS_MAX: usize = 60;
/// Columns of one level: Postgres' limit on a target list.
pub(crate) const COLUMNS_MAX: usize = 1_664;
/// Steps of one JSON path.
pub(crate) const JSON_STEPS_MAX: usize = 64;
/// Filters of one level, those in groups not counted.
pub(crate) const FILTERS_MAX: usize = 500;

/// The state of planning one request.
pub(crate) struct Planner<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) role: Role,
    pub(crate) limits: &'a PlanLimits,
    /// The exposed schema: the root and everything embedded are looked for here.
    pub(crate) schema: &'a str,
    /// What [`Bind::Input`] refers to.
    pub(crate) inputs: Vec<InputSlot>,
    embeds: usize,
    aliases: u32,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(
        catalog: &'a Catalog,
        role: Role,
        limits: &'a PlanLimits,
        schema: &'a str,
    ) -> Planner<'a> {
        Planner {
            catalog,
            role,
            limits,
            schema,
            inputs: Vec::new(),
            embeds: 0,
            aliases: 0,
        }
    }

    /// A name for a table's occurrence that no other occurrence in the statement has.
    pub(crate) fn alias(&mut self) -> String {
        let alias = format!("t{}", self.aliases);
        self.aliases += 1;
        alias
    }

    /// Counts one more embedded resource.
    pub(crate) fn count_embed(&mut self) -> Result<(), PlanError> {
        self.embeds += 1;
        at_most(self.embeds, EMBEDS_MAX, "embedded resources")
    }

    /// Appends the parameter for an input read as `ty`.
    pub(crate) fn bind_input(&mut self, slot: Slot, ty: InputType, out: &mut Statement) {
        let input = InputSlot { slot, ty };
        let index = self
            .inputs
            .iter()
            .position(|known| *known == input)
            .unwrap_or_else(|| {
                self.inputs.push(input);
                self.inputs.len() - 1
            });
        out.bind(Bind::Input(index as u32));
    }

    /// A table of the exposed schema.
    pub(crate) fn table(&self, name: &str) -> Result<&'a Arc<Table>, PlanError> {
        self.catalog
            .table(self.schema, name)
            .filter(|table| self.reachable(table))
            .ok_or_else(|| PlanError::UnknownTable {
                schema: self.schema.to_owned(),
                table: name.to_owned(),
                near: nearest(name, self.exposed_tables().map(|table| table.name.as_str()))
                    .map(str::to_owned),
            })
    }

    /// Every table a request may name.
    pub(crate) fn exposed_tables(&self) -> impl Iterator<Item = &'a Arc<Table>> {
        self.catalog
            .tables
            .values()
            .filter(|table| table.schema == self.schema && self.reachable(table))
    }

    /// What can't be protected is not there, for anybody.
    pub(crate) fn reachable(&self, table: &Table) -> bool {
        is_exposed(self.catalog, table, self.limits.allow_unprotected)
    }

    /// Appends a table's name, or the query of a view or function, as a source of a statement.
    pub(crate) fn push_source(&self, table: &Table, out: &mut Statement) -> Result<(), PlanError> {
        Ok(render_source(self.catalog, table, self.role, out)?)
    }
}

/// Whether a request may name a table or view of an exposed schema: a table with row-level security, or a view that is read as its
/// reader and reads nothing that is without it. `unprotected`: tables without it too.
pub fn is_exposed(catalog: &Catalog, table: &Table, unprotected: bool) -> bool {
    let Some(view) = &table.view else {
        return table.rls_enabled || unprotected;
    };
    view.invoker && (unprotected || protects(catalog, view, 0))
}

/// How deep views stand in one another where it is asked what they read.
const VIEWS_MAX: usize = 32;

/// Whether everything a view reads as its reader has row-level security. What it reads through a view that is read as its owner was
/// opened on purpose.
fn protects(catalog: &Catalog, view: &View, depth: usize) -> bool {
    depth < VIEWS_MAX
        && view.query.tables().iter().all(|(schema, name)| {
            let Some(table) = catalog.table(schema, name) else {
                return false;
            };
            match &table.view {
                None => table.rls_enabled,
                Some(inner) => !inner.invoker || protects(catalog, inner, depth + 1),
            }
        })
}

/// Refuses more of something than a statement can hold.
pub(crate) fn at_most(count: usize, limit: usize, what: &'static str) -> Result<(), PlanError> {
    if count > limit {
        return Err(PlanError::TooMany { what, limit });
    }
    Ok(())
}

/// A column of a table, named in `select`, a filter or an order.
pub(crate) fn column<'a>(table: &'a Table, name: &str) -> Result<&'a Column, PlanError> {
    table.column(name).ok_or_else(|| PlanError::UnknownColumn {
        table: table.name.clone(),
        column: name.to_owned(),
        near: near_column(table, name),
    })
}

/// A column of a table, named in a payload.
pub(crate) fn payload_column<'a>(table: &'a Table, name: &str) -> Result<&'a Column, PlanError> {
    table
        .column(name)
        .ok_or_else(|| PlanError::UnknownPayloadColumn {
            table: table.name.clone(),
            column: name.to_owned(),
            near: near_column(table, name),
        })
}

fn near_column(table: &Table, name: &str) -> Option<String> {
    nearest(
        name,
        table.columns.iter().map(|column| column.name.as_str()),
    )
    .map(str::to_owned)
}

/// Appends a column of a table's occurrence.
pub(crate) fn push_column(alias: &str, column: &str, out: &mut Statement) {
    out.ident(alias).push(".").ident(column);
}

/// Appends an SQL string literal. For names of the catalog only; what a client sent is bound.
pub(crate) fn push_literal(text: &str, out: &mut Statement) {
    out.push("'").push(&text.replace('\'', "''")).push("'");
}

/// Writes `where a and b`, leaving out conditions that always hold.
pub(crate) struct Conditions {
    next: &'static str,
}

impl Conditions {
    /// The first condition follows `keyword`, ` WHERE ` or ` ON `.
    pub(crate) fn after(keyword: &'static str) -> Conditions {
        Conditions { next: keyword }
    }

    /// Appends one condition, unless it is rendered as `1`.
    pub(crate) fn push(
        &mut self,
        out: &mut Statement,
        render: impl FnOnce(&mut Statement) -> Result<(), PlanError>,
    ) -> Result<(), PlanError> {
        let before = out.sql.len();
        out.push(self.next);
        let start = out.sql.len();
        render(out)?;
        if &out.sql[start..] == "1" {
            out.sql.truncate(before);
        } else {
            self.next = " AND ";
        }
        Ok(())
    }
}
