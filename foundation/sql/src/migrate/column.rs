//! One column of `create table` or `add column`, with the constraints written beside it.

use super::name::constrained;
use super::sequence::Options;
use super::{Migration, identifier};
use crate::catalog::{Action, Check, Column, ForeignKey, Identity, Key, Table};
use crate::expr::Expr;
use crate::lower::{Lowering, fold, line, object};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;

pub(super) fn given_name(table: &Table, name: Option<&ast::Ident>) -> Result<Option<String>> {
    let Some(name) = name.map(fold) else {
        return Ok(None);
    };
    identifier(&name)?;
    if constrained(table, &name) || name.starts_with("pando_") {
        return Err(Trouble::invalid(
            name.clone(),
            format!(
                "constraint \"{name}\" for relation \"{}\" already exists",
                table.name
            ),
            "choose another name",
        ));
    }
    Ok(Some(name))
}

impl Migration {
    /// Adds a column to `table`, with its constraints. Checks are lowered by the caller once all columns stand: they are given back.
    pub(super) fn column(
        &mut self,
        table: &mut Table,
        definition: &ast::ColumnDef,
    ) -> Result<Vec<(Option<String>, ast::Expr)>> {
        let name = fold(&definition.name);
        identifier(&name)?;
        if table.column(&name).is_some() {
            return Err(Trouble::invalid(
                name.clone(),
                format!("column \"{name}\" specified more than once"),
                "leave one out",
            )
            .at(definition.name.span.start.line));
        }
        if let Some(alike) = table
            .columns
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(&name))
        {
            return Err(Trouble::unsupported(
                format!("column {name} beside column {}", alike.name),
                "choose names that differ by more than their case",
            )
            .at(definition.name.span.start.line));
        }
        let mut checks = Vec::new();
        let lowering = Lowering::bare(&self.catalog);
        let (ty, serial) = match definition.data_type.to_string().to_lowercase().as_str() {
            "serial" | "serial4" => (Type::Int4, true),
            "bigserial" | "serial8" => (Type::Int8, true),
            "smallserial" | "serial2" => (Type::Int2, true),
            _ => (
                lowering
                    .data_type(&definition.data_type)
                    .map_err(|trouble| trouble.at(definition.name.span.start.line))?,
                false,
            ),
        };
        table.columns.push(Column {
            name: name.clone(),
            ty: ty.clone(),
            not_null: serial,
            default: None,
            identity: None,
            comment: None,
        });
        let at = table.columns.len() - 1;
        if serial {
            self.sequence_for(table, at, &Options::default())?;
        }
        let twice = |table: &Table, what: &str| {
            Trouble::sql(
                "42601",
                format!(
                    "{what} specified for column \"{name}\" of table \"{}\"",
                    table.name
                ),
            )
            .at(definition.name.span.start.line)
        };
        for option in &definition.options {
            let given = option.name.as_ref();
            match &option.option {
                ast::ColumnOption::Null => {}
                ast::ColumnOption::NotNull => table.columns[at].not_null = true,
                ast::ColumnOption::Default(expr) => {
                    if table.columns[at].identity.is_some() {
                        return Err(twice(table, "both default and identity"));
                    }
                    if table.columns[at].default.is_some() {
                        return Err(twice(table, "multiple default values"));
                    }
                    table.columns[at].default = Some(self.default(expr, &ty)?)
                }
                ast::ColumnOption::PrimaryKey(_) => {
                    let key = given_name(table, given)?;
                    self.primary_key(table, key, vec![name.clone()])?;
                }
                ast::ColumnOption::Unique(unique) => {
                    if !matches!(
                        unique.nulls_distinct,
                        ast::NullsDistinctOption::None | ast::NullsDistinctOption::Distinct
                    ) {
                        return Err(Trouble::unsupported(
                            "unique nulls not distinct",
                            "make the column not null",
                        ));
                    }
                    let key = given_name(table, given)?.unwrap_or_else(|| {
                        self.key_name(table, std::slice::from_ref(&name), "key")
                    });
                    table.uniques.push(Key {
                        name: key,
                        columns: vec![name.clone()],
                    });
                }
                ast::ColumnOption::ForeignKey(foreign) => {
                    let key = given_name(table, given)?;
                    self.foreign_key(table, key, vec![name.clone()], foreign)?;
                }
                ast::ColumnOption::Check(check) => {
                    checks.push((given_name(table, given)?, (*check.expr).clone()))
                }
                ast::ColumnOption::Generated {
                    generated_as,
                    generation_expr: None,
                    sequence_options,
                    ..
                } => {
                    if table.columns[at].identity.is_some() {
                        return Err(twice(table, "multiple identity specifications"));
                    }
                    if table.columns[at].default.is_some() {
                        return Err(twice(table, "both default and identity"));
                    }
                    if !matches!(ty, Type::Int2 | Type::Int4 | Type::Int8) {
                        return Err(Trouble::sql(
                            "22023",
                            "identity column type must be smallint, integer, or bigint",
                        ));
                    }
                    let options = sequence_options.as_deref().unwrap_or_default();
                    self.sequence_for(table, at, &Options::of_identity(options)?)?;
                    let always = matches!(generated_as, ast::GeneratedAs::Always);
                    table.columns[at].identity = Some(if always {
                        Identity::Always
                    } else {
                        Identity::ByDefault
                    });
                    table.columns[at].not_null = true;
                }
                other => {
                    return Err(Trouble::unsupported(
                        format!("column {name}: {other}"),
                        "leave it out, or keep it for Postgres",
                    )
                    .at(definition.name.span.start.line));
                }
            }
        }
        Ok(checks)
    }

    pub(super) fn default(&self, expr: &ast::Expr, ty: &Type) -> Result<Expr> {
        let lowered = Lowering::bare(&self.catalog).assigned(expr, ty)?;
        let mut query = false;
        lowered.walk(0, &mut |_, expr| {
            query |= matches!(
                expr,
                Expr::Exists(_) | Expr::Scalar(_) | Expr::InQuery { .. }
            )
        });
        if query {
            return Err(Trouble::invalid(
                expr.to_string(),
                "cannot use subquery in DEFAULT expression",
                "set the value in the app",
            )
            .at(line(expr)));
        }
        Ok(lowered)
    }

    pub(super) fn primary_key(
        &self,
        table: &mut Table,
        name: Option<String>,
        columns: Vec<String>,
    ) -> Result<()> {
        if table.primary_key.is_some() {
            return Err(Trouble::invalid(
                table.name.clone(),
                format!(
                    "multiple primary keys for table \"{}\" are not allowed",
                    table.name
                ),
                "keep one",
            ));
        }
        for column in &columns {
            let Some(column) = table.columns.iter_mut().find(|known| known.name == *column) else {
                return Err(Trouble::invalid(
                    column.clone(),
                    format!("column \"{column}\" named in key does not exist"),
                    "check the name",
                ));
            };
            column.not_null = true;
        }
        let name = name.unwrap_or_else(|| self.key_name(table, &[], "pkey"));
        table.primary_key = Some(Key { name, columns });
        Ok(())
    }

    pub(super) fn foreign_key(
        &self,
        table: &mut Table,
        name: Option<String>,
        columns: Vec<String>,
        foreign: &ast::ForeignKeyConstraint,
    ) -> Result<()> {
        if foreign.match_kind.is_some()
            && foreign.match_kind != Some(ast::ConstraintReferenceMatchKind::Simple)
        {
            return Err(Trouble::unsupported(
                "match full or partial",
                "make the columns not null",
            ));
        }
        if foreign
            .characteristics
            .as_ref()
            .is_some_and(|kind| kind.deferrable == Some(true) || kind.initially.is_some())
        {
            return Err(Trouble::unsupported(
                "deferrable constraint",
                "insert the referenced row first",
            ));
        }
        for column in &columns {
            if table.column(column).is_none() {
                return Err(Trouble::invalid(
                    column.clone(),
                    format!(
                        "column \"{column}\" referenced in foreign key constraint does not exist"
                    ),
                    "check the name",
                ));
            }
        }
        let own = object(&foreign.foreign_table).is_some_and(|(schema, name)| {
            name == table.name && schema.is_none_or(|schema| schema == table.schema)
        });
        let target = if own {
            std::sync::Arc::new(table.clone())
        } else {
            self.table(&foreign.foreign_table)?
        };
        let foreign_columns: Vec<String> = if foreign.referred_columns.is_empty() {
            target
                .primary_key
                .as_ref()
                .map(|key| key.columns.clone())
                .unwrap_or_default()
        } else {
            foreign.referred_columns.iter().map(fold).collect()
        };
        let unique = target.primary_key.iter().chain(&target.uniques).any(|key| {
            let mut left = key.columns.clone();
            let mut right = foreign_columns.clone();
            left.sort_unstable();
            right.sort_unstable();
            left == right
        });
        if !unique || foreign_columns.len() != columns.len() {
            return Err(Trouble::invalid(
                foreign.to_string(),
                format!(
                    "there is no unique constraint matching given keys for referenced table \"{}\"",
                    target.name
                ),
                "refer to its primary key, or make the columns unique",
            ));
        }
        for (mine, theirs) in columns.iter().zip(&foreign_columns) {
            let (Some(mine), Some(theirs)) = (table.column(mine), target.column(theirs)) else {
                continue;
            };
            if !crate::lower::same(&mine.ty, &theirs.ty) {
                return Err(Trouble::invalid(
                    mine.name.clone(),
                    format!(
                        "key columns \"{}\" and \"{}\" are of incompatible types: {} and {}",
                        mine.name,
                        theirs.name,
                        mine.ty.name(),
                        theirs.ty.name()
                    ),
                    "give both one type",
                ));
            }
        }
        let name = name.unwrap_or_else(|| self.constraint_name(table, &columns, "fkey"));
        table.foreign_keys.push(ForeignKey {
            name,
            columns,
            foreign_schema: target.schema.clone(),
            foreign_table: target.name.clone(),
            foreign_columns,
            on_delete: action(foreign.on_delete),
            on_update: action(foreign.on_update),
        });
        Ok(())
    }

    /// Lowers a check over the finished table and adds it.
    pub(super) fn check(
        &self,
        table: &mut Table,
        name: Option<String>,
        expr: &ast::Expr,
    ) -> Result<()> {
        let lowered = Lowering::over(&self.catalog, table).condition(expr)?;
        let mut columns: Vec<String> = Vec::new();
        lowered.walk(0, &mut |_, expr| {
            if let Expr::Column { name, .. } = expr
                && !columns.contains(name)
            {
                columns.push(name.clone());
            }
        });
        // Postgres names a check after its column when it has one only.
        if columns.len() != 1 {
            columns.clear();
        }
        let name = name.unwrap_or_else(|| self.constraint_name(table, &columns, "check"));
        table.checks.push(Check {
            name,
            expr: lowered,
        });
        Ok(())
    }
}

fn action(action: Option<ast::ReferentialAction>) -> Action {
    match action {
        None | Some(ast::ReferentialAction::NoAction) => Action::NoAction,
        Some(ast::ReferentialAction::Restrict) => Action::Restrict,
        Some(ast::ReferentialAction::Cascade) => Action::Cascade,
        Some(ast::ReferentialAction::SetNull) => Action::SetNull,
        Some(ast::ReferentialAction::SetDefault) => Action::SetDefault,
    }
}
