//! Sub-selects of expressions: tables joined and filtered, one column of each row.

use super::{Level, Lowering, Operand, object};
use crate::catalog::Table;
use crate::expr::{Expr, Function, Query, Source};
use crate::trouble::{Result, Trouble};
use sqlparser::ast;
use std::sync::Arc;

const ADVICE: &str = "a sub-select in an expression may have columns, from, joins, where and limit; use exists (..) or in (..) for the rest";

/// What a sub-select is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `exists (..)`: its columns do not matter.
    Exists,
    /// `(select ..)` as a value.
    Scalar,
    /// `in (..)`: all of its rows.
    List,
}

fn is_aggregate(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Call {
            function: Function::Count | Function::Max | Function::Min,
            ..
        }
    )
}

fn aggregated(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(0, &mut |depth, expr| {
        found |= depth == 0 && is_aggregate(expr)
    });
    found
}

/// Whether a column of the query itself stands outside of its aggregates.
fn bare_column(expr: &Expr) -> bool {
    let count = |expr: &Expr| {
        let mut columns = 0;
        expr.walk(0, &mut |depth, expr| {
            columns += usize::from(matches!(expr, Expr::Column { level, .. } if *level == depth));
        });
        columns
    };
    let mut within = 0;
    expr.walk(0, &mut |depth, expr| {
        if let (0, true, Expr::Call { args, .. }) = (depth, is_aggregate(expr), expr) {
            within += args.iter().map(count).sum::<usize>();
        }
    });
    count(expr) > within
}

