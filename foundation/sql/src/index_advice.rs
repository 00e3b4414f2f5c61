//! Indexes that policies and foreign keys would be quicker with.
//!
//! A policy is part of every statement on its table, so a column that it compares with who asks is looked up by every request; the rows
//! that refer to one are looked for whenever that one is deleted. Neither makes an index by itself, in Postgres as little as here.
//!
//! Deliberately absent: which indexes the team's own filters want, which only their use can tell.

use crate::catalog::{Catalog, Table};
use crate::expr::{Expr, Function, Part};
use crate::query::{Body, Of, Query, Select};
use std::collections::BTreeMap;

/// Schemas whose tables are the services' own.
const OURS: [&str; 3] = ["auth", "storage", "pando"];

/// An index that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingIndex {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// What would be quicker: `policy "your todos are yours" on public.todos`, `foreign key todos_owner_fkey`.
    pub wanted_by: String,
}

impl MissingIndex {
    /// The statement that makes it.
    pub fn sql(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        format!(
            "create index on {}.{} ({});",
            quoted(&self.schema),
            quoted(&self.table),
            columns.join(", ")
        )
    }
}

fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Every index that the foreign keys and policies of the team's tables lack, each once.
pub fn missing_indexes(catalog: &Catalog) -> Vec<MissingIndex> {
    let mut missing = Missing {
        catalog,
        found: BTreeMap::new(),
    };
    for table in catalog.tables.values().filter(|table| table.view.is_none()) {
        for key in &table.foreign_keys {
            missing.want(table, &key.columns, &format!("foreign key {}", key.name));
        }
        if !table.rls_enabled {
            continue;
        }
        for policy in &table.policies {
            let wanted_by = format!(
                "policy \"{}\" on {}.{}",
                policy.name, table.schema, table.name
            );
            for expr in policy.using.iter().chain(&policy.check) {
                missing.selects(expr, &wanted_by);
            }
            let own = policy.using.iter().flat_map(|using| compared(using, 0));
            missing.want(table, &own.collect::<Vec<_>>(), &wanted_by);
        }
    }
    missing.found.into_values().collect()
}

struct Missing<'a> {
    catalog: &'a Catalog,
    /// By schema, table and columns.
    found: BTreeMap<(String, String, Vec<String>), MissingIndex>,
}

impl Missing<'_> {
    /// One that begins with any of `columns` is good enough: the rest is looked at in the rows it finds.
    fn want(&mut self, table: &Table, columns: &[String], wanted_by: &str) {
        if columns.is_empty() || OURS.contains(&&*table.schema) || is_indexed(table, columns) {
            return;
        }
        let key = (table.schema.clone(), table.name.clone(), columns.to_vec());
        self.found.entry(key).or_insert_with(|| MissingIndex {
            schema: table.schema.clone(),
            table: table.name.clone(),
            columns: columns.to_vec(),
            wanted_by: wanted_by.to_owned(),
        });
    }

    /// The selects within an expression.
    fn selects(&mut self, expr: &Expr, wanted_by: &str) {
        expr.parts(&mut |part| match part {
            Part::Expr(expr) => self.selects(expr, wanted_by),
            Part::Query(query) => self.query(query, wanted_by),
        });
    }

    fn query(&mut self, query: &Query, wanted_by: &str) {
        self.body(&query.body, wanted_by);
        query.parts(&mut |part| match part {
            Part::Expr(expr) => self.selects(expr, wanted_by),
            Part::Query(query) => self.query(query, wanted_by),
        });
    }

    fn body(&mut self, body: &Body, wanted_by: &str) {
        match body {
            Body::Select(select) => self.select(select, wanted_by),
            Body::Set { left, right, .. } => {
                self.body(left, wanted_by);
                self.body(right, wanted_by);
            }
            Body::Values(_) | Body::Query(_) => {}
        }
    }

    fn select(&mut self, select: &Select, wanted_by: &str) {
        let conditions = || {
            let on = select.from.iter().filter_map(|source| source.on.as_ref());
            select.filter.iter().chain(on)
        };
        for (index, source) in (0..).zip(&select.from) {
            let Of::Table { schema, name } = &source.of else {
                continue;
            };
            let Some(table) = self.catalog.table(schema, name) else {
                continue;
            };
            let mut columns: Vec<String> = Vec::new();
            for column in conditions().flat_map(|condition| compared(condition, index)) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
            if table.view.is_none() {
                let table = table.clone();
                self.want(&table, &columns, wanted_by);
            }
        }
    }
}

fn is_indexed(table: &Table, columns: &[String]) -> bool {
    let keys = table.primary_key.iter().chain(&table.uniques);
    let of_keys = keys.filter_map(|key| key.columns.first());
    let whole = table
        .indexes
        .iter()
        .filter(|index| index.predicate.is_none());
    let of_indexes = whole.filter_map(|index| match &index.parts.first()?.expr {
        Expr::Column { name, .. } => Some(name),
        _ => None,
    });
    of_keys
        .chain(of_indexes)
        .any(|first| columns.contains(first))
}

/// The columns of a source that every row must have equal to something that is not of the same row.
fn compared(condition: &Expr, source: u32) -> Vec<String> {
    match condition {
        Expr::Call {
            function: Function::And,
            args,
            ..
        } => args.iter().flat_map(|arg| compared(arg, source)).collect(),
        Expr::Call {
            function: Function::Eq,
            args,
            ..
        } => {
            let [left, right] = &args[..] else {
                return Vec::new();
            };
            let sides = [(left, right), (right, left)];
            let column = sides.into_iter().find_map(|(side, other)| {
                let found = column(side, source)?;
                let other_is_free = !matches!(other, Expr::Literal { .. }) && !reads(other, source);
                other_is_free.then_some(found)
            });
            column.into_iter().collect()
        }
        Expr::InQuery {
            expr,
            negated: false,
            ..
        } => column(expr, source).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn column(expr: &Expr, source: u32) -> Option<String> {
    match expr {
        Expr::Column {
            level: 0,
            source: found,
            name,
            ..
        } if *found == source => Some(name.clone()),
        _ => None,
    }
}

/// Whether an expression reads a column of the source.
fn reads(expr: &Expr, source: u32) -> bool {
    let mut found = false;
    expr.walk(0, &mut |depth, expr| {
        found |= matches!(expr, Expr::Column { level, source: of, .. } if *level == depth && *of == source);
    });
    found
}
