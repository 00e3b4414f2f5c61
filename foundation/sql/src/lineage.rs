//! Where the columns of a view come from: the keys of the tables behind it are known of the view too, as far as it shows their columns.
//!
//! A column is traced as Postgres traces it: through views, sub-selects, joins and `with`, but not through expressions, `union` or
//! functions.

use crate::catalog::{Catalog, ForeignKey, Table};
use crate::expr::Expr;
use crate::query::{Body, Cte, Of, Query};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How deep views stand in one another where their columns are traced.
const DEPTH: usize = 32;
/// Ways to see one key through a view that shows its columns more than once.
const WAYS: usize = 8;

/// A column of a table, as one place of a query reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Which of the places that read the table: a path of sources.
    pub place: Vec<u32>,
    /// The column.
    pub column: String,
}

/// A foreign key as a table or view has it.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// The key; its columns are those of the table or view.
    pub key: Cow<'a, ForeignKey>,
    /// Whether at most one row refers to a row.
    pub unique: bool,
    /// Whether its columns are part of the primary key.
    pub primary: bool,
}

/// Where each column of a view comes from; none for one that is computed. The columns of a table come from itself.
pub fn origins(catalog: &Catalog, table: &Table) -> Vec<Option<Origin>> {
    traced(catalog, table, &[], 0)
}

/// The primary key of a table; of a view, the columns that show those of its tables.
pub fn primary_key(catalog: &Catalog, table: &Table) -> Vec<String> {
    if table.view.is_none() {
        return table
            .primary_key
            .as_ref()
            .map_or_else(Vec::new, |key| key.columns.clone());
    }
    let mut found: Vec<String> = Vec::new();
    for (column, origin) in table.columns.iter().zip(origins(catalog, table)) {
        let Some(origin) = origin else { continue };
        let key = catalog
            .table(&origin.schema, &origin.table)
            .and_then(|table| table.primary_key.as_ref());
        if key.is_some_and(|key| key.columns.contains(&origin.column)) {
            found.push(column.name.clone());
        }
    }
    found
}

/// The foreign keys of a table; of a view, those of its tables whose columns it shows.
pub fn links<'a>(catalog: &'a Catalog, table: &'a Table) -> Vec<Link<'a>> {
    if table.view.is_none() {
        return table
            .foreign_keys
            .iter()
            .map(|key| Link {
                key: Cow::Borrowed(key),
                unique: is_unique(table, key),
                primary: in_primary_key(table, key),
            })
            .collect();
    }
    let mut found = Vec::new();
    let shown = Shown::of(catalog, table);
    for place in shown.places() {
        let Some(base) = catalog.table(&place.0, &place.1) else {
            continue;
        };
        for key in &base.foreign_keys {
            for columns in shown.ways(&place, &key.columns) {
                let key_of_view = ForeignKey {
                    columns,
                    ..key.clone()
                };
                found.push(Link {
                    key: Cow::Owned(key_of_view),
                    unique: is_unique(base, key),
                    primary: in_primary_key(base, key),
                });
            }
        }
    }
    found
}

/// A foreign key as it refers to `target`: itself for the table it names, and with other names for a view that shows the columns referred to.
pub fn referring<'k>(
    catalog: &Catalog,
    key: &'k ForeignKey,
    target: &Table,
) -> Vec<Cow<'k, ForeignKey>> {
    if target.view.is_none() {
        let refers = key.foreign_table == target.name && key.foreign_schema == target.schema;
        return if refers {
            vec![Cow::Borrowed(key)]
        } else {
            Vec::new()
        };
    }
    let shown = Shown::of(catalog, target);
    let mut found = Vec::new();
    for place in shown.places() {
        if place.0 != key.foreign_schema || place.1 != key.foreign_table {
            continue;
        }
        for foreign_columns in shown.ways(&place, &key.foreign_columns) {
            found.push(Cow::Owned(ForeignKey {
                foreign_schema: target.schema.clone(),
                foreign_table: target.name.clone(),
                foreign_columns,
                ..key.clone()
            }));
        }
    }
    found
}

/// A table as one place of a view's query reads it: schema, name, path.
type Place = (String, String, Vec<u32>);

/// What a view shows of the tables behind it.
struct Shown(Vec<(String, Origin)>);

impl Shown {
    fn of(catalog: &Catalog, view: &Table) -> Shown {
        let names = view.columns.iter().map(|column| column.name.clone());
        let traced = names.zip(origins(catalog, view));
        Shown(
            traced
                .filter_map(|(name, origin)| Some((name, origin?)))
                .collect(),
        )
    }

