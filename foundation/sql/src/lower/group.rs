//! `group by`: what may stand beside an aggregate.

use super::output::Projected;
use super::{Lowering, line};
use crate::expr::{Expr, Part};
use crate::query::{Of, Order, Select, Source};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;

impl Lowering<'_> {
    pub(super) fn group(
        &mut self,
        group: &ast::GroupByExpr,
        projected: &Projected,
    ) -> Result<Vec<Expr>> {
        let ast::GroupByExpr::Expressions(exprs, modifiers) = group else {
            return Err(Trouble::unsupported("group by all", "name the columns"));
        };
        if !modifiers.is_empty() {
            return Err(Trouble::unsupported(
                "group by .. with",
                "group by columns or expressions",
            ));
        }
        exprs
            .iter()
            .map(|expr| {
                if matches!(
                    expr,
                    ast::Expr::Rollup(_) | ast::Expr::Cube(_) | ast::Expr::GroupingSets(_)
                ) {
                    return Err(Trouble::unsupported(
                        expr.to_string(),
                        "group by columns or expressions, one set at a time",
                    )
                    .at(line(expr)));
                }
                // A column of a source comes before one of the result.
                if let ast::Expr::Identifier(_) = expr
                    && let Ok(column @ Expr::Column { level: 0, .. }) = self.value(expr)
                {
                    equatable(&column.ty())?;
                    return Ok(column);
                }
                let lowered = self.named_or_value(expr, projected)?;
                equatable(&lowered.ty())?;
                if aggregated(&lowered) {
                    return Err(Trouble::invalid(
                        expr.to_string(),
                        "aggregate functions are not allowed in GROUP BY",
                        "group by what is aggregated over",
                    )
                    .state("42803")
                    .at(line(expr)));
                }
                Ok(lowered)
            })
            .collect()
    }

    /// Refuses columns that are neither grouped by nor aggregated over.
    pub(super) fn grouped(
        &self,
        written: &ast::Select,
        select: &Select,
        order: &[Order],
    ) -> Result<()> {
        let outputs = select.columns.iter().map(|output| &output.expr);
        let order = order.iter().map(|term| &term.expr);
        let exprs: Vec<&Expr> = outputs.chain(order).chain(&select.having).collect();
        let any = !select.group.is_empty()
            || select.having.is_some()
            || exprs.iter().any(|expr| aggregated(expr));
        if !any {
            return Ok(());
        }
        let keyed = self.keyed(&select.from, &select.group);
        for expr in exprs {
            if let Some(column) = loose(expr, &select.group, &keyed) {
                return Err(Trouble::invalid(
                    written.to_string(),
                    format!("column \"{column}\" must appear in the GROUP BY clause or be used in an aggregate function"),
                    "group by it, or put it into an aggregate",
                )
                .state("42803"));
            }
        }
        Ok(())
    }

    /// The sources of which a whole primary key is grouped by: their columns follow from it.
    fn keyed(&self, from: &[Source], group: &[Expr]) -> Vec<u32> {
        let mut keyed = Vec::new();
        for (index, source) in from.iter().enumerate() {
            let Of::Table { schema, name } = &source.of else {
                continue;
            };
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let key = self
                .catalog
                .table(schema, name)
                .and_then(|table| table.primary_key.as_ref());
            let grouped = |column: &String| {
                group.iter().any(|expr| {
                    matches!(expr, Expr::Column { level: 0, source, name, .. } if *source == index && name == column)
                })
            };
            if key.is_some_and(|key| key.columns.iter().all(grouped)) {
                keyed.push(index);
            }
        }
        keyed
    }
}

/// Values of every type but json can be told to be equal.
pub(super) fn equatable(ty: &Type) -> Result<()> {
    if *ty != Type::Json {
        return Ok(());
    }
    Err(Trouble::invalid(
        "json",
        "could not identify an equality operator for type json",
        "cast it to jsonb",
    )
    .state("42883"))
}

/// Whether an aggregate of the query itself is in the expression.
pub(super) fn aggregated(expr: &Expr) -> bool {
    if matches!(expr, Expr::Aggregate(_)) {
        return true;
    }
    let mut found = false;
    expr.parts(&mut |part| {
        if let Part::Expr(expr) = part {
            found |= aggregated(expr);
        }
    });
    found
}

/// A column of the query that stands outside of groups and aggregates.
fn loose(expr: &Expr, group: &[Expr], keyed: &[u32]) -> Option<String> {
    fn within(expr: &Expr, depth: u32, group: &[Expr], keyed: &[u32]) -> Option<String> {
        if depth == 0 && group.contains(expr) {
            return None;
        }
        match expr {
            Expr::Column {
                level,
                source,
                name,
                ..
            } if *level == depth => {
                let grouped = group.iter().any(|known| {
                    matches!(known, Expr::Column { level: 0, source: of, name: by, .. } if of == source && by == name)
                });
                return (!grouped && !keyed.contains(source)).then(|| name.clone());
            }
            Expr::Aggregate(_) if depth == 0 => return None,
            _ => {}
        }
        let mut found = None;
        expr.parts(&mut |part| {
            if found.is_some() {
                return;
            }
            found = match part {
                Part::Expr(expr) => within(expr, depth, group, keyed),
                Part::Query(query) => query_within(query, depth, group, keyed),
            };
        });
        found
    }
    fn query_within(
        query: &crate::query::Query,
        depth: u32,
        group: &[Expr],
        keyed: &[u32],
    ) -> Option<String> {
        let mut found = None;
        query.parts(&mut |part| {
            if found.is_some() {
                return;
            }
            found = match part {
                Part::Expr(expr) => within(expr, depth + 1, group, keyed),
                Part::Query(query) => query_within(query, depth, group, keyed),
            };
        });
        found
    }
    within(expr, 0, group, keyed)
}
