//! Data statements of migrations and seeds: `insert .. values`, `update`, `delete`. They run as the owner of the tables, past their
//! policies.

use super::{Migration, named};
use crate::catalog::Table;
use crate::expr::Expr;
use crate::lower::{Lowering, fold, object};
use crate::render::{Scope, render_expr};
use crate::statement::Statement;
use crate::trouble::{Result, Trouble};
use pando_kernel::Role;
use sqlparser::ast;

/// Rows in one SQLite statement: parameters are limited.
const ROWS: usize = 100;

impl Migration {
    pub(super) fn insert(&mut self, insert: &ast::Insert) -> Result<()> {
        let refused = |what: &str, advice: &str| {
            Err(Trouble::unsupported(format!("insert .. {what}"), advice))
        };
        let ast::TableObject::TableName(name) = &insert.table else {
            return refused("into a function", "insert into a table");
        };
        let table = self.table(name)?;
        named(name)?;
        if insert.returning.is_some() || insert.overriding.is_some() || insert.table_alias.is_some()
        {
            return refused("returning, overriding or alias", "leave it out");
        }
        let ignore = match &insert.on {
            None => None,
            Some(ast::OnInsert::OnConflict(conflict))
                if matches!(conflict.action, ast::OnConflictAction::DoNothing) =>
            {
                Some(conflict_columns(&table, conflict.conflict_target.as_ref())?)
            }
            Some(_) => {
                return refused(
                    "on conflict do update",
                    "delete the rows first, or write on conflict do nothing",
                );
            }
        };
        let Some(source) = insert.source.as_deref() else {
            return refused("default values", "write values (..)");
        };
        let ast::SetExpr::Values(values) = source.body.as_ref() else {
            return refused("select", "write values (..)");
        };
        let mut columns = Vec::new();
        for column in &insert.columns {
            match object(column) {
                Some((None, name)) if table.column(&name).is_some() => columns.push(name),
                _ => {
                    return Err(Trouble::invalid(
                        column.to_string(),
                        format!(
                            "column \"{column}\" of relation \"{}\" does not exist",
                            table.name
                        ),
                        "check the name",
                    ));
                }
            }
        }
        if columns.is_empty() {
            columns = table
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect();
        }
        let filled: Vec<String> = table
            .columns
            .iter()
            .filter(|column| column.default.is_some() && !columns.contains(&column.name))
            .map(|column| column.name.clone())
            .collect();
        let rows: Vec<&Vec<ast::Expr>> = values.rows.iter().map(|row| &row.content).collect();
        for chunk in rows.chunks(ROWS) {
            let mut out = Statement::new();
            out.push("INSERT INTO ")
                .ident(&table.file_name())
                .push(" (");
            for (index, name) in columns.iter().chain(&filled).enumerate() {
                out.push(if index > 0 { ", " } else { "" }).ident(name);
            }
            out.push(") VALUES ");
            for (index, row) in chunk.iter().enumerate() {
                out.push(if index > 0 { ", (" } else { "(" });
                self.row(&table, &columns, &filled, row, &mut out)?;
                out.push(")");
            }
            if let Some(columns) = &ignore {
                out.push(" ON CONFLICT ");
                for (index, name) in columns.iter().enumerate() {
                    out.push(if index > 0 { ", " } else { "(" }).ident(name);
                }
                out.push(if columns.is_empty() {
                    "DO NOTHING"
                } else {
                    ") DO NOTHING"
                });
            }
            self.step(out);
        }
        Ok(())
    }

