//! Columns come, go and change what they demand.

use super::column;
use crate::catalog::Table;
use crate::error::SqlError;
use crate::lower::fold;
use crate::migrate::Migration;
use crate::migrate::reference::{depended_on, mentions, refers, shown};
use crate::trouble::{Result, Trouble};
use sqlparser::ast::{self, AlterColumnOperation as Operation};

impl Migration {
    pub(super) fn add_column(
        &mut self,
        table: &Table,
        definition: &ast::ColumnDef,
        if_not_exists: bool,
    ) -> Result<()> {
        let name = fold(&definition.name);
        if table.column(&name).is_some() {
            return if if_not_exists {
                Ok(())
            } else {
                Err(Trouble::sql(
                    "42701",
                    format!(
                        "column \"{name}\" of relation \"{}\" already exists",
                        table.name
                    ),
                ))
            };
        }
        let mut changed = table.clone();
        let later = self.column(&mut changed, definition)?;
        self.finish_columns(&mut changed, later)?;
        self.rebuild(table, changed)
    }

    pub(in crate::migrate) fn drop_column(
        &mut self,
        table: &Table,
        name: &str,
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        if table.column(name).is_none() && if_exists {
            return Ok(());
        }
        column(table, name)?;
        if table.columns.len() == 1 {
            return Err(Trouble::unsupported(
                format!("table {} without columns", table.name),
                "drop the table",
            ));
        }
        let what = format!("column {name} of table {}", table.file_name());
        let generated: Vec<String> = table
            .columns
            .iter()
            .filter(|column| {
                column
                    .generated
                    .as_ref()
                    .is_some_and(|expr| mentions(expr, name))
            })
            .map(|column| column.name.clone())
            .collect();
        let policies = self.policies_on(table, name);
        // A key of the table itself goes with its columns.
        let keys: Vec<_> = self
            .referring(table)
            .into_iter()
            .filter(|(other, key)| {
                key.foreign_columns.iter().any(|column| column == name)
                    && (other.name != table.name
                        || other.schema != table.schema
                        || key.columns.iter().all(|column| column != name))
            })
            .collect();
        let mut by: Vec<String> = generated
            .iter()
            .map(|other| {
                format!(
                    "column {other} of table {} depends on {what}",
                    table.file_name()
                )
            })
            .collect();
        let views = self.views_on(table, name);
        by.extend(
            views
                .iter()
                .map(|view| format!("view {} depends on {what}", view.file_name())),
        );
        by.extend(policies.iter().map(|(key, policy)| {
            format!("policy {policy} on table {} depends on {what}", shown(key))
        }));
        by.extend(keys.iter().map(|(other, key)| {
            format!(
                "constraint {} on table {} depends on {what}",
                key.name,
                other.file_name()
            )
        }));
        if !by.is_empty() && !cascade {
            return Err(depended_on(&what, &by));
        }
        for view in &views {
            self.drop_readers(view, true)?;
            self.catalog
                .tables
                .remove(&(view.schema.clone(), view.name.clone()));
        }
        self.drop_foreign_keys(&keys)?;
        self.drop_policies(&policies);
        let gone: Vec<&str> = generated.iter().map(String::as_str).chain([name]).collect();
        let Some(table) = self.catalog.table(&table.schema, &table.name).cloned() else {
            return Ok(());
        };
        let mut changed = (*table).clone();
        for name in &gone {
            without(&mut changed, name);
        }
        self.rebuild(&table, changed)?;
        for name in gone {
            self.forget_owned(&table.schema, &table.name, Some(name));
        }
        Ok(())
    }

    pub(super) fn drop_expression(
        &mut self,
        table: &Table,
        name: &str,
        if_exists: bool,
    ) -> Result<()> {
        let at = column(table, name)?;
        if table.columns[at].generated.is_none() {
            return if if_exists {
                Ok(())
            } else {
                Err(Trouble::sql(
                    "55000",
                    format!(
                        "column \"{name}\" of relation \"{}\" is not a stored generated column",
                        table.name
                    ),
                ))
            };
        }
        let mut changed = table.clone();
        changed.columns[at].generated = None;
        self.rebuild(table, changed)
    }

    pub(super) fn alter_column(
        &mut self,
        table: &Table,
        name: &str,
        operation: &Operation,
    ) -> Result<()> {
        let at = column(table, name)?;
        let known = &table.columns[at];
        let mut changed = table.clone();
        match operation {
            Operation::SetDefault { .. } | Operation::DropDefault
                if known.identity.is_some() || known.generated.is_some() =>
            {
                let (kind, way) = if known.identity.is_some() {
                    ("an identity", "IDENTITY")
                } else {
                    ("a generated", "EXPRESSION")
                };
                let error = SqlError::new(
                    "42601",
                    format!(
                        "column \"{name}\" of relation \"{}\" is {kind} column",
                        table.name
                    ),
                );
                return Err(match operation {
                    Operation::DropDefault => error.hint(format!(
                        "Use ALTER TABLE ... ALTER COLUMN ... DROP {way} instead."
                    )),
                    _ => error,
                }
                .into());
            }
            Operation::SetDefault { value } => {
                let default = self.default(value, &known.ty)?;
                // `default null` is none.
                changed.columns[at].default = Some(default);
                self.put(changed);
            }
            Operation::DropDefault => {
                changed.columns[at].default = None;
                self.put(changed);
            }
            Operation::SetNotNull => {
                changed.columns[at].not_null = true;
                if changed != *table {
                    self.rebuild(table, changed)?;
                }
            }
            Operation::DropNotNull => {
                let keyed = table
                    .primary_key
                    .as_ref()
                    .is_some_and(|key| key.columns.iter().any(|column| column == name));
                if keyed {
                    return Err(Trouble::sql(
                        "42P16",
                        format!("column \"{name}\" is in a primary key"),
                    ));
                }
                if known.identity.is_some() {
                    return Err(Trouble::sql(
                        "42601",
                        format!(
                            "column \"{name}\" of relation \"{}\" is an identity column",
                            table.name
                        ),
                    ));
                }
                changed.columns[at].not_null = false;
                if changed != *table {
                    self.rebuild(table, changed)?;
                }
            }
            Operation::SetDataType {
                data_type, using, ..
            } => self.alter_type(table, at, data_type, using.as_ref())?,
            Operation::AddGenerated {
                generated_as,
                sequence_options,
            } => {
                let always = matches!(generated_as, Some(ast::GeneratedAs::Always));
                let options = sequence_options.as_deref().unwrap_or_default();
                self.add_identity(table, name, always, options)?;
            }
            other => {
                return Err(Trouble::unsupported(
                    format!("alter column {name} {other}"),
                    "leave it out, or keep it for Postgres",
                ));
            }
        }
        Ok(())
    }
}

/// Takes a column out of a table, with the constraints and indexes that name it.
fn without(table: &mut Table, name: &str) {
    let itself = table.clone();
    table.columns.retain(|column| column.name != name);
    table.privileges.drop_column(name);
    table.primary_key = table
        .primary_key
        .take()
        .filter(|key| key.columns.iter().all(|column| column != name));
    table
        .uniques
        .retain(|key| key.columns.iter().all(|column| column != name));
    table.foreign_keys.retain(|key| {
        let own = refers(key, &itself) && key.foreign_columns.iter().any(|column| column == name);
        !own && key.columns.iter().all(|column| column != name)
    });
    table.checks.retain(|check| !mentions(&check.expr, name));
    table.indexes.retain(|index| {
        !index
            .parts
            .iter()
            .map(|part| &part.expr)
            .chain(&index.predicate)
            .any(|expr| mentions(expr, name))
    });
}
