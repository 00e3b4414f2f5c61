//! What a query selects: its columns with the names Postgres gives them.

use super::{Lowering, Operand, fold, object};
use crate::expr::Expr;
use crate::query::{Join, Output, Source};
use crate::trouble::{Result, Trouble};
use sqlparser::ast;

/// The columns of a select.
#[derive(Default)]
pub(super) struct Projected {
    pub columns: Vec<Output>,
    /// Which are quoted literals, or null, that have no type yet.
    pub open: Vec<bool>,
}

impl Projected {
    fn push(&mut self, name: String, expr: Expr, open: bool) {
        self.columns.push(Output { name, expr });
        self.open.push(open);
    }
}

impl Lowering<'_> {
    /// Lowers the list of a select. A function that gives rows becomes one more source.
    pub(super) fn projection(
        &mut self,
        items: &[ast::SelectItem],
        from: &mut Vec<Source>,
    ) -> Result<Projected> {
        let mut projected = Projected::default();
        for item in items {
            match item {
                ast::SelectItem::UnnamedExpr(expr) => {
                    self.projected(expr, None, from, &mut projected)?;
                }
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    self.projected(expr, Some(fold(alias)), from, &mut projected)?;
                }
                ast::SelectItem::Wildcard(options) if plain(options) => {
                    let all = self.all_columns().ok_or_else(|| {
                        Trouble::invalid(
                            "*",
                            "SELECT * with no tables specified is not valid",
                            "name what is selected",
                        )
                    })?;
                    for (name, expr) in all {
                        projected.push(name, expr, false);
                    }
                }
                ast::SelectItem::QualifiedWildcard(
                    ast::SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                ) if plain(options) => {
                    let (_, alias) = object(name).unwrap_or((None, name.to_string()));
                    let all = self.row(&alias).ok_or_else(|| {
                        Trouble::invalid(
                            name.to_string(),
                            format!("missing FROM-clause entry for table \"{alias}\""),
                            "name a source",
                        )
                        .state("42P01")
                    })?;
                    for (name, expr) in all {
                        projected.push(name, expr, false);
                    }
                }
                other => {
                    return Err(Trouble::unsupported(other.to_string(), "name the column"));
                }
            }
        }
        Ok(projected)
    }

    fn projected(
        &mut self,
        expr: &ast::Expr,
        alias: Option<String>,
        from: &mut Vec<Source>,
        projected: &mut Projected,
    ) -> Result<()> {
        let name = alias.unwrap_or_else(|| output_name(expr));
        if let Some((of, named)) = self.rows_selected(expr)? {
            if from.iter().any(|source| {
                matches!(
                    source.of,
                    crate::query::Of::Rows { .. } | crate::query::Of::Routine { .. }
                ) && source.join == Join::Inner
            }) {
                return Err(Trouble::unsupported(
                    expr.to_string(),
                    "select from the functions that give rows: from f(..) as f",
                ));
            }
            from.push(Source {
                of,
                join: Join::Inner,
                on: None,
            });
            let column = named.columns.first().cloned();
            let source = self.top_mut().sources.len();
            self.top_mut().sources.push(named);
            if let Some((column, ty)) = column {
                let expr = Expr::Column {
                    level: 0,
                    source: u32::try_from(source).unwrap_or(u32::MAX),
                    name: column,
                    ty,
                };
                projected.push(name, expr, false);
            }
            return Ok(());
        }
        let operand = self.operand(expr)?;
        let open = matches!(operand, Operand::Unknown(_));
        let expr = self.settle(operand)?;
        projected.push(name, expr, open);
        Ok(())
    }

    /// `*`: every column, those of `using` once.
    fn all_columns(&self) -> Option<Vec<(String, Expr)>> {
        let level = self.levels.last()?;
        if level.sources.is_empty() {
            return None;
        }
        let mut all = Vec::new();
        let merged = |name: &String| {
            level
                .sources
                .iter()
                .any(|source| source.merged.contains(name))
        };
        let mut columns = |only_merged: bool| {
            for (index, source) in level.sources.iter().enumerate() {
                for (name, ty) in &source.columns {
                    if source.merged.contains(name) || merged(name) != only_merged {
                        continue;
                    }
                    let expr = Expr::Column {
                        level: 0,
                        source: u32::try_from(index).unwrap_or(u32::MAX),
                        name: name.clone(),
                        ty: ty.clone(),
                    };
                    all.push((name.clone(), expr));
                }
            }
        };
        // The columns that two sources share come first.
        columns(true);
        columns(false);
        Some(all)
    }

    /// `returning`
    pub(super) fn returning(
        &mut self,
        items: Option<&Vec<ast::SelectItem>>,
    ) -> Result<Vec<Output>> {
        match items {
            None => Ok(Vec::new()),
            Some(items) => {
                let mut none = Vec::new();
                let projected = self.projection(items, &mut none)?;
                if none.is_empty() {
                    Ok(projected.columns)
                } else {
                    Err(Trouble::unsupported(
                        "set-returning functions in returning",
                        "select the rows afterwards",
                    ))
                }
            }
        }
    }
}

