//! `create table`, `drop table` and constraints of tables.

use super::column::{Later, given_name, immediate, nulls_equal};
use super::reference::{depended_on, shown};
use super::{Migration, advice, named};
use crate::catalog::{Catalog, Key, Table};
use crate::error::SqlError;
use crate::lower::fold;
use crate::privilege::Kind;
use crate::trouble::{Result, Trouble};
use sqlparser::ast;

impl Migration {
    pub(super) fn create_table(&mut self, create: &ast::CreateTable) -> Result<()> {
        let (schema, name) = named(&create.name)?;
        let refused = |what: &str, advice: &str| {
            Err(Trouble::unsupported(
                format!("create table {name} .. {what}"),
                advice,
            ))
        };
        if create.query.is_some() || create.like.is_some() || create.clone.is_some() {
            return refused(
                "as or like",
                "list the columns, and fill it by insert into .. select",
            );
        }
        if create.partition_by.is_some() || create.partition_of.is_some() {
            return refused("partition", advice::ONE_TABLE);
        }
        if create.inherits.is_some() {
            return refused(
                "inherits",
                "list the columns, or refer to the other table by a foreign key",
            );
        }
        self.known_schema(&schema)?;
        if self.relation_exists(&schema, &name, None) {
            if create.if_not_exists {
                return Ok(());
            }
            return Err(
                SqlError::new("42P07", format!("relation \"{name}\" already exists"))
                    .hint("choose another name, or write if not exists")
                    .into(),
            );
        }
        // Names that differ by their case alone are one name in the file.
        let file_name = Catalog::file_name(&schema, &name);
        let alike = self
            .catalog
            .tables
            .values()
            .find(|table| table.file_name().eq_ignore_ascii_case(&file_name));
        if let Some(alike) = alike {
            return Err(Trouble::unsupported(
                format!("table {name} beside table {}", alike.name),
                "choose names that differ by more than their case",
            ));
        }
        let mut table = self.new_table(schema, name);
        let mut later = Vec::new();
        for column in &create.columns {
            later.extend(self.column(&mut table, column)?);
        }
        if table.columns.is_empty() {
            return Err(Trouble::unsupported(
                format!("table {} without columns", table.name),
                "give it a column",
            ));
        }
        for constraint in &create.constraints {
            if let ast::TableConstraint::Check(check) = constraint {
                let name = given_name(&table, check.name.as_ref())?;
                later.push(Later::Check(name, (*check.expr).clone()));
            } else {
                self.constraint(&mut table, constraint)?;
            }
        }
        self.finish_columns(&mut table, later)?;
        self.create(table)
    }

    /// A table or view without anything in it yet.
    pub(super) fn new_table(&self, schema: String, name: String) -> Table {
        Table {
            privileges: self.catalog.initial_privileges(&schema, Kind::Table),
            schema,
            name,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            // Closed from its creation: no policy, no rows.
            rls_enabled: true,
            policies: Vec::new(),
            triggers: Vec::new(),
            comment: None,
            view: None,
        }
    }

