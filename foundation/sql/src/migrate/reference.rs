//! What names what: expressions that name columns or tables, keys that refer to others.

use super::Migration;
use crate::catalog::{ForeignKey, Table};
use crate::expr::Expr;
use crate::query::Query;
use crate::trouble::Trouble;
use crate::{Catalog, SqlError};
use std::sync::Arc;

/// Whether an expression over one table names a column.
pub(super) fn mentions(expr: &Expr, column: &str) -> bool {
    let mut found = false;
    expr.walk(0, &mut |_, expr| {
        found |= matches!(expr, Expr::Column { name, .. } if name == column)
    });
    found
}

/// All expressions of a table that may name columns.
pub(super) fn expressions(table: &mut Table) -> impl Iterator<Item = &mut Expr> {
    let generated = table
        .columns
        .iter_mut()
        .filter_map(|column| column.generated.as_mut());
    let checks = table.checks.iter_mut().map(|check| &mut check.expr);
    let indexes = table.indexes.iter_mut().flat_map(|index| {
        index
            .parts
            .iter_mut()
            .map(|part| &mut part.expr)
            .chain(&mut index.predicate)
    });
    let policies = table
        .policies
        .iter_mut()
        .flat_map(|policy| policy.using.iter_mut().chain(&mut policy.check));
    generated.chain(checks).chain(indexes).chain(policies)
}

/// Calls `visit` with the name of each column of `table` in an expression of `owner`.
pub(super) fn for_columns(
    expr: &mut Expr,
    owner: &Table,
    table: &Table,
    visit: &mut impl FnMut(&mut String),
) {
    let mut scope = vec![vec![(owner.schema.clone(), owner.name.clone())]];
    expr.walk_mut(&mut scope, &mut |scope, expr| {
        let Expr::Column {
            level,
            source,
            name,
            ..
        } = expr
        else {
            return;
        };
        let of = scope
            .len()
            .checked_sub(1 + *level as usize)
            .and_then(|at| scope[at].get(*source as usize));
        if of.is_some_and(|(schema, of)| *schema == table.schema && *of == table.name) {
            visit(name);
        }
    });
}

/// Calls `visit` with the name of each column of `table` in a query.
pub(super) fn for_query_columns(
    query: &mut Query,
    table: &Table,
    visit: &mut impl FnMut(&mut String),
) {
    query.walk_mut(&mut Vec::new(), &mut |scope, expr| {
        let Expr::Column {
            level,
            source,
            name,
            ..
        } = expr
        else {
            return;
        };
        let of = scope
            .len()
            .checked_sub(1 + *level as usize)
            .and_then(|at| scope[at].get(*source as usize));
        if of.is_some_and(|(schema, of)| *schema == table.schema && *of == table.name) {
            visit(name);
        }
    });
}

/// Whether a foreign key refers to the table.
pub(super) fn refers(key: &ForeignKey, table: &Table) -> bool {
    key.foreign_schema == table.schema && key.foreign_table == table.name
}

impl Migration {
    /// The policies that name a column, as (schema and table, policy).
    pub(super) fn policies_on(
        &self,
        table: &Table,
        column: &str,
    ) -> Vec<((String, String), String)> {
        let mut found = Vec::new();
        for (key, other) in &self.catalog.tables {
            for policy in &other.policies {
                let mut names = false;
                for expr in policy.using.iter().chain(&policy.check) {
                    let mut expr = expr.clone();
                    for_columns(&mut expr, other, table, &mut |name| names |= name == column);
                }
                if names {
                    found.push((key.clone(), policy.name.clone()));
                }
            }
        }
        found
    }

    /// The views that read a column.
    pub(super) fn views_on(&self, table: &Table, column: &str) -> Vec<Arc<Table>> {
        let reads = |other: &&Arc<Table>| {
            let Some(view) = &other.view else {
                return false;
            };
            let mut found = false;
            for_query_columns(&mut view.query.clone(), table, &mut |name| {
                found |= name == column;
            });
            found
        };
        self.catalog
            .tables
            .values()
            .filter(reads)
            .cloned()
            .collect()
    }

    /// The foreign keys that refer to a table, with the tables they are of.
    pub(super) fn referring(&self, table: &Table) -> Vec<(Arc<Table>, ForeignKey)> {
        self.catalog
            .tables
            .values()
            .flat_map(|other| {
                other
                    .foreign_keys
                    .iter()
                    .filter(|key| refers(key, table))
                    .map(|key| (other.clone(), key.clone()))
            })
            .collect()
    }

    /// Drops the foreign keys of other tables by name, as `cascade` does.
    pub(super) fn drop_foreign_keys(
        &mut self,
        keys: &[(Arc<Table>, ForeignKey)],
    ) -> crate::trouble::Result<()> {
        for (table, key) in keys {
            let Some(table) = self.catalog.table(&table.schema, &table.name).cloned() else {
                continue;
            };
            let mut changed = (*table).clone();
            changed.foreign_keys.retain(|known| known.name != key.name);
            self.rebuild(&table, changed)?;
        }
        Ok(())
    }

    /// Drops policies by name, as `cascade` does.
    pub(super) fn drop_policies(&mut self, policies: &[((String, String), String)]) {
        for (key, name) in policies {
            if let Some(table) = self.catalog.tables.get_mut(key) {
                Arc::make_mut(table)
                    .policies
                    .retain(|policy| policy.name != *name);
            }
        }
    }
}

/// What Postgres says about something that others depend on.
pub(super) fn depended_on(what: &str, by: &[String]) -> Trouble {
    SqlError::new(
        "2BP01",
        format!("cannot drop {what} because other objects depend on it"),
    )
    .detail(by.join("\n"))
    .hint("Use DROP ... CASCADE to drop the dependent objects too.")
    .into()
}

/// A table as such messages name it.
pub(super) fn shown((schema, name): &(String, String)) -> String {
    Catalog::file_name(schema, name)
}
