//! Other names, and other schemas.

use crate::catalog::Table;
use crate::migrate::name::constrained;
use crate::migrate::rebuild::key_of;
use crate::migrate::reference::{expressions, for_columns, for_query_columns, refers};
use crate::migrate::{Migration, identifier};
use crate::trouble::{Result, Trouble};
use std::sync::Arc;

/// Expressions are no longer as they were written.
fn forget_sources(table: &mut Table) {
    for check in &mut table.checks {
        check.source = None;
    }
    for index in &mut table.indexes {
        index.predicate_source = None;
        for part in &mut index.parts {
            part.source = None;
        }
    }
}

impl Migration {
    pub(super) fn rename_column(&mut self, table: &Table, old: &str, new: &str) -> Result<()> {
        identifier(new)?;
        if table.column(old).is_none() {
            return Err(Trouble::sql(
                "42703",
                format!("column \"{old}\" does not exist"),
            ));
        }
        if table.column(new).is_some() {
            return Err(Trouble::sql(
                "42701",
                format!(
                    "column \"{new}\" of relation \"{}\" already exists",
                    table.name
                ),
            ));
        }
        if !self.is_unmade(table) {
            // SQLite carries the name into indexes, checks and the foreign keys of other tables.
            let file_name = table.file_name();
            self.run(|out| {
                out.push("ALTER TABLE ")
                    .ident(&file_name)
                    .push(" RENAME COLUMN ")
                    .ident(old)
                    .push(" TO ")
                    .ident(new);
            });
        }
        self.rename_owner(|owner| {
            if owner.0 == table.schema && owner.1 == table.name && owner.2 == old {
                new.clone_into(&mut owner.2);
            }
        });
        let keys: Vec<(String, String)> = self.catalog.tables.keys().cloned().collect();
        for key in keys {
            let Some(other) = self.catalog.tables.get(&key).cloned() else {
                continue;
            };
            let mut changed = (*other).clone();
            let own = key == key_of(table);
            let rename = |name: &mut String| {
                if name == old {
                    new.clone_into(name);
                }
            };
            if own {
                changed
                    .triggers
                    .iter_mut()
                    .for_each(|trigger| trigger.rename_column(old, new));
                changed
                    .columns
                    .iter_mut()
                    .for_each(|column| rename(&mut column.name));
                changed.privileges.rename_column(old, new);
                changed
                    .primary_key
                    .iter_mut()
                    .chain(&mut changed.uniques)
                    .flat_map(|key| &mut key.columns)
                    .for_each(rename);
                changed
                    .foreign_keys
                    .iter_mut()
                    .flat_map(|key| &mut key.columns)
                    .for_each(rename);
            }
            for foreign in changed
                .foreign_keys
                .iter_mut()
                .filter(|foreign| refers(foreign, table))
            {
                foreign.foreign_columns.iter_mut().for_each(rename);
            }
            for expr in expressions(&mut changed) {
                for_columns(expr, &other, table, &mut |name| rename(name));
            }
            if let Some(view) = &mut changed.view {
                for_query_columns(&mut view.query, table, &mut |name| rename(name));
            }
            if changed != *other {
                if own {
                    forget_sources(&mut changed);
                }
                self.put(changed);
            }
        }
        Ok(())
    }

    pub(super) fn rename_table(&mut self, table: &Table, new: &str) -> Result<()> {
        identifier(new)?;
        self.move_table(table, &(table.schema.clone(), new.to_owned()))
    }

    pub(in crate::migrate) fn set_schema(&mut self, table: &Table, schema: &str) -> Result<()> {
        self.known_schema(schema)?;
        if schema == table.schema {
            return Ok(());
        }
        self.move_table(table, &(schema.to_owned(), table.name.clone()))
    }