    /// Adds a constraint of `create table` or `add constraint`.
    pub(super) fn constraint(
        &self,
        table: &mut Table,
        constraint: &ast::TableConstraint,
    ) -> Result<()> {
        match constraint {
            ast::TableConstraint::PrimaryKey(key) => {
                immediate(key.characteristics.as_ref(), "primary key")?;
                let name = given_name(table, key.name.as_ref())?;
                let columns = plain_columns(&key.columns)?;
                self.primary_key(table, name, columns)
            }
            ast::TableConstraint::Unique(unique) => {
                immediate(unique.characteristics.as_ref(), "unique")?;
                let columns = plain_columns(&unique.columns)?;
                for column in &columns {
                    if table.column(column).is_none() {
                        return Err(Trouble::sql(
                            "42703",
                            format!("column \"{column}\" named in key does not exist"),
                        ));
                    }
                }
                let name = given_name(table, unique.name.as_ref())?
                    .unwrap_or_else(|| self.key_name(table, &columns, "key"));
                table.uniques.push(Key {
                    name,
                    columns,
                    nulls_equal: nulls_equal(unique.nulls_distinct),
                });
                Ok(())
            }
            ast::TableConstraint::ForeignKey(foreign) => {
                let name = given_name(table, foreign.name.as_ref())?;
                let columns = foreign.columns.iter().map(fold).collect();
                self.foreign_key(table, name, columns, foreign)
            }
            ast::TableConstraint::Check(check) => {
                let name = given_name(table, check.name.as_ref())?;
                self.check(table, name, &check.expr)
            }
            exclude @ ast::TableConstraint::Exclude(_) => Err(Trouble::unsupported(
                exclude.to_string(),
                "let slots have a fixed start and make them unique, or refuse overlaps in a restrictive policy: with check (not exists (select ..))",
            )),
            other => Err(Trouble::unsupported(
                other.to_string(),
                "use primary key, unique, foreign key or check",
            )),
        }
    }

    pub(super) fn drop_table(
        &mut self,
        name: &ast::ObjectName,
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        let key = named(name)?;
        let Some(table) = self.catalog.tables.get(&key).cloned() else {
            return if if_exists {
                Ok(())
            } else {
                Err(
                    SqlError::new("42P01", format!("table \"{name}\" does not exist"))
                        .hint("check the name, or write if exists")
                        .into(),
                )
            };
        };
        if table.view.is_some() {
            return Err(Trouble::invalid(
                name.to_string(),
                format!("\"{name}\" is not a table"),
                "write drop view",
            )
            .state("42809"));
        }
        self.drop_readers(&table, cascade)?;
        let keys: Vec<_> = self
            .referring(&table)
            .into_iter()
            .filter(|(other, _)| other.name != table.name || other.schema != table.schema)
            .collect();
        let policies = self.policies_about(&table);
        let what = format!("table {}", table.file_name());
        let mut by: Vec<String> = keys
            .iter()
            .map(|(other, foreign)| {
                format!(
                    "constraint {} on table {} depends on {what}",
                    foreign.name,
                    other.file_name()
                )
            })
            .collect();
        by.extend(policies.iter().map(|(other, policy)| {
            format!(
                "policy {policy} on table {} depends on {what}",
                shown(other)
            )
        }));
        if !by.is_empty() && !cascade {
            return Err(depended_on(&what, &by));
        }
        self.drop_foreign_keys(&keys)?;
        self.drop_policies(&policies);
        self.catalog.tables.remove(&key);
        self.catalog.published.retain(|known| *known != key);
        self.drop_from_file(&table);
        self.move_comments(&key, None);
        self.forget_owned(&key.0, &key.1, None);
        Ok(())
    }

    /// The policies of other tables that ask the table.
    fn policies_about(&self, table: &Table) -> Vec<((String, String), String)> {
        let mut found = Vec::new();
        for (key, other) in &self.catalog.tables {
            if other.name == table.name && other.schema == table.schema {
                continue;
            }
            for policy in &other.policies {
                let mut asks = false;
                for expr in policy.using.iter().chain(&policy.check) {
                    let mut expr = expr.clone();
                    expr.walk_mut(&mut Vec::new(), &mut |scope, _| {
                        asks |= scope
                            .iter()
                            .flatten()
                            .any(|(schema, name)| *schema == table.schema && *name == table.name);
                    });
                }
                if asks {
                    found.push((key.clone(), policy.name.clone()));
                }
            }
        }
        found
    }
}

/// Columns of a key: names without order or operator class.
pub(super) fn plain_columns(columns: &[ast::IndexColumn]) -> Result<Vec<String>> {
    columns
        .iter()
        .map(|column| match &column.column.expr {
            ast::Expr::Identifier(name) if column.operator_class.is_none() => Ok(fold(name)),
            other => Err(Trouble::unsupported(other.to_string(), "name a column")),
        })
        .collect()
}
