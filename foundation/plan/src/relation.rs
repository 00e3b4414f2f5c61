//! Which foreign keys join two tables: how an embedded resource is found, after PostgREST's rules.
//!
//! A target is a table, or, for the origin's own key, the constraint or its only column. A hint chooses among
//! several: a constraint, a column on either side, or the junction. Of a table that refers to itself the table's
//! name means the children and the key's column the parent. Views have the keys of the tables whose columns they show
//! ([`pando_sql::lineage`]); they are found by their own names alone, and a junction that is a view only by a hint.

use crate::error::{Candidate, Cardinality, PlanError};
use crate::near::nearest;
use crate::planner::Planner;
use pando_sql::catalog::{ForeignKey, Table};
use pando_sql::lineage;
use std::borrow::Cow;
use std::sync::Arc;

/// A way from one table to another.
#[derive(Clone, Debug)]
pub(crate) struct Relation<'a> {
    pub(crate) cardinality: Cardinality,
    /// The table arrived at.
    pub(crate) table: &'a Arc<Table>,
    pub(crate) join: Join<'a>,
}

/// Equalities between columns, as (near the origin, near the target).
#[derive(Clone, Debug)]
pub(crate) enum Join<'a> {
    /// The origin's key.
    Forward(Cow<'a, ForeignKey>),
    /// The target's key.
    Backward(Cow<'a, ForeignKey>),
    /// A junction's two keys.
    Through {
        junction: &'a Arc<Table>,
        near: Cow<'a, ForeignKey>,
        far: Cow<'a, ForeignKey>,
    },
}

impl Relation<'_> {
    fn is_constraint(&self, name: &str) -> bool {
        match &self.join {
            Join::Forward(key) | Join::Backward(key) => key.name == name,
            Join::Through { .. } => false,
        }
    }

    fn is_junction(&self, name: &str) -> bool {
        matches!(&self.join, Join::Through { junction, .. } if junction.name == name)
    }

    /// Whether the key has one column and `name` is it, on the side that holds the key.
    fn is_key_column(&self, name: &str) -> bool {
        match &self.join {
            Join::Forward(key) | Join::Backward(key) => {
                matches!(key.columns.as_slice(), [column] if column == name)
            }
            Join::Through { .. } => false,
        }
    }

    fn is_referred_column(&self, name: &str) -> bool {
        match &self.join {
            Join::Forward(key) | Join::Backward(key) => {
                matches!(key.foreign_columns.as_slice(), [column] if column == name)
            }
            Join::Through { .. } => false,
        }
    }

    fn candidate(&self, origin: &Table) -> Candidate {
        let columns = |table: &str, columns: &[String]| format!("{table}({})", columns.join(", "));
        let (relationship, hint) = match &self.join {
            Join::Forward(key) => (
                format!(
                    "{} using {} and {}",
                    key.name,
                    columns(&origin.name, &key.columns),
                    columns(&self.table.name, &key.foreign_columns)
                ),
                &key.name,
            ),
            Join::Backward(key) => (
                format!(
                    "{} using {} and {}",
                    key.name,
                    columns(&origin.name, &key.foreign_columns),
                    columns(&self.table.name, &key.columns)
                ),
                &key.name,
            ),
            Join::Through {
                junction,
                near,
                far,
            } => (
                format!(
                    "{} using {} and {}",
                    junction.name,
                    columns(&near.name, &near.columns),
                    columns(&far.name, &far.columns)
                ),
                &junction.name,
            ),
        };
        Candidate {
            cardinality: self.cardinality,
            embedding: format!("{} with {}", origin.name, self.table.name),
            relationship,
            hint: hint.clone(),
        }
    }
}

/// The one relation from `origin` that the request means.
pub(crate) fn find<'a>(
    planner: &Planner<'a>,
    origin: &'a Table,
    target: &str,
    hint: Option<&str>,
) -> Result<Relation<'a>, PlanError> {
    let all = relations(planner, origin);
    let mut found: Vec<&Relation<'a>> = all
        .iter()
        .filter(|relation| fits(relation, origin, target, hint))
        .collect();
    match found.len() {
        1 => Ok(found.remove(0).clone()),
        0 => Err(PlanError::UnknownRelation {
            schema: planner.schema.to_owned(),
            origin: origin.name.clone(),
            target: target.to_owned(),
            hint: hint.map(str::to_owned),
            near: nearest(
                target,
                all.iter().map(|relation| relation.table.name.as_str()),
            )
            .map(str::to_owned),
        }),
        _ => Err(PlanError::AmbiguousRelation {
            origin: origin.name.clone(),
            target: target.to_owned(),
            candidates: found
                .iter()
                .map(|relation| relation.candidate(origin))
                .collect(),
        }),
    }
}

