//! Queries: `with`, `select`, `values`, set operations, order and limit.

use super::output::Projected;
use super::{Level, Lowering, Named, Operand, fold, line};
use crate::expr::Expr;
use crate::query::{Body, Cte, Distinct, Order, Query, Select, SetOperator};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast;

/// What a sub-select is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `exists (..)`: its columns do not matter.
    Exists,
    /// `(select ..)` as a value.
    Scalar,
    /// `in (..)`: all of its rows.
    List,
}

/// A body with what is still open: which of its columns are quoted literals that have no type yet.
struct Lowered {
    body: Body,
    open: Vec<bool>,
}

impl Lowering<'_> {
    /// A sub-select in an expression; but for `exists`, of exactly one column.
    pub(super) fn sub_select(&mut self, query: &ast::Query, place: Place) -> Result<Query> {
        let aggregates = std::mem::replace(&mut self.aggregates, false);
        let lowered = self.query(query);
        self.aggregates = aggregates;
        let lowered = lowered?;
        if place != Place::Exists && lowered.columns().len() != 1 {
            return Err(Trouble::invalid(
                query.to_string(),
                if place == Place::Scalar {
                    "subquery must return only one column"
                } else {
                    "subquery has too many columns"
                },
                "select the column that is compared",
            ));
        }
        Ok(lowered)
    }

    /// A whole query.
    pub fn query(&mut self, query: &ast::Query) -> Result<Query> {
        self.query_opened(query).map(|(query, _)| query)
    }

    pub(super) fn query_opened(&mut self, query: &ast::Query) -> Result<(Query, Vec<bool>)> {
        let refused = |what: &str, advice: &str| Err(Trouble::unsupported(what, advice));
        if query
            .fetch
            .as_ref()
            .is_some_and(|fetch| fetch.with_ties || fetch.percent || fetch.quantity.is_none())
        {
            return refused("fetch with ties", "write limit");
        }
        // One writer at a time: rows that are read to be changed are nobody else's meanwhile.
        if query.for_clause.is_some()
            || !query.pipe_operators.is_empty()
            || query.settings.is_some()
        {
            return refused("for xml, settings or pipes", "write an ordinary query");
        }
        let known = self.ctes.len();
        let lowered = self.query_within(query);
        self.ctes.truncate(known);
        lowered
    }

    fn query_within(&mut self, query: &ast::Query) -> Result<(Query, Vec<bool>)> {
        let mut with = Vec::new();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
            with.push(self.cte(cte, recursive)?);
        }
        let order = match &query.order_by {
            None => &[][..],
            Some(ast::OrderBy {
                kind: ast::OrderByKind::Expressions(order),
                interpolate: None,
            }) => &order[..],
            Some(other) => {
                return Err(Trouble::unsupported(
                    other.to_string(),
                    "name what is ordered by",
                ));
            }
        };
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(ast::LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            }) if limit_by.is_empty() => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(other) => {
                return Err(Trouble::unsupported(
                    other.to_string(),
                    "write limit .. offset ..",
                ));
            }
        };
        let limit = limit.or_else(|| {
            query
                .fetch
                .as_ref()
                .and_then(|fetch| fetch.quantity.as_ref())
        });
        let (body, open, order) = match query.body.as_ref() {
            ast::SetExpr::Select(select) => {
                let (select, open, order) = self.select(select, order)?;
                (Body::Select(Box::new(select)), open, order)
            }
            other => {
                let lowered = self.body(other)?;
                let order = self.order_of_rows(&lowered.body.columns(), order)?;
                (lowered.body, lowered.open, order)
            }
        };
        // Only what is outside of the query may be named here.
        self.levels.push(Level::default());
        let limits = self
            .count(limit, "LIMIT")
            .and_then(|limit| Ok((limit, self.count(offset, "OFFSET")?)));
        self.levels.pop();
        let (limit, offset) = limits?;
        let query = Query {
            with,
            body,
            order,
            limit,
            offset,
        };
        Ok((query, open))
    }

    /// A number of rows.
    fn count(&mut self, expr: Option<&ast::Expr>, what: &str) -> Result<Option<Expr>> {
        let Some(expr) = expr else { return Ok(None) };
        let operand = self.operand(expr)?;
        let lowered = self.coerce(operand, &Type::Int8)?;
        match &lowered {
            Expr::Literal {
                value: Value::Null, ..
            } => return Ok(None),
            Expr::Literal {
                value: Value::Int(count),
                ..
            } if *count < 0 => {
                let state = if what == "LIMIT" { "2201W" } else { "2201X" };
                return Err(Trouble::invalid(
                    expr.to_string(),
                    format!("{what} must not be negative"),
                    "give a number of rows",
                )
                .state(state));
            }
            _ => {}
        }
        Ok(Some(lowered))
    }

    fn cte(&mut self, cte: &ast::Cte, recursive: bool) -> Result<Cte> {
        let name = fold(&cte.alias.name);
        let given: Vec<String> = cte
            .alias
            .columns
            .iter()
            .map(|column| fold(&column.name))
            .collect();
        let asks = recursive && mentions(&cte.query, &name);
        let query = if asks {
            self.recursive(cte, &name, &given)?
        } else {
            self.query(&cte.query)?
        };
        let columns = renamed(query.columns(), &given, &name)?;
        self.ctes.push((name.clone(), columns.clone()));
        Ok(Cte {
            name,
            columns: columns.into_iter().map(|(name, _)| name).collect(),
            query,
            recursive: asks,
        })
    }

    /// `with recursive`: the first side says what the columns are, the second may ask for the name.
    fn recursive(&mut self, cte: &ast::Cte, name: &str, given: &[String]) -> Result<Query> {
        let refused = || {
            Trouble::unsupported(
                format!("with recursive {name}"),
                "write it as <start> union [all] <step>, without order or limit",
            )
        };
        let query = &cte.query;
        if query.with.is_some() || query.order_by.is_some() || query.limit_clause.is_some() {
            return Err(refused());
        }
        let ast::SetExpr::SetOperation {
            left,
            op: ast::SetOperator::Union,
            set_quantifier,
            right,
        } = query.body.as_ref()
        else {
            return Err(refused());
        };
        let all = quantified(*set_quantifier)?;
        let left = self.body(left)?;
        self.ctes
            .push((name.to_owned(), renamed(left.body.columns(), given, name)?));
        let right = self.body(right);
        self.ctes.pop();
        let mut right = right?;
        for (at, (_, ty)) in left.body.columns().iter().enumerate() {
            self.retype(&mut right, at, ty)?;
        }
        Ok(Query {
            with: Vec::new(),
            body: Body::Set {
                operator: SetOperator::Union,
                all,
                left: Box::new(left.body),
                right: Box::new(right.body),
            },
            order: Vec::new(),
            limit: None,
            offset: None,
        })
    }

    fn body(&mut self, body: &ast::SetExpr) -> Result<Lowered> {
        match body {
            ast::SetExpr::Select(select) => {
                let (select, open, _) = self.select(select, &[])?;
                Ok(Lowered {
                    body: Body::Select(Box::new(select)),
                    open,
                })
            }
            ast::SetExpr::Query(query) => {
                let (query, open) = self.query_opened(query)?;
                Ok(Lowered {
                    body: Body::Query(Box::new(query)),
                    open,
                })
            }
            ast::SetExpr::Values(values) => self.values(values),
            ast::SetExpr::SetOperation {
                op,
                set_quantifier,
                left,
                right,
            } => self.set(*op, *set_quantifier, left, right),
            other => Err(Trouble::unsupported(
                other.to_string(),
                "select from a table; change rows in a statement of its own",
            )),
        }
    }

    fn set(
        &mut self,
        op: ast::SetOperator,
        quantifier: ast::SetQuantifier,
        left: &ast::SetExpr,
        right: &ast::SetExpr,
    ) -> Result<Lowered> {
        let operator = match op {
            ast::SetOperator::Union => SetOperator::Union,
            ast::SetOperator::Intersect => SetOperator::Intersect,
            ast::SetOperator::Except => SetOperator::Except,
            ast::SetOperator::Minus => {
                return Err(Trouble::unsupported("minus", "write except"));
            }
        };
        let all = quantified(quantifier)?;
        if all && operator != SetOperator::Union {
            return Err(Trouble::unsupported(
                format!("{op} all"),
                format!("write {op} where rows are distinct"),
            ));
        }
        let (mut left, mut right) = (self.body(left)?, self.body(right)?);
        let (a, b) = (left.body.columns(), right.body.columns());
        if a.len() != b.len() {
            return Err(Trouble::invalid(
                op.to_string(),
                format!("each {op} query must have the same number of columns"),
                "select the same columns on both sides",
            ));
        }
        for (at, ((_, a), (_, b))) in a.iter().zip(&b).enumerate() {
            let operand = |ty: &Type, open: bool| {
                if open {
                    Operand::Unknown(None)
                } else {
                    Operand::Typed(Expr::Literal {
                        value: Value::Null,
                        ty: ty.clone(),
                    })
                }
            };
            let common =
                self.common_type(&[operand(a, left.open[at]), operand(b, right.open[at])])?;
            if !all {
                super::group::equatable(&common)?;
            }
            self.retype(&mut left, at, &common)?;
            self.retype(&mut right, at, &common)?;
        }
        Ok(Lowered {
            open: vec![false; a.len()],
            body: Body::Set {
                operator,
                all,
                left: Box::new(left.body),
                right: Box::new(right.body),
            },
        })
    }

    fn values(&mut self, values: &ast::Values) -> Result<Lowered> {
        let mut rows = Vec::with_capacity(values.rows.len());
        self.levels.push(Level::default());
        let lowered = (|| -> Result<()> {
            for row in &values.rows {
                let row = row.content.iter().map(|expr| self.operand(expr));
                rows.push(row.collect::<Result<Vec<_>>>()?);
            }
            Ok(())
        })();
        self.levels.pop();
        lowered?;
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            return Err(Trouble::invalid(
                "values",
                "VALUES lists must all be the same length",
                "give each row the same number of values",
            ));
        }
        let mut types = Vec::with_capacity(width);
        let mut open = Vec::with_capacity(width);
        for at in 0..width {
            let column: Vec<Operand> = rows.iter().map(|row| row[at].clone()).collect();
            types.push(self.common_type(&column)?);
            open.push(
                column
                    .iter()
                    .all(|operand| matches!(operand, Operand::Unknown(_))),
            );
        }
        let rows = rows
            .into_iter()
            .map(|row| {
                row.into_iter()
                    .zip(&types)
                    .map(|(operand, ty)| self.coerce(operand, ty))
                    .collect()
            })
            .collect::<Result<_>>()?;
        Ok(Lowered {
            body: Body::Values(rows),
            open,
        })
    }

    /// Gives a column of a body another type.
    fn retype(&self, lowered: &mut Lowered, at: usize, ty: &Type) -> Result<()> {
        let open = lowered.open.get(at).copied().unwrap_or(false);
        self.retype_body(&mut lowered.body, at, ty, open)
    }

    /// As [`retype`](Self::retype), for a query that is assigned to columns: what assignment converts is converted.
    ///
    /// `open` says that it is a quoted literal, or null, without a type of its own.
    pub(crate) fn assign_column(
        &mut self,
        query: &mut Query,
        at: usize,
        ty: &Type,
        open: bool,
    ) -> Result<()> {
        let operand = |expr: &Expr| {
            if open {
                unsettled(expr.clone())
            } else {
                Operand::Typed(expr.clone())
            }
        };
        match &mut query.body {
            Body::Select(select) if select.distinct == Distinct::No => {
                let expr = &mut select.columns[at].expr;
                *expr = self.assign(operand(expr), ty)?;
                Ok(())
            }
            Body::Values(rows) => {
                for row in rows {
                    row[at] = self.assign(operand(&row[at]), ty)?;
                }
                Ok(())
            }
            _ => {
                let from = query.columns()[at].1.clone();
                let probe = Expr::Param { index: 0, ty: from };
                // What can't be assigned is refused before the column is wrapped.
                self.assign(Operand::Typed(probe), ty)?;
                self.wrap(query);
                self.assign_column(query, at, ty, false)
            }
        }
    }

    /// Puts a query into another that selects its columns.
    pub(super) fn wrap(&self, query: &mut Query) {
        let columns = query.columns();
        let inner = std::mem::replace(query, Query::select(Select::default()));
        let column = |(name, ty): (String, Type)| crate::query::Output {
            name: name.clone(),
            expr: Expr::Column {
                level: 0,
                source: 0,
                name,
                ty,
            },
        };
        *query = Query::select(Select {
            columns: columns.into_iter().map(column).collect(),
            from: vec![crate::query::Source {
                of: crate::query::Of::Query(Box::new(inner)),
                join: crate::query::Join::Inner,
                on: None,
            }],
            ..Select::default()
        });
    }

    fn retype_body(&self, body: &mut Body, at: usize, ty: &Type, open: bool) -> Result<()> {
        let retyped = |expr: &mut Expr| -> Result<()> {
            let operand = if open {
                unsettled(expr.clone())
            } else {
                Operand::Typed(expr.clone())
            };
            *expr = self.coerce(operand, ty)?;
            Ok(())
        };
        match body {
            Body::Select(select) => retyped(&mut select.columns[at].expr),
            Body::Values(rows) => rows.iter_mut().try_for_each(|row| retyped(&mut row[at])),
            Body::Query(query) => {
                if query.columns()[at].1 == *ty {
                    return Ok(());
                }
                self.retype_body(&mut query.body, at, ty, open)
            }
            Body::Set { left, right, .. } => {
                self.retype_body(left, at, ty, open)?;
                self.retype_body(right, at, ty, open)
            }
        }
    }

    /// A select with its order, which may name what it selects.
    fn select(
        &mut self,
        select: &ast::Select,
        order: &[ast::OrderByExpr],
    ) -> Result<(Select, Vec<bool>, Vec<Order>)> {
        let refused = |what: &str| {
            Err(Trouble::unsupported(
                what,
                "select columns from tables, with joins, where, group by and having",
            ))
        };
        if select.into.is_some() {
            return refused("select into");
        }
        if !select.named_window.is_empty() || select.qualify.is_some() {
            return refused("window");
        }
        if select.top.is_some() || !select.lateral_views.is_empty() || select.exclude.is_some() {
            return refused("top, lateral view or exclude");
        }
        self.levels.push(Level::default());
        let aggregates = std::mem::replace(&mut self.aggregates, false);
        let lowered = self.select_within(select, order);
        self.aggregates = aggregates;
        self.levels.pop();
        lowered
    }

    fn select_within(
        &mut self,
        select: &ast::Select,
        order: &[ast::OrderByExpr],
    ) -> Result<(Select, Vec<bool>, Vec<Order>)> {
        let mut from = self.sources(&select.from)?;
        let filter = select
            .selection
            .as_ref()
            .map(|filter| self.condition(filter))
            .transpose()?;
        self.aggregates = true;
        let projected = self.projection(&select.projection, &mut from)?;
        let having = select
            .having
            .as_ref()
            .map(|having| self.condition(having))
            .transpose()?;
        let order_terms = self.order(&projected, order)?;
        self.aggregates = false;
        let group = self.group(&select.group_by, &projected)?;
        let distinct = match &select.distinct {
            None | Some(ast::Distinct::All) => Distinct::No,
            Some(ast::Distinct::Distinct) => {
                for output in &projected.columns {
                    super::group::equatable(&output.expr.ty())?;
                }
                Distinct::Rows
            }
            // The parser takes no key at all, which Postgres' grammar does not.
            Some(ast::Distinct::On(exprs)) if exprs.is_empty() => {
                return Err(Trouble::sql("42601", "syntax error at or near \")\""));
            }
            Some(ast::Distinct::On(exprs)) => Distinct::On(
                exprs
                    .iter()
                    .map(|expr| self.named_or_value(expr, &projected))
                    .collect::<Result<_>>()?,
            ),
        };
        let Projected { columns, open } = projected;
        let lowered = Select {
            distinct,
            columns,
            from,
            filter,
            group,
            having,
        };
        self.grouped(select, &lowered, &order_terms)?;
        if lowered.distinct == Distinct::Rows {
            for (term, written) in order_terms.iter().zip(order) {
                if !lowered
                    .columns
                    .iter()
                    .any(|output| output.expr == term.expr)
                {
                    return Err(Trouble::invalid(
                        written.to_string(),
                        "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                        "select it too",
                    )
                    .state("42P10")
                    .at(line(&written.expr)));
                }
            }
        }
        Ok((lowered, open, order_terms))
    }

    /// The order of rows that are not a select's: by their columns only.
    fn order_of_rows(
        &mut self,
        columns: &[(String, Type)],
        order: &[ast::OrderByExpr],
    ) -> Result<Vec<Order>> {
        let sources = vec![Named::alias("", columns.to_vec())];
        self.levels.push(Level { sources });
        let terms = order.iter().map(|term| {
            let at = match &term.expr {
                ast::Expr::Value(value) => ordinal(&value.value, columns.len())?,
                _ => None,
            };
            let expr = match at {
                Some(at) => Expr::Column {
                    level: 0,
                    source: 0,
                    name: columns[at].0.clone(),
                    ty: columns[at].1.clone(),
                },
                None => self.value(&term.expr)?,
            };
            self.term(term, expr)
        });
        let terms = terms.collect();
        self.levels.pop();
        terms
    }

    fn order(&mut self, projected: &Projected, order: &[ast::OrderByExpr]) -> Result<Vec<Order>> {
        order
            .iter()
            .map(|term| {
                let expr = self.named_or_value(&term.expr, projected)?;
                self.term(term, expr)
            })
            .collect()
    }

    /// A term of an order, of something that has one.
    pub(super) fn term(&self, term: &ast::OrderByExpr, expr: Expr) -> Result<Order> {
        if expr.ty() == Type::Json {
            return Err(Trouble::invalid(
                term.to_string(),
                "could not identify an ordering operator for type json",
                "order by a member of it, or cast it to jsonb",
            )
            .state("42883"));
        }
        if let Type::Array(item) = expr.ty()
            && matches!(*item, Type::Enum(_))
        {
            return Err(Trouble::unsupported(
                format!("order by {}", expr.ty().name()),
                "order by a member of the array, or by its length",
            ));
        }
        let descending = match &term.options.sort {
            None | Some(ast::OrderBySort::Asc) => false,
            Some(ast::OrderBySort::Desc) => true,
            Some(other) => {
                return Err(Trouble::unsupported(
                    format!("order by .. {other:?}"),
                    "write asc or desc",
                ));
            }
        };
        Ok(Order {
            expr,
            descending,
            nulls_first: term.options.nulls_first.unwrap_or(descending),
        })
    }

    /// What `order by`, `group by` and `distinct on` name: a column of the result by its name or place, or an expression.
    pub(super) fn named_or_value(
        &mut self,
        expr: &ast::Expr,
        projected: &Projected,
    ) -> Result<Expr> {
        match expr {
            ast::Expr::Value(value) => {
                if let Some(at) = ordinal(&value.value, projected.columns.len())? {
                    return Ok(projected.columns[at].expr.clone());
                }
            }
            ast::Expr::Nested(inner) => return self.named_or_value(inner, projected),
            ast::Expr::UnaryOp {
                op: ast::UnaryOperator::Minus,
                expr: inner,
            } if matches!(inner.as_ref(), ast::Expr::Value(value) if matches!(value.value, ast::Value::Number(..))) =>
            {
                return Err(no_place(&expr.to_string()));
            }
            ast::Expr::Identifier(name) => {
                let name = fold(name);
                let mut found = projected
                    .columns
                    .iter()
                    .filter(|output| output.name == name);
                if let Some(output) = found.next() {
                    if found.any(|other| other.expr != output.expr) {
                        return Err(Trouble::invalid(
                            name.clone(),
                            format!("ORDER BY \"{name}\" is ambiguous"),
                            "give the columns different names",
                        )
                        .state("42702"));
                    }
                    return Ok(output.expr.clone());
                }
            }
            _ => {}
        }
        self.value(expr)
    }

    pub(super) fn in_query(
        &mut self,
        left: &ast::Expr,
        query: &ast::Query,
        negated: bool,
    ) -> Result<Expr> {
        let needle = self.operand(left)?;
        let mut query = self.sub_select(query, Place::List)?;
        let ty = query
            .columns()
            .first()
            .map_or(Type::Text, |(_, ty)| ty.clone());
        let needle = match needle {
            Operand::Typed(expr) if super::same(&expr.ty(), &ty) => expr,
            Operand::Typed(expr) => {
                // Both sides are brought to one type, as comparing them would.
                let probe = Expr::Param {
                    index: 0,
                    ty: ty.clone(),
                };
                let (needle, found) =
                    self.unify(Operand::Typed(expr), Operand::Typed(probe), "=")?;
                let common = found.ty();
                if common != ty {
                    if !matches!(query.body, Body::Select(_)) {
                        self.wrap(&mut query);
                    }
                    self.retype_body(&mut query.body, 0, &common, false)?;
                }
                needle
            }
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
                && select.having.is_none()
                && select.distinct.is_none()
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
                && !self.gives_rows(expr)
                && !super::aggregate::is_aggregate(expr)
            {
                return self.operand(expr);
            }
        }
        let lowered = self.sub_select(query, Place::Scalar)?;
        Ok(Operand::Typed(Expr::Scalar(Box::new(lowered))))
    }
}

