//! Which foreign keys join two tables: how an embedded resource is found, after PostgREST's rules.
//!
//! A target is a table, or, for the origin's own key, the constraint or its only column. A hint chooses among
//! several: a constraint, a column on either side, or the junction. Of a table that refers to itself the table's
//! name means the children and the key's column the parent.

use crate::error::{Candidate, Cardinality, PlanError};
use crate::near::nearest;
use crate::planner::Planner;
use pando_sql::catalog::{ForeignKey, Table};
use std::collections::BTreeSet;
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
    Forward(&'a ForeignKey),
    /// The target's key.
    Backward(&'a ForeignKey),
    /// A junction's two keys.
    Through {
        junction: &'a Arc<Table>,
        near: &'a ForeignKey,
        far: &'a ForeignKey,
    },
}

impl Relation<'_> {
    fn is_constraint(&self, name: &str) -> bool {
        match self.join {
            Join::Forward(key) | Join::Backward(key) => key.name == name,
            Join::Through { .. } => false,
        }
    }

    fn is_junction(&self, name: &str) -> bool {
        matches!(self.join, Join::Through { junction, .. } if junction.name == name)
    }

    /// Whether the key has one column and `name` is it, on the side that holds the key.
    fn is_key_column(&self, name: &str) -> bool {
        match self.join {
            Join::Forward(key) | Join::Backward(key) => {
                matches!(key.columns.as_slice(), [column] if column == name)
            }
            Join::Through { .. } => false,
        }
    }

    fn is_referred_column(&self, name: &str) -> bool {
        match self.join {
            Join::Forward(key) | Join::Backward(key) => {
                matches!(key.foreign_columns.as_slice(), [column] if column == name)
            }
            Join::Through { .. } => false,
        }
    }

    fn candidate(&self, origin: &Table) -> Candidate {
        let columns = |table: &str, columns: &[String]| format!("{table}({})", columns.join(", "));
        let (relationship, hint) = match self.join {
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
    match hint {
        // The key's column reaches the parent; the table's name the children.
        None if itself => (forward && relation.is_key_column(target)) || (named && !forward),
        None => {
            named || relation.is_constraint(target) || (forward && relation.is_key_column(target))
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

/// Every relation from a table to tables of the exposed schema.
fn relations<'a>(planner: &Planner<'a>, origin: &'a Table) -> Vec<Relation<'a>> {
    let mut relations = Vec::new();
    for key in &origin.foreign_keys {
        if let Some(table) = referred(planner, key) {
            let cardinality = if is_unique(origin, key) {
                Cardinality::OneToOne
            } else {
                Cardinality::ManyToOne
            };
            relations.push(Relation {
                cardinality,
                table,
                join: Join::Forward(key),
            });
        }
    }
    for table in planner.exposed_tables() {
        for key in table
            .foreign_keys
            .iter()
            .filter(|key| refers_to(key, origin))
        {
            let cardinality = if is_unique(table, key) {
                Cardinality::OneToOne
            } else {
                Cardinality::OneToMany
            };
            relations.push(Relation {
                cardinality,
                table,
                join: Join::Backward(key),
            });
        }
    }
    for junction in planner
        .catalog
        .tables
        .values()
        .filter(|table| planner.reachable(table))
    {
        for near in junction
            .foreign_keys
            .iter()
            .filter(|key| refers_to(key, origin))
        {
            for far in junction
                .foreign_keys
                .iter()
                .filter(|far| far.name != near.name)
            {
                let Some(table) = referred(planner, far) else {
                    continue;
                };
                if in_primary_key(junction, near) && in_primary_key(junction, far) {
                    let join = Join::Through {
                        junction,
                        near,
                        far,
                    };
                    relations.push(Relation {
                        cardinality: Cardinality::ManyToMany,
                        table,
                        join,
                    });
                }
            }
        }
    }
    relations
}

fn referred<'a>(planner: &Planner<'a>, key: &ForeignKey) -> Option<&'a Arc<Table>> {
    planner
        .catalog
        .table(&key.foreign_schema, &key.foreign_table)
        .filter(|table| table.schema == planner.schema && planner.reachable(table))
}

fn refers_to(key: &ForeignKey, table: &Table) -> bool {
    key.foreign_table == table.name && key.foreign_schema == table.schema
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