fn fits(relation: &Relation<'_>, origin: &Table, target: &str, hint: Option<&str>) -> bool {
    let forward = matches!(relation.join, Join::Forward(_));
    let itself = relation.table.name == origin.name && relation.table.schema == origin.schema;
    let named = relation.table.name == target;
    let through_view =
        matches!(&relation.join, Join::Through { junction, .. } if junction.view.is_some());
    match hint {
        // The key's column reaches the parent; the table's name the children.
        None if itself => (forward && relation.is_key_column(target)) || (named && !forward),
        None if through_view => false,
        None => {
            let table = relation.table.view.is_none();
            named
                || table
                    && (relation.is_constraint(target)
                        || (forward && relation.is_key_column(target)))
        }
        Some(hint) if itself => {
            named
                && !forward
                && (relation.is_constraint(hint)
                    || relation.is_key_column(hint)
                    || relation.is_junction(hint))
        }
        Some(hint) => {
            named
                && (relation.is_constraint(hint)
                    || relation.is_key_column(hint)
                    || relation.is_referred_column(hint)
                    || relation.is_junction(hint))
        }
    }
}

/// Every relation from a table or view to those of the exposed schema.
fn relations<'a>(planner: &Planner<'a>, origin: &'a Table) -> Vec<Relation<'a>> {
    let catalog = planner.catalog;
    // What a function gives has the keys of the table whose rows they are.
    let Some(origin) = catalog.table(&origin.schema, &origin.name) else {
        return Vec::new();
    };
    let mut relations = Vec::new();
    for link in lineage::links(catalog, origin) {
        let cardinality = if link.unique {
            Cardinality::OneToOne
        } else {
            Cardinality::ManyToOne
        };
        for (table, key) in referred(planner, &link.key) {
            relations.push(Relation {
                cardinality,
                table,
                join: Join::Forward(key),
            });
        }
    }
    for table in planner.exposed_tables() {
        for link in lineage::links(catalog, table) {
            let cardinality = if link.unique {
                Cardinality::OneToOne
            } else {
                Cardinality::OneToMany
            };
            for key in referring(planner, &link, origin) {
                relations.push(Relation {
                    cardinality,
                    table,
                    join: Join::Backward(key),
                });
            }
        }
    }
    for junction in catalog
        .tables
        .values()
        .filter(|table| planner.reachable(table))
    {
        let links = lineage::links(catalog, junction);
        for near in links.iter().filter(|link| link.primary) {
            for near_key in referring(planner, near, origin) {
                for far in links
                    .iter()
                    .filter(|far| far.primary && far.key.name != near.key.name)
                {
                    for (table, far_key) in referred(planner, &far.key) {
                        relations.push(Relation {
                            cardinality: Cardinality::ManyToMany,
                            table,
                            join: Join::Through {
                                junction,
                                near: near_key.clone(),
                                far: far_key,
                            },
                        });
                    }
                }
            }
        }
    }
    relations
}

/// The table a key refers to and the views that show what it refers to, each with the key as it refers to them.
fn referred<'a>(
    planner: &Planner<'a>,
    key: &Cow<'a, ForeignKey>,
) -> Vec<(&'a Arc<Table>, Cow<'a, ForeignKey>)> {
    let mut found = Vec::new();
    for table in planner.exposed_tables() {
        for key in lineage::referring(planner.catalog, key, table) {
            found.push((table, Cow::Owned(key.into_owned())));
        }
    }
    found
}

/// A key as it refers to `target`, if it does.
fn referring<'a>(
    planner: &Planner<'a>,
    link: &lineage::Link<'a>,
    target: &Table,
) -> Vec<Cow<'a, ForeignKey>> {
    lineage::referring(planner.catalog, &link.key, target)
        .into_iter()
        .map(|key| Cow::Owned(key.into_owned()))
        .collect()
}