fn plain(options: &ast::WildcardAdditionalOptions) -> bool {
    options.opt_except.is_none()
        && options.opt_exclude.is_none()
        && options.opt_ilike.is_none()
        && options.opt_rename.is_none()
        && options.opt_replace.is_none()
        && options.opt_alias.is_none()
}

/// The name Postgres gives a column without an alias.
pub(super) fn output_name(expr: &ast::Expr) -> String {
    name_of(expr).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

/// A name, and whether it is that of a column or function rather than of a type.
fn name_of(expr: &ast::Expr) -> Option<(String, bool)> {
    use ast::Expr as E;
    let strong = |name: &str| Some((name.to_owned(), true));
    match expr {
        E::Identifier(name) => {
            let folded = fold(name);
            Some((folded, true))
        }
        E::CompoundIdentifier(parts) => parts.last().map(|name| (fold(name), true)),
        E::Nested(inner) => name_of(inner),
        E::Function(function) => {
            let (_, name) = object(&function.name)?;
            Some((name, true))
        }
        E::Cast {
            expr, data_type, ..
        } => match name_of(expr) {
            Some((name, true)) => Some((name, true)),
            weak => Some((type_name(data_type), false)).or(weak),
        },
        E::TypedString(typed) => Some((type_name(&typed.data_type), false)),
        E::Case { else_result, .. } => else_result
            .as_ref()
            .and_then(|otherwise| name_of(otherwise))
            .filter(|(_, strong)| *strong)
            .or_else(|| Some(("case".to_owned(), false))),
        E::Exists { negated: false, .. } => strong("exists"),
        E::Array(_) => strong("array"),
        E::Subquery(query) => match query.body.as_ref() {
            ast::SetExpr::Select(select) => match select.projection.first()? {
                ast::SelectItem::UnnamedExpr(expr) => Some((output_name(expr), true)),
                ast::SelectItem::ExprWithAlias { alias, .. } => Some((fold(alias), true)),
                _ => None,
            },
            _ => None,
        },
        E::Trim { trim_where, .. } => strong(match trim_where {
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        E::Position { .. } => strong("position"),
        E::Substring { shorthand, .. } => strong(if *shorthand { "substr" } else { "substring" }),
        E::Overlay { .. } => strong("overlay"),
        E::Extract { .. } => strong("extract"),
        E::Ceil { .. } => strong("ceil"),
        E::Floor { .. } => strong("floor"),
        E::AtTimeZone { .. } => strong("timezone"),
        E::Interval(_) => Some(("interval".to_owned(), false)),
        E::Value(value) => match &value.value {
            ast::Value::Boolean(_) => Some(("bool".to_owned(), false)),
            _ => None,
        },
        E::CompoundFieldAccess { root, .. } => name_of(root),
        _ => None,
    }
}

/// A type's name as its own catalog has it.
fn type_name(data_type: &ast::DataType) -> String {
    let text = data_type.to_string().to_lowercase();
    let base = text.split(['(', '[']).next().unwrap_or(&text).trim();
    let array = text.contains('[');
    let name = match base {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "double precision" | "float" => "float8",
        "real" => "float4",
        "decimal" => "numeric",
        "character varying" => "varchar",
        "character" | "char" => "bpchar",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time without time zone" => "time",
        other => other.rsplit('.').next().unwrap_or(other),
    };
    if array {
        name.to_owned()
    } else {
        name.trim_matches('"').to_owned()
    }
}
