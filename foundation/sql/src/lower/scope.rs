//! The names an expression may use: columns of the sources around it, names of a `with`, parameters of the function it stands in.

use super::{Lowering, nearest};
use crate::catalog::Table;
use crate::expr::Expr;
use crate::trouble::{Result, Trouble};
use crate::types::Type;

/// A source of a query as its expressions see it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// The name it goes by.
    pub alias: String,
    /// The schema it may be named with: none once it has an alias.
    pub schema: Option<String>,
    /// Its columns in order.
    pub columns: Vec<(String, Type)>,
    /// Columns that `using` or `natural` made one with those of a source before it: not found by name alone.
    pub merged: Vec<String>,
}

impl Named {
    /// A table under its own name.
    pub fn table(table: &Table) -> Named {
        Named {
            alias: table.name.clone(),
            schema: Some(table.schema.clone()),
            columns: columns(table),
            merged: Vec::new(),
        }
    }

    /// Columns under an alias.
    pub fn alias(alias: impl Into<String>, columns: Vec<(String, Type)>) -> Named {
        Named {
            alias: alias.into(),
            schema: None,
            columns,
            merged: Vec::new(),
        }
    }

    pub fn column(&self, name: &str) -> Option<&Type> {
        self.columns
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, ty)| ty)
    }
}

/// The names and types of a table's columns.
pub(crate) fn columns(table: &Table) -> Vec<(String, Type)> {
    table
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.ty.clone()))
        .collect()
}

/// The sources one query sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    pub sources: Vec<Named>,
}

/// What a function's body knows beside columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    /// The function's name, which may stand before a parameter's.
    pub routine: String,
    /// Names and types.
    pub params: Vec<(Option<String>, Type)>,
    /// Names that stand for expressions: the variables of a trigger's function, and `tg_op` and its like.
    pub variables: Vec<(String, Expr)>,
}

impl Params {
    fn named(&self, name: &str) -> Option<Expr> {
        if let Some((_, value)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return Some(value.clone());
        }
        let at = self
            .params
            .iter()
            .position(|(known, _)| known.as_deref() == Some(name))?;
        Some(self.param(at))
    }

    fn param(&self, at: usize) -> Expr {
        Expr::Param {
            index: u32::try_from(at).unwrap_or(u32::MAX),
            ty: self.params[at].1.clone(),
        }
    }

    /// `$1`
    pub fn numbered(&self, number: usize) -> Option<Expr> {
        (1..=self.params.len())
            .contains(&number)
            .then(|| self.param(number - 1))
    }
}

impl Lowering<'_> {
    pub(super) fn column(
        &self,
        schema: Option<&String>,
        table: Option<&String>,
        name: &str,
    ) -> Result<Expr> {
        for (level, scope) in self.levels.iter().rev().enumerate() {
            let mut found = None;
            for (index, source) in scope.sources.iter().enumerate() {
                if table.is_some_and(|table| *table != source.alias)
                    || schema.is_some_and(|schema| source.schema.as_ref() != Some(schema))
                    || (table.is_none() && source.merged.iter().any(|merged| merged == name))
                {
                    continue;
                }
                if let Some(ty) = source.column(name) {
                    if found.is_some() {
                        return Err(Trouble::invalid(
                            name,
                            format!("column reference \"{name}\" is ambiguous"),
                            "put the table's name before it",
                        )
                        .state("42702"));
                    }
                    found = Some(Expr::Column {
                        level: u32::try_from(level).unwrap_or(u32::MAX),
                        source: u32::try_from(index).unwrap_or(u32::MAX),
                        name: name.to_owned(),
                        ty: ty.clone(),
                    });
                }
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
        if schema.is_none()
            && table.is_none_or(|table| *table == self.params.routine)
            && let Some(found) = self.params.named(name)
        {
            return Ok(found);
        }
        let shown = table.map_or_else(|| name.to_owned(), |table| format!("{table}.{name}"));
        let sources = || self.levels.iter().flat_map(|level| &level.sources);
        if let Some(table) = table
            && !sources().any(|source| source.alias == *table)
        {
            return Err(Trouble::invalid(
                shown,
                format!("missing FROM-clause entry for table \"{table}\""),
                "select from it, or name the source by its alias",
            )
            .state("42P01"));
        }
        let known = sources()
            .flat_map(|source| &source.columns)
            .map(|(name, _)| name.as_str());
        let advice = match nearest(name, known) {
            Some(near) => format!("perhaps you meant \"{near}\""),
            None => "check the name".to_owned(),
        };
        Err(Trouble::invalid(
            shown.clone(),
            match table {
                Some(table) => format!("column {table}.{name} does not exist"),
                None => format!("column \"{shown}\" does not exist"),
            },
            advice,
        )
        .state("42703"))
    }

    /// The columns of the source an alias names, with the expressions they are: the row as a whole.
    pub(super) fn row(&self, alias: &str) -> Option<Vec<(String, Expr)>> {
        for (level, scope) in self.levels.iter().rev().enumerate() {
            for (index, source) in scope.sources.iter().enumerate() {
                if source.alias == alias {
                    let column = |(name, ty): &(String, Type)| {
                        let expr = Expr::Column {
                            level: u32::try_from(level).unwrap_or(u32::MAX),
                            source: u32::try_from(index).unwrap_or(u32::MAX),
                            name: name.clone(),
                            ty: ty.clone(),
                        };
                        (name.clone(), expr)
                    };
                    return Some(source.columns.iter().map(column).collect());
                }
            }
        }
        None
    }
}