/// A literal whose type was settled for want of another is open again.
fn unsettled(expr: Expr) -> Operand {
    match expr {
        Expr::Literal {
            value: Value::Text(text),
            ty: Type::Text,
        } => Operand::Unknown(Some(text.to_string())),
        Expr::Literal {
            value: Value::Null, ..
        } => Operand::Unknown(None),
        expr => Operand::Typed(expr),
    }
}

fn quantified(quantifier: ast::SetQuantifier) -> Result<bool> {
    match quantifier {
        ast::SetQuantifier::All => Ok(true),
        ast::SetQuantifier::None | ast::SetQuantifier::Distinct => Ok(false),
        other => Err(Trouble::unsupported(other.to_string(), "leave it out")),
    }
}

/// The place of a column that an integer names; no other constant may stand there.
fn ordinal(value: &ast::Value, columns: usize) -> Result<Option<usize>> {
    let text = match value {
        ast::Value::Number(text, _) => text.clone(),
        ast::Value::Placeholder(_) | ast::Value::Boolean(_) => return Ok(None),
        other => other.to_string(),
    };
    match text.parse::<usize>() {
        Ok(at) if (1..=columns).contains(&at) => Ok(Some(at - 1)),
        _ => Err(no_place(&text)),
    }
}

fn no_place(text: &str) -> Trouble {
    if text.parse::<i64>().is_err() {
        return Trouble::invalid(
            text,
            "non-integer constant in ORDER BY",
            "name a column, or its place",
        );
    }
    Trouble::invalid(
        text,
        format!("position {text} is not in select list"),
        "count from 1, or write the expression",
    )
    .state("42P10")
}

