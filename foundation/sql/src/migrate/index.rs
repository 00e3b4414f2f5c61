//! `create index`, `alter index`, `drop index`.

use super::comment::{dotted, is_word, pair};
use super::{Migration, Source, identifier, named};
use crate::catalog::{Index, IndexPart, Table};
use crate::ddl;
use crate::lower::{Lowering, fold, object};
use crate::render::is_immutable;
use crate::trouble::{Result, Trouble};
use sqlparser::ast;
use sqlparser::tokenizer::Token;
use std::sync::Arc;

impl Migration {
    pub(super) fn create_index(&mut self, create: &ast::CreateIndex) -> Result<()> {
        let table = self.table(&create.table_name)?;
        match &create.using {
            None | Some(ast::IndexType::BTree | ast::IndexType::Hash) => {}
            // An index over whole documents serves no plan here, and a missing index changes no answer.
            Some(other) => {
                return Err(Trouble::unsupported(
                    format!("index using {other}"),
                    "leave the index out until you run on Postgres: it changes how fast an answer is, and no answer",
                ));
            }
        }
        if create.concurrently {
            return Err(Trouble::unsupported(
                "create index concurrently",
                "leave out concurrently: a migration is one transaction, in which Postgres refuses it too",
            ));
        }
        let mut parts = Vec::new();
        let mut words = Vec::new();
        for column in &create.columns {
            if column.operator_class.is_some() {
                return Err(Trouble::unsupported(
                    column.to_string(),
                    "leave out the operator class",
                ));
            }
            let expr = Lowering::over(&self.catalog, &table).value(&column.column.expr)?;
            if !is_immutable(&self.catalog, &expr) {
                return Err(Trouble::sql(
                    "42P17",
                    "functions in index expression must be marked IMMUTABLE",
                )
                .at(crate::lower::line(&column.column.expr)));
            }
            words.push(part_name(&column.column.expr, &words));
            // Where nulls stand changes which plans use the index, and no answer.
            parts.push(IndexPart {
                expr,
                source: Some(column.column.expr.to_string()),
                descending: descending(&column.column.options),
            });
        }
        let name = match create.name.as_ref().map(object) {
            Some(Some((_, name))) => name,
            Some(None) => {
                return Err(Trouble::unsupported(
                    create.to_string(),
                    "name the index simply",
                ));
            }
            None => self.relation_name(&table, &words.join("_"), "idx"),
        };
        identifier(&name)?;
        if self.relation_exists(&table.schema, &name, None) {
            return if create.if_not_exists {
                Ok(())
            } else {
                Err(Trouble::invalid(
                    name.clone(),
                    format!("relation \"{name}\" already exists"),
                    "choose another name",
                ))
            };
        }
        let predicate = create
            .predicate
            .as_ref()
            .map(|predicate| Lowering::over(&self.catalog, &table).condition(predicate))
            .transpose()?;
        let index = Index {
            name,
            unique: create.unique,
            parts,
            predicate,
            predicate_source: create.predicate.as_ref().map(ToString::to_string),
            nulls_equal: create.nulls_distinct == Some(false),
        };
        let mut changed = (*table).clone();
        changed.indexes.push(index);
        // Rendered now, so that what can't be is refused on its line.
        ddl::indexes(&self.catalog, &changed)?;
        self.rebuild(&table, changed)
    }

    fn index(&self, schema: &str, name: &str) -> Option<&Table> {
        self.catalog
            .tables
            .values()
            .find(|table| {
                table.schema == schema && table.indexes.iter().any(|index| index.name == name)
            })
            .map(|table| &**table)
    }

    /// `alter index .. rename to ..`; the index of a constraint bears its name.
    pub(super) fn alter_index(&mut self, source: &Source) -> Result<()> {
        let mut words = source.words().skip(2).peekable();
        let is = |token: &&Token, wanted: &str| is_word(token, wanted);
        let if_exists = words.next_if(|token| is(token, "if")).is_some();
        if if_exists {
            words.next();
        }
        let key = pair(dotted(&mut words));
        let renames = words.next().is_some_and(|word| is_word(word, "rename"))
            && words.next().is_some_and(|word| is_word(word, "to"));
        let new = dotted(&mut words).pop();
        let (Some((schema, old)), true, Some(new)) = (key, renames, new) else {
            return Err(Trouble::unsupported(
                source.text(),
                "write alter index <name> rename to <name>, or leave it out",
            ));
        };
        let holds = |table: &&Arc<Table>| {
            table.schema == schema
                && (table.indexes.iter().any(|index| index.name == old)
                    || table
                        .primary_key
                        .iter()
                        .chain(&table.uniques)
                        .any(|key| key.name == old))
        };
        let Some(table) = self.catalog.tables.values().find(holds).cloned() else {
            return if if_exists {
                Ok(())
            } else {
                Err(Trouble::sql(
                    "42P01",
                    format!("relation \"{old}\" does not exist"),
                ))
            };
        };
        identifier(&new)?;
        if self.relation_exists(&schema, &new, None) {
            return Err(Trouble::sql(
                "42P07",
                format!("relation \"{new}\" already exists"),
            ));
        }
        let mut changed = (*table).clone();
        let indexes = changed.indexes.iter_mut().map(|index| &mut index.name);
        let keys = changed
            .primary_key
            .iter_mut()
            .chain(&mut changed.uniques)
            .map(|key| &mut key.name);
        for name in indexes.chain(keys).filter(|name| **name == old) {
            name.clone_from(&new);
        }
        self.rebuild(&table, changed)
    }

    pub(super) fn drop_index(&mut self, name: &ast::ObjectName, if_exists: bool) -> Result<()> {
        let (schema, plain) = named(name)?;
        let Some(table) = self.index(&schema, &plain).cloned() else {
            return if if_exists {
                Ok(())
            } else {
                Err(Trouble::invalid(
                    name.to_string(),
                    format!("index \"{name}\" does not exist"),
                    "check the name, or write if exists",
                ))
            };
        };
        let mut changed = table.clone();
        changed.indexes.retain(|index| index.name != plain);
        self.rebuild(&table, changed)
    }
}

/// The name Postgres gives a part of an index, different from those before it.
fn part_name(expr: &ast::Expr, taken: &[String]) -> String {
    fn plain(expr: &ast::Expr) -> Option<String> {
        match expr {
            ast::Expr::Nested(inner) => plain(inner),
            ast::Expr::Identifier(name) => Some(fold(name)),
            ast::Expr::CompoundIdentifier(parts) => parts.last().map(fold),
            ast::Expr::Function(function) => object(&function.name).map(|(_, name)| name),
            ast::Expr::Cast {
                expr, data_type, ..
            } => plain(expr).or_else(|| Some(data_type.to_string().to_lowercase())),
            ast::Expr::Case { .. } => Some("case".to_owned()),
            _ => None,
        }
    }
    let base = plain(expr).unwrap_or_else(|| "expr".to_owned());
    let mut name = base.clone();
    let mut number = 0;
    while taken.contains(&name) {
        number += 1;
        name = format!("{base}{number}");
    }
    name
}

/// `desc` among the options of an order.
fn descending(options: &ast::OrderByOptions) -> bool {
    options.to_string().to_lowercase().contains("desc")
}