impl Lowering<'_> {
    /// A sub-select; but for `exists`, of exactly one column.
    pub(super) fn query(&mut self, query: &ast::Query, place: Place) -> Result<Query> {
        let unsupported = |what: &str| {
            Err(Trouble::unsupported(
                format!("{what} in a sub-select"),
                ADVICE,
            ))
        };
        if query.with.is_some() {
            return unsupported("with");
        }
        if query.order_by.is_some() || query.fetch.is_some() || !query.locks.is_empty() {
            return unsupported("order by, fetch or for update");
        }
        if let Some(limit) = &query.limit_clause {
            // Only whether there is a row matters to exists (..), and one row is all that a scalar takes; in (..) looks at all of them.
            let one = place != Place::List
                && matches!(limit, ast::LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by } if limit.to_string() == "1" && limit_by.is_empty());
            if !one {
                return unsupported(if place == Place::List {
                    "limit"
                } else {
                    "limit other than 1"
                });
            }
        }
        let ast::SetExpr::Select(select) = query.body.as_ref() else {
            return unsupported("union, intersect, except or values");
        };
        let grouped = !matches!(&select.group_by, ast::GroupByExpr::Expressions(by, modifiers) if by.is_empty() && modifiers.is_empty());
        if grouped
            || select.having.is_some()
            || select.distinct.is_some()
            || !select.named_window.is_empty()
            || select.into.is_some()
        {
            return unsupported("group by, having, distinct or window");
        }
        let (from, level) = self.sources(&select.from)?;
        self.levels.push(level);
        let aggregates = std::mem::replace(&mut self.aggregates, false);
        let lowered = self.body(select, from, place);
        self.aggregates = aggregates;
        self.levels.pop();
        lowered
    }

    fn body(&mut self, select: &ast::Select, mut from: Vec<Source>, place: Place) -> Result<Query> {
        let joins = select
            .from
            .iter()
            .flat_map(|item| std::iter::once(None).chain(item.joins.iter().map(Some)));
        for (source, join) in from.iter_mut().zip(joins) {
            let Some(join) = join else { continue };
            let (constraint, left) = match &join.join_operator {
                ast::JoinOperator::Join(constraint) | ast::JoinOperator::Inner(constraint) => {
                    (constraint, false)
                }
                ast::JoinOperator::Left(constraint) | ast::JoinOperator::LeftOuter(constraint) => {
                    (constraint, true)
                }
                ast::JoinOperator::CrossJoin(constraint) => (constraint, false),
                _ => return Err(Trouble::unsupported(join.to_string(), ADVICE)),
            };
            source.left = left;
            source.on = match constraint {
                ast::JoinConstraint::On(expr) => Some(self.condition(expr)?),
                ast::JoinConstraint::None => None,
                _ => return Err(Trouble::unsupported(join.to_string(), "join with on")),
            };
        }
        let filter = select
            .selection
            .as_ref()
            .map(|filter| self.condition(filter))
            .transpose()?;
        let mut columns = Vec::new();
        for item in &select.projection {
            match item {
                ast::SelectItem::UnnamedExpr(expr)
                | ast::SelectItem::ExprWithAlias { expr, .. } => {
                    columns.push(self.projected(expr, place)?);
                }
                ast::SelectItem::Wildcard(_) if place == Place::Exists => {}
                other => {
                    return Err(Trouble::unsupported(other.to_string(), "name the column"));
                }
            }
        }
        if place == Place::Exists {
            columns.clear();
        } else if columns.len() != 1 {
            return Err(Trouble::invalid(
                select.to_string(),
                "subquery must return only one column",
                "select the column that is compared",
            ));
        }
        Ok(Query {
            from,
            columns,
            filter,
        })
    }

    /// What a sub-select selects. Only here may an aggregate stand, and then no column beside it: there is no `group by`.
    fn projected(&mut self, expr: &ast::Expr, place: Place) -> Result<Expr> {
        self.aggregates = true;
        let lowered = self.value(expr);
        self.aggregates = false;
        let lowered = lowered?;
        if aggregated(&lowered) {
            if place == Place::Exists {
                return Err(Trouble::unsupported(
                    format!("exists (select {expr} ..)"),
                    "an aggregate always gives a row; select 1",
                )
                .at(super::line(expr)));
            }
            if bare_column(&lowered) {
                return Err(Trouble::invalid(
                    expr.to_string(),
                    "a column must appear in the GROUP BY clause or be used in an aggregate function",
                    "leave the column out",
                )
                .at(super::line(expr)));
            }
        }
        Ok(lowered)
    }

    fn sources(&self, from: &[ast::TableWithJoins]) -> Result<(Vec<Source>, Level)> {
        let mut sources = Vec::new();
        let mut level = Level {
            sources: Vec::new(),
        };
        for factor in from.iter().flat_map(|item| {
            std::iter::once(&item.relation).chain(item.joins.iter().map(|join| &join.relation))
        }) {
            let ast::TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                ..
            } = factor
            else {
                return Err(Trouble::unsupported(
                    factor.to_string(),
                    "select from a table",
                ));
            };
            let renamed = alias
                .as_ref()
                .is_some_and(|alias| !alias.columns.is_empty());
            if renamed || !with_hints.is_empty() || !partitions.is_empty() {
                return Err(Trouble::unsupported(
                    factor.to_string(),
                    "select from a table, with an alias at most",
                ));
            }
            let table = self.table(name)?;
            let alias = alias
                .as_ref()
                .map_or_else(|| table.name.clone(), |alias| super::fold(&alias.name));
            if level.sources.iter().any(|(known, _)| *known == alias) {
                return Err(Trouble::invalid(
                    alias.clone(),
                    format!("table name \"{alias}\" specified more than once"),
                    "give one of them an alias",
                ));
            }
            sources.push(Source {
                schema: table.schema.clone(),
                table: table.name.clone(),
                on: None,
                left: false,
            });
            level.sources.push((alias, table));
        }
        Ok((sources, level))
    }

    /// A table by the name a migration gives it.
    pub(crate) fn table(&self, name: &ast::ObjectName) -> Result<Arc<Table>> {
        let Some((schema, table)) = object(name) else {
            return Err(Trouble::unsupported(
                name.to_string(),
                "name a table as schema.table",
            ));
        };
        let schema = schema.unwrap_or_else(|| "public".to_owned());
        self.catalog.table(&schema, &table).cloned().ok_or_else(|| {
            let known = self
                .catalog
                .tables
                .keys()
                .filter(|(other, _)| *other == schema)
                .map(|(_, name)| name.as_str());
            let advice = super::nearest(&table, known).map_or_else(
                || "create it before it is used".to_owned(),
                |near| format!("perhaps you meant \"{near}\""),
            );
            Trouble::invalid(
                name.to_string(),
                format!("relation \"{name}\" does not exist"),
                advice,
            )
        })
    }

    pub(super) fn in_query(
        &mut self,
        left: &ast::Expr,
        query: &ast::Query,
        negated: bool,
    ) -> Result<Expr> {
        let needle = self.operand(left)?;
        let query = self.query(query, Place::List)?;
        let ty = query.columns.first().map_or(crate::Type::Text, Expr::ty);
        let needle = match needle {
            Operand::Typed(expr) if super::same(&expr.ty(), &ty) => expr,
            Operand::Typed(expr) => return Err(super::operator::missing("=", &expr.ty(), &ty)),
            unknown => self.coerce(unknown, &ty)?,
        };
        Ok(Expr::InQuery {
            expr: Box::new(needle),
            query: Box::new(query),
            negated,
        })
    }

    /// `(select ..)` as a value. Without `from` it is the expression itself: `(select auth.uid())`.
    pub(super) fn scalar(&mut self, query: &ast::Query) -> Result<Operand> {
        if let ast::SetExpr::Select(select) = query.body.as_ref() {
            let bare = select.from.is_empty()
                && select.selection.is_none()
                && query.order_by.is_none()
                && query.limit_clause.is_none()
                && query.with.is_none();
            if let (
                true,
                [
                    ast::SelectItem::UnnamedExpr(expr)
                    | ast::SelectItem::ExprWithAlias { expr, .. },
                ],
            ) = (bare, &select.projection[..])
            {
                return self.operand(expr);
            }
        }
        let lowered = self.query(query, Place::Scalar)?;
        Ok(Operand::Typed(Expr::Scalar(Box::new(lowered))))
    }
}