    /// A table goes by another name, or in another schema.
    fn move_table(&mut self, table: &Table, to: &(String, String)) -> Result<()> {
        if self.relation_exists(&to.0, &to.1, None) {
            return Err(Trouble::sql(
                "42P07",
                if to.0 == table.schema {
                    format!("relation \"{}\" already exists", to.1)
                } else {
                    format!(
                        "relation \"{}\" already exists in schema \"{}\"",
                        to.1, to.0
                    )
                },
            ));
        }
        let from = key_of(table);
        let mut renamed = table.clone();
        renamed.schema.clone_from(&to.0);
        renamed.name.clone_from(&to.1);
        let unmade = self.is_unmade(table);
        if unmade {
            self.rename_unmade(&from, to.clone());
        } else {
            // SQLite carries the name into the foreign keys of other tables.
            self.run(|out| {
                out.push("ALTER TABLE ")
                    .ident(&table.file_name())
                    .push(" RENAME TO ")
                    .ident(&renamed.file_name());
            });
        }
        let moved = to.0 != from.0;
        if moved {
            // The names of indexes carry their schema.
            for (name, _) in crate::ddl::indexes(&self.catalog, table)? {
                if !unmade {
                    self.run_now(|out| {
                        out.push("DROP INDEX ").ident(&name);
                    });
                }
            }
        }
        self.catalog.tables.remove(&from);
        forget_sources(&mut renamed);
        if moved && !unmade {
            let mut bare = renamed.clone();
            bare.indexes.clear();
            bare.uniques
                .iter_mut()
                .for_each(|key| key.nulls_equal = false);
            self.put(bare.clone());
            self.rebuild(&bare, renamed)?;
        } else {
            self.put(renamed);
        }
        self.rename_owner(|owner| {
            if owner.0 == from.0 && owner.1 == from.1 {
                owner.0.clone_from(&to.0);
                owner.1.clone_from(&to.1);
            }
        });
        for published in &mut self.catalog.published {
            if *published == from {
                published.clone_from(to);
            }
        }
        for other in self.catalog.tables.values_mut() {
            let other = Arc::make_mut(other);
            for foreign in other
                .foreign_keys
                .iter_mut()
                .filter(|foreign| refers(foreign, table))
            {
                foreign.foreign_schema.clone_from(&to.0);
                foreign.foreign_table.clone_from(&to.1);
            }
            for expr in expressions(other) {
                expr.rename_sources(&from, to);
            }
        }
        self.rename_reads(&from, to);
        self.move_comments(&from, Some(to));
        if moved {
            let owned: Vec<(String, String)> = self
                .catalog
                .sequences
                .iter()
                .filter(|(key, sequence)| {
                    key.0 == from.0
                        && sequence
                            .owned_by
                            .as_ref()
                            .is_some_and(|owner| owner.0 == to.0 && owner.1 == to.1)
                })
                .map(|(key, _)| key.clone())
                .collect();
            for key in owned {
                let new = (to.0.clone(), key.1.clone());
                self.rename_sequence(&key, &new)?;
            }
        }
        Ok(())
    }

    pub(super) fn rename_constraint(&mut self, table: &Table, old: &str, new: &str) -> Result<()> {
        identifier(new)?;
        if !constrained(table, old) {
            return Err(Trouble::sql(
                "42704",
                format!(
                    "constraint \"{old}\" for table \"{}\" does not exist",
                    table.name
                ),
            ));
        }
        if constrained(table, new) || new.starts_with("pando_") {
            return Err(Trouble::sql(
                "42710",
                format!(
                    "constraint \"{new}\" for relation \"{}\" already exists",
                    table.name
                ),
            ));
        }
        let mut changed = table.clone();
        let keys = changed
            .primary_key
            .iter_mut()
            .chain(&mut changed.uniques)
            .map(|key| &mut key.name);
        let rest = changed
            .checks
            .iter_mut()
            .map(|check| &mut check.name)
            .chain(changed.foreign_keys.iter_mut().map(|key| &mut key.name));
        for name in keys.chain(rest).filter(|name| **name == old) {
            new.clone_into(name);
        }
        self.rebuild(table, changed)
    }
}