    fn row(
        &self,
        table: &Table,
        columns: &[String],
        filled: &[String],
        row: &[ast::Expr],
        out: &mut Statement,
    ) -> Result<()> {
        if row.len() > columns.len() {
            return Err(Trouble::invalid(
                table.name.clone(),
                "INSERT has more expressions than target columns",
                "drop the extra value",
            ));
        }
        if row.len() < columns.len() {
            return Err(Trouble::invalid(
                table.name.clone(),
                "INSERT has more target columns than expressions",
                "add the missing value",
            ));
        }
        let scope = Scope::default();
        let default = |name: &str| {
            table
                .column(name)
                .and_then(|column| column.default.as_ref())
        };
        for (index, (name, expr)) in columns.iter().zip(row).enumerate() {
            out.push(if index > 0 { ", " } else { "" });
            let is_default = matches!(expr, ast::Expr::Identifier(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("default"));
            match table.column(name) {
                Some(_) if is_default => match default(name) {
                    Some(expr) => render_expr(&self.catalog, Role::Service, expr, &scope, out)?,
                    None => {
                        out.push("NULL");
                    }
                },
                Some(column) => {
                    let value = Lowering::bare(&self.catalog).assigned(expr, &column.ty)?;
                    render_expr(&self.catalog, Role::Service, &value, &scope, out)?;
                }
                None => {}
            }
        }
        for name in filled {
            out.push(", ");
            if let Some(expr) = default(name) {
                render_expr(&self.catalog, Role::Service, expr, &scope, out)?;
            }
        }
        Ok(())
    }

    pub(super) fn update(&mut self, update: &ast::Update) -> Result<()> {
        let refused =
            || Trouble::unsupported(update.to_string(), "write update <table> set .. where ..");
        let ast::TableFactor::Table {
            name, alias: None, ..
        } = &update.table.relation
        else {
            return Err(refused());
        };
        if !update.table.joins.is_empty() || update.from.is_some() || update.returning.is_some() {
            return Err(refused());
        }
        let table = self.table(name)?;
        let scope = Scope::over("t");
        let mut out = Statement::new();
        out.push("UPDATE ")
            .ident(&table.file_name())
            .push(" AS t SET ");
        for (index, assignment) in update.assignments.iter().enumerate() {
            let ast::AssignmentTarget::ColumnName(target) = &assignment.target else {
                return Err(refused());
            };
            let Some((None, target)) = object(target) else {
                return Err(refused());
            };
            let Some(column) = table.column(&target) else {
                return Err(Trouble::invalid(
                    target.clone(),
                    format!(
                        "column \"{target}\" of relation \"{}\" does not exist",
                        table.name
                    ),
                    "check the name",
                ));
            };
            out.push(if index > 0 { ", " } else { "" })
                .ident(&target)
                .push(" = ");
            let value =
                Lowering::over(&self.catalog, &table).assigned(&assignment.value, &column.ty)?;
            render_expr(&self.catalog, Role::Service, &value, &scope, &mut out)?;
        }
        self.selection(&table, update.selection.as_ref(), &mut out)?;
        self.step(out);
        Ok(())
    }

    pub(super) fn delete(&mut self, delete: &ast::Delete) -> Result<()> {
        let refused =
            || Trouble::unsupported(delete.to_string(), "write delete from <table> where ..");
        let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) =
            &delete.from;
        let [from] = &from[..] else {
            return Err(refused());
        };
        let ast::TableFactor::Table {
            name, alias: None, ..
        } = &from.relation
        else {
            return Err(refused());
        };
        if !from.joins.is_empty() || delete.using.is_some() || delete.returning.is_some() {
            return Err(refused());
        }
        let table = self.table(name)?;
        let mut out = Statement::new();
        out.push("DELETE FROM ")
            .ident(&table.file_name())
            .push(" AS t");
        self.selection(&table, delete.selection.as_ref(), &mut out)?;
        self.step(out);
        Ok(())
    }

    fn selection(
        &self,
        table: &Table,
        selection: Option<&ast::Expr>,
        out: &mut Statement,
    ) -> Result<()> {
        let Some(selection) = selection else {
            return Ok(());
        };
        let filter: Expr = Lowering::over(&self.catalog, table).condition(selection)?;
        out.push(" WHERE ");
        render_expr(
            &self.catalog,
            Role::Service,
            &filter,
            &Scope::over("t"),
            out,
        )?;
        Ok(())
    }
}

/// The columns whose conflict is passed over; none for any conflict.
fn conflict_columns(table: &Table, target: Option<&ast::ConflictTarget>) -> Result<Vec<String>> {
    let keys = || table.primary_key.iter().chain(&table.uniques);
    match target {
        None => Ok(Vec::new()),
        Some(ast::ConflictTarget::Columns {
            columns,
            predicate: None,
        }) => {
            let columns: Vec<String> = columns.iter().map(fold).collect();
            let known = keys().any(|key| {
                key.columns.len() == columns.len()
                    && key.columns.iter().all(|name| columns.contains(name))
            });
            if known {
                Ok(columns)
            } else {
                Err(Trouble::invalid(
                    columns.join(", "),
                    "there is no unique or exclusion constraint matching the ON CONFLICT specification",
                    "name the columns of the primary key or of a unique constraint",
                ))
            }
        }
        Some(target @ ast::ConflictTarget::Columns { .. }) => Err(Trouble::unsupported(
            target.to_string(),
            "leave out the condition",
        )),
        Some(ast::ConflictTarget::OnConstraint(name)) => {
            let named = object(name).map(|(_, name)| name);
            keys()
                .find(|key| Some(&key.name) == named.as_ref())
                .map(|key| key.columns.clone())
                .ok_or_else(|| {
                    Trouble::invalid(
                        name.to_string(),
                        format!(
                            "constraint \"{name}\" for table \"{}\" does not exist",
                            table.name
                        ),
                        "check the name",
                    )
                })
        }
    }
}
