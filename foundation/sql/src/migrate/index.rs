//! `create index`, `drop index`.

use super::{Migration, identifier, named};
use crate::catalog::{Index, IndexPart, Table};
use crate::ddl;
use crate::lower::{Lowering, fold, object};
use crate::render::is_immutable;
use crate::trouble::{Result, Trouble};
use sqlparser::ast;

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
