//! `create index`, `drop index`.

use super::{Migration, identifier, named, rendered};
use crate::catalog::{Index, IndexPart, Table};
use crate::ddl;
use crate::expr::Expr;
use crate::lower::{Lowering, object};
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
        if create.nulls_distinct == Some(false) {
            return Err(Trouble::unsupported(
                "nulls not distinct",
                "make the columns not null",
            ));
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
            words.push(if let Expr::Column { name, .. } = &expr {
                name.clone()
            } else {
                "expr".to_owned()
            });
            // Where nulls stand changes which plans use the index, and no answer.
            parts.push(IndexPart {
                expr,
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
        };
        let sql = rendered(ddl::create_index(&self.catalog, &table, &index))?;
        self.step(sql);
        let mut changed = (*table).clone();
        changed.indexes.push(index);
        self.put(changed);
        Ok(())
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
        for index in table.indexes.iter().filter(|index| index.name == plain) {
            let file_name = ddl::index_file_name(&table, index);
            self.run(|out| {
                out.push("DROP INDEX ").ident(&file_name);
            });
        }
        changed.indexes.retain(|index| index.name != plain);
        self.put(changed);
        Ok(())
    }
}

/// `desc` among the options of an order.
fn descending(options: &ast::OrderByOptions) -> bool {
    options.to_string().to_lowercase().contains("desc")
}
