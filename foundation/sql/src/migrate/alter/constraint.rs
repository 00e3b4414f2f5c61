//! Constraints come, go and are told to hold for the rows there are.

use crate::catalog::{Key, Table};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::lower::fold;
use crate::migrate::Migration;
use crate::migrate::column::given_name;
use crate::migrate::name::constrained;
use crate::migrate::reference::depended_on;
use crate::trouble::{Result, Trouble};
use sqlparser::ast::{self, TableConstraint as Constraint};
use sqlparser::tokenizer::Token;

fn missing(table: &Table, name: &str) -> Trouble {
    Trouble::sql(
        "42704",
        format!(
            "constraint \"{name}\" of relation \"{}\" does not exist",
            table.name
        ),
    )
}

impl Migration {
    pub(super) fn add_constraint(
        &mut self,
        table: &Table,
        constraint: &Constraint,
        not_valid: bool,
    ) -> Result<()> {
        let mut changed = table.clone();
        match constraint {
            Constraint::UniqueUsingIndex(using) => self.key_of_index(&mut changed, using, false)?,
            Constraint::PrimaryKeyUsingIndex(using) => {
                self.key_of_index(&mut changed, using, true)?;
            }
            other => self.constraint(&mut changed, other)?,
        }
        if not_valid {
            let new_checks = changed.checks.len() > table.checks.len();
            let new_keys = changed.foreign_keys.len() > table.foreign_keys.len();
            match (changed.checks.last_mut(), changed.foreign_keys.last_mut()) {
                (Some(check), _) if new_checks => check.validated = false,
                (_, Some(key)) if new_keys => key.validated = false,
                _ => {
                    return Err(Trouble::sql(
                        "0A000",
                        "UNIQUE and PRIMARY KEY constraints cannot be marked NOT VALID",
                    ));
                }
            }
        }
        self.rebuild(table, changed)
    }

    /// `unique using index`, `primary key using index`: the index takes the constraint's name.
    fn key_of_index(
        &self,
        table: &mut Table,
        using: &ast::ConstraintUsingIndex,
        primary: bool,
    ) -> Result<()> {
        let name = fold(&using.index_name);
        let Some(at) = table.indexes.iter().position(|index| index.name == name) else {
            return Err(Trouble::sql(
                "42704",
                format!("index \"{name}\" does not exist"),
            ));
        };
        let index = table.indexes[at].clone();
        let refused = |what: String| -> Trouble {
            SqlError::new("42809", what)
                .detail("Cannot create a primary key or unique constraint using such an index.")
                .into()
        };
        if !index.unique {
            return Err(refused(format!("\"{name}\" is not a unique index")));
        }
        if index.predicate.is_some() {
            return Err(refused(format!("\"{name}\" is a partial index")));
        }
        let mut columns = Vec::new();
        for part in &index.parts {
            match &part.expr {
                Expr::Column { name, .. } => columns.push(name.clone()),
                _ => return Err(refused(format!("index \"{name}\" contains expressions"))),
            }
        }
        if let Some(deferrable) = &using.characteristics
            && deferrable.deferrable == Some(true)
        {
            return Err(Trouble::unsupported(
                "deferrable unique",
                "leave out deferrable",
            ));
        }
        table.indexes.remove(at);
        let given = given_name(table, using.name.as_ref())?.unwrap_or(name);
        if primary {
            self.primary_key(table, Some(given), columns)
        } else {
            table.uniques.push(Key {
                name: given,
                columns,
                nulls_equal: index.nulls_equal,
            });
            Ok(())
        }
    }

    pub(super) fn drop_constraint(
        &mut self,
        table: &Table,
        name: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        if !constrained(table, name) {
            return if if_exists {
                Ok(())
            } else {
                Err(missing(table, name))
            };
        }
        let keys = table.primary_key.iter().chain(&table.uniques);
        let key = keys.into_iter().find(|key| key.name == name);
        let referring: Vec<_> = match key {
            None => Vec::new(),
            Some(key) => self
                .referring(table)
                .into_iter()
                .filter(|(_, foreign)| {
                    foreign.foreign_columns.len() == key.columns.len()
                        && foreign
                            .foreign_columns
                            .iter()
                            .all(|column| key.columns.contains(column))
                        && !other_key(table, name, &foreign.foreign_columns)
                })
                .collect(),
        };
        if !referring.is_empty() && !cascade {
            let by: Vec<String> = referring
                .iter()
                .map(|(other, foreign)| {
                    format!(
                        "constraint {} on table {} depends on index {name}",
                        foreign.name,
                        other.file_name()
                    )
                })
                .collect();
            let what = format!("constraint {name} on table {}", table.file_name());
            return Err(depended_on(&what, &by));
        }
        self.drop_foreign_keys(&referring)?;
        let Some(table) = self.catalog.table(&table.schema, &table.name).cloned() else {
            return Ok(());
        };
        let mut changed = (*table).clone();
        changed.primary_key = changed.primary_key.filter(|key| key.name != name);
        changed.uniques.retain(|key| key.name != name);
        changed.checks.retain(|check| check.name != name);
        changed.foreign_keys.retain(|key| key.name != name);
        self.rebuild(&table, changed)
    }

    pub(super) fn validate_constraint(&mut self, table: &Table, name: &str) -> Result<()> {
        let mut changed = table.clone();
        let check = changed.checks.iter_mut().find(|check| check.name == name);
        let key = changed.foreign_keys.iter_mut().find(|key| key.name == name);
        match (check, key) {
            (Some(check), _) => check.validated = true,
            (_, Some(key)) => key.validated = true,
            _ if constrained(table, name) => {
                return Err(Trouble::sql(
                    "42809",
                    format!(
                        "constraint \"{name}\" of relation \"{}\" is not a foreign key or check constraint",
                        table.name
                    ),
                ));
            }
            _ => return Err(missing(table, name)),
        }
        if changed != *table {
            self.rebuild(table, changed)?;
        }
        Ok(())
    }

    /// `alter constraint .. [not] deferrable [initially ..]`
    pub(super) fn alter_constraint(
        &mut self,
        table: &Table,
        name: &str,
        words: &[Token],
    ) -> Result<()> {
        let mut changed = table.clone();
        let Some(key) = changed.foreign_keys.iter_mut().find(|key| key.name == name) else {
            return Err(if constrained(table, name) {
                Trouble::sql(
                    "42809",
                    format!(
                        "constraint \"{name}\" of relation \"{}\" is not a foreign key constraint",
                        table.name
                    ),
                )
            } else {
                missing(table, name)
            });
        };
        let words: Vec<String> = words
            .iter()
            .map(|word| word.to_string().to_lowercase())
            .collect();
        let has = |word: &str| words.iter().any(|known| known == word);
        key.deferred = has("deferred");
        key.deferrable = (has("deferrable") && !has("not")) || key.deferred;
        self.rebuild(table, changed)
    }
}

/// Whether another key of the table serves the columns as well.
fn other_key(table: &Table, name: &str, columns: &[String]) -> bool {
    table.primary_key.iter().chain(&table.uniques).any(|key| {
        key.name != name
            && key.columns.len() == columns.len()
            && key.columns.iter().all(|column| columns.contains(column))
    })
}