    fn places(&self) -> BTreeSet<Place> {
        self.0
            .iter()
            .map(|(_, origin)| {
                (
                    origin.schema.clone(),
                    origin.table.clone(),
                    origin.place.clone(),
                )
            })
            .collect()
    }

    /// Every way to name the columns of a place by those of the view; none where it does not show them all.
    fn ways(&self, place: &Place, columns: &[String]) -> Vec<Vec<String>> {
        let mut ways: Vec<Vec<String>> = vec![Vec::new()];
        for column in columns {
            let names: Vec<&String> = self
                .0
                .iter()
                .filter(|(_, origin)| {
                    origin.column == *column
                        && origin.schema == place.0
                        && origin.table == place.1
                        && origin.place == place.2
                })
                .map(|(name, _)| name)
                .collect();
            ways = ways
                .iter()
                .flat_map(|way| {
                    names.iter().map(|name| {
                        let mut longer = way.clone();
                        longer.push((*name).clone());
                        longer
                    })
                })
                .take(WAYS)
                .collect();
        }
        ways
    }
}

fn traced(catalog: &Catalog, table: &Table, place: &[u32], depth: usize) -> Vec<Option<Origin>> {
    let Some(view) = &table.view else {
        return table
            .columns
            .iter()
            .map(|column| {
                Some(Origin {
                    schema: table.schema.clone(),
                    table: table.name.clone(),
                    place: place.to_vec(),
                    column: column.name.clone(),
                })
            })
            .collect();
    };
    let nowhere = vec![None; table.columns.len()];
    if depth >= DEPTH {
        return nowhere;
    }
    let mut found = query(catalog, &view.query, &[], place, depth + 1);
    found.resize(table.columns.len(), None);
    found
}

fn query(
    catalog: &Catalog,
    asked: &Query,
    around: &[&Cte],
    place: &[u32],
    depth: usize,
) -> Vec<Option<Origin>> {
    let nowhere = || vec![None; asked.columns().len()];
    if depth >= DEPTH {
        return nowhere();
    }
    let with: Vec<&Cte> = around.iter().copied().chain(&asked.with).collect();
    let select = match &asked.body {
        Body::Select(select) => select,
        Body::Query(inner) => return query(catalog, inner, &with, place, depth + 1),
        Body::Values(_) | Body::Set { .. } => return nowhere(),
    };
    select
        .columns
        .iter()
        .map(|output| {
            let Expr::Column {
                level: 0,
                source,
                name,
                ..
            } = &output.expr
            else {
                return None;
            };
            let mut inner = place.to_vec();
            inner.push(*source);
            let (names, from) = match &select.from.get(*source as usize)?.of {
                Of::Table { schema, name } => {
                    let table = catalog.table(schema, name)?;
                    let names = table.columns.iter().map(|column| column.name.clone());
                    let names: Vec<String> = names.collect();
                    (names, traced(catalog, table, &inner, depth + 1))
                }
                Of::Query(asked) => {
                    let names = asked.columns().into_iter().map(|(name, _)| name).collect();
                    (names, query(catalog, asked, &with, &inner, depth + 1))
                }
                Of::Cte { name } => {
                    let cte = with.iter().rev().find(|cte| cte.name == *name)?;
                    if cte.recursive {
                        return None;
                    }
                    let own = cte.query.columns().into_iter().map(|(name, _)| name);
                    let names = cte
                        .columns
                        .iter()
                        .cloned()
                        .chain(own.skip(cte.columns.len()))
                        .collect();
                    (names, query(catalog, &cte.query, &with, &inner, depth + 1))
                }
                Of::Rows { .. } | Of::Routine { .. } => return None,
            };
            let at = names.iter().position(|known| known == name)?;
            from.into_iter().nth(at)?
        })
        .collect()
}

/// Whether a row referred to has at most one row referring to it.
fn is_unique(table: &Table, key: &ForeignKey) -> bool {
    let columns: BTreeSet<&String> = key.columns.iter().collect();
    table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .any(|unique| unique.columns.iter().collect::<BTreeSet<_>>() == columns)
}

fn in_primary_key(table: &Table, key: &ForeignKey) -> bool {
    table.primary_key.as_ref().is_some_and(|primary| {
        key.columns
            .iter()
            .all(|column| primary.columns.contains(column))
    })
}