/// Columns under other names, as many as are given.
pub(super) fn renamed(
    mut columns: Vec<(String, Type)>,
    given: &[String],
    table: &str,
) -> Result<Vec<(String, Type)>> {
    if given.len() > columns.len() {
        return Err(Trouble::invalid(
            table,
            format!(
                "table \"{table}\" has {} columns available but {} columns specified",
                columns.len(),
                given.len()
            ),
            "leave the last names out",
        )
        .state("42P10"));
    }
    for (column, name) in columns.iter_mut().zip(given) {
        name.clone_into(&mut column.0);
    }
    Ok(columns)
}

/// Whether a query selects from a name.
fn mentions(query: &ast::Query, name: &str) -> bool {
    fn within(body: &ast::SetExpr, name: &str) -> bool {
        match body {
            ast::SetExpr::Select(select) => select.from.iter().any(|item| {
                std::iter::once(&item.relation)
                    .chain(item.joins.iter().map(|join| &join.relation))
                    .any(|factor| {
                        matches!(factor, ast::TableFactor::Table { name: table, .. }
                            if super::object(table).is_some_and(|(schema, table)| schema.is_none() && table == name))
                    })
            }),
            ast::SetExpr::SetOperation { left, right, .. } => within(left, name) || within(right, name),
            ast::SetExpr::Query(query) => mentions(query, name),
            _ => false,
        }
    }
    within(&query.body, name)
}
