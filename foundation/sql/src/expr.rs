//! Expressions of policies, checks, defaults, indexes, views and functions: typed, resolved, independent of the parser.

use crate::functions::registry::Builtin;
use crate::query::{Order, Query};
use crate::routine::RoutineId;
use crate::types::Type;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// An expression whose names are resolved and whose operands have been coerced as Postgres coerces them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// A literal in storage form.
    Literal {
        /// The value.
        value: Value,
        /// Its type.
        ty: Type,
    },
    /// A column. `level` 0 is the innermost query; each enclosing one adds one.
    Column {
        /// How many queries out.
        level: u32,
        /// Which source in that query's `from`; 0 for the table a policy or check is on.
        source: u32,
        /// The column's name.
        name: String,
        /// Its type.
        ty: Type,
    },
    /// An operator or function, by a name of our own (see `functions`).
    Call {
        /// Which.
        function: Function,
        /// Arguments, coerced.
        args: Vec<Expr>,
        /// What it returns.
        ty: Type,
    },
    /// `cast(.. as ..)` that changes the stored form or checks it.
    Cast {
        /// What is cast.
        expr: Box<Expr>,
        /// To what.
        ty: Type,
    },
    /// `case when .. then .. else .. end`
    Case {
        /// Conditions with their results.
        branches: Vec<(Expr, Expr)>,
        /// The result otherwise.
        otherwise: Option<Box<Expr>>,
        /// The type of the results.
        ty: Type,
    },
    /// `exists (select ..)`
    Exists(Box<Query>),
    /// `(select ..)` of one column and at most one row.
    Scalar(Box<Query>),
    /// `x in (select ..)`
    InQuery {
        /// What is looked for.
        expr: Box<Expr>,
        /// One column.
        query: Box<Query>,
        /// `not in`
        negated: bool,
    },
    /// A parameter of the function whose body this stands in, or of the statement.
    Param {
        /// Counted from 0.
        index: u32,
        /// Its type.
        ty: Type,
    },
    /// A call of a function that a migration made.
    Apply {
        /// Which.
        routine: RoutineId,
        /// One for each of its parameters, coerced.
        args: Vec<Expr>,
        /// What it returns.
        ty: Type,
    },
    /// An aggregate over the rows, or the groups, of the query it stands in.
    Aggregate(Box<Aggregate>),
    /// A window function over the rows of the query it stands in.
    Window(Box<Window>),
}

/// A call of a window function, over the default frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Its name in Postgres.
    pub name: String,
    /// Arguments, coerced.
    pub args: Vec<Expr>,
    /// `partition by`
    pub partition: Vec<Expr>,
    /// `order by`
    pub order: Vec<Order>,
    /// What it returns.
    pub ty: Type,
}

/// A call of an aggregate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Its name in Postgres; `count` without arguments is `count(*)`.
    pub name: String,
    /// What it is fed, coerced.
    pub args: Vec<Expr>,
    /// Whether equal arguments count once.
    pub distinct: bool,
    /// The order it is fed in.
    pub order: Vec<Order>,
    /// `filter (where ..)`
    pub filter: Option<Expr>,
    /// What it returns.
    pub ty: Type,
}

/// Operators and functions the embedded engine has. Arguments stand in SQL's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Function {
    /// `auth.uid()`
    AuthUid,
    /// `auth.role()`
    AuthRole,
    /// `auth.email()`
    AuthEmail,
    /// `auth.jwt()`
    AuthJwt,
    /// `now()`, `current_timestamp`, ..
    Now,
    /// `current_date`
    CurrentDate,
    /// `gen_random_uuid()`, `uuid_generate_v4()`
    RandomUuid,
    /// `nextval`; the argument is the sequence's name in the file.
    NextVal,
    /// `currval`, likewise.
    CurrVal,
    /// `setval`, likewise, with the number and whether it counts as given.
    SetVal,
    /// `lastval`
    LastVal,
    /// `and`
    And,
    /// `or`
    Or,
    /// `not`
    Not,
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `is null`
    IsNull,
    /// `is not null`
    IsNotNull,
    /// `is true`
    IsTrue,
    /// `is not true`
    IsNotTrue,
    /// `is false`
    IsFalse,
    /// `is not false`
    IsNotFalse,
    /// `is distinct from`
    Distinct,
    /// `is not distinct from`
    NotDistinct,
    /// The first argument equals one of the others: `in (..)`, `= any (array[..])`.
    In,
    /// The first argument equals a member of the array: `= any (..)`.
    AnyOf,
    /// `coalesce`
    Coalesce,
    /// `nullif`
    NullIf,
    /// A value on its way into a column, converted as an assignment converts it.
    Assign,
    /// An ordinary function or operator, by its row.
    Builtin(Builtin),
}

/// What an expression or a query is made of: walking it is the same for every purpose.
pub(crate) enum Part<'a> {
    Expr(&'a Expr),
    Query(&'a Query),
}

/// As [`Part`], to be changed.
pub(crate) enum PartMut<'a> {
    Expr(&'a mut Expr),
    Query(&'a mut Query),
}

/// Changes an expression, knowing the tables of the queries around it.
pub(crate) type ChangeExpr<'v> = dyn FnMut(&[Vec<(String, String)>], &mut Expr) + 'v;

/// The tables of each enclosing query, outermost first; a source that is no table has empty names.
pub(crate) type Tables = Vec<Vec<(String, String)>>;

impl Expr {
    /// Its type.
    pub fn ty(&self) -> Type {
        match self {
            Expr::Literal { ty, .. }
            | Expr::Column { ty, .. }
            | Expr::Call { ty, .. }
            | Expr::Cast { ty, .. }
            | Expr::Case { ty, .. }
            | Expr::Param { ty, .. }
            | Expr::Apply { ty, .. } => ty.clone(),
            Expr::Aggregate(aggregate) => aggregate.ty.clone(),
            Expr::Window(window) => window.ty.clone(),
            Expr::Exists(_) | Expr::InQuery { .. } => Type::Bool,
            Expr::Scalar(query) => query
                .columns()
                .first()
                .map_or(Type::Text, |(_, ty)| ty.clone()),
        }
    }

    pub(crate) fn parts<'a>(&'a self, visit: &mut dyn FnMut(Part<'a>)) {
        match self {
            Expr::Literal { .. } | Expr::Column { .. } | Expr::Param { .. } => {}
            Expr::Call { args, .. } | Expr::Apply { args, .. } => {
                args.iter().for_each(|arg| visit(Part::Expr(arg)));
            }
            Expr::Cast { expr, .. } => visit(Part::Expr(expr)),
            Expr::Case {
                branches,
                otherwise,
                ..
            } => {
                for (condition, result) in branches {
                    visit(Part::Expr(condition));
                    visit(Part::Expr(result));
                }
                if let Some(otherwise) = otherwise {
                    visit(Part::Expr(otherwise));
                }
            }
            Expr::Exists(query) | Expr::Scalar(query) => visit(Part::Query(query)),
            Expr::InQuery { expr, query, .. } => {
                visit(Part::Expr(expr));
                visit(Part::Query(query));
            }
            Expr::Aggregate(aggregate) => {
                let order = aggregate.order.iter().map(|term| &term.expr);
                let exprs = aggregate.args.iter().chain(order).chain(&aggregate.filter);
                exprs.for_each(|expr| visit(Part::Expr(expr)));
            }
            Expr::Window(window) => {
                let order = window.order.iter().map(|term| &term.expr);
                let exprs = window.args.iter().chain(&window.partition).chain(order);
                exprs.for_each(|expr| visit(Part::Expr(expr)));
            }
        }
    }

    pub(crate) fn parts_mut(&mut self, visit: &mut dyn FnMut(PartMut<'_>)) {
        match self {
            Expr::Literal { .. } | Expr::Column { .. } | Expr::Param { .. } => {}
            Expr::Call { args, .. } | Expr::Apply { args, .. } => {
                args.iter_mut().for_each(|arg| visit(PartMut::Expr(arg)));
            }
            Expr::Cast { expr, .. } => visit(PartMut::Expr(expr)),
            Expr::Case {
                branches,
                otherwise,
                ..
            } => {
                for (condition, result) in branches {
                    visit(PartMut::Expr(condition));
                    visit(PartMut::Expr(result));
                }
                if let Some(otherwise) = otherwise {
                    visit(PartMut::Expr(otherwise));
                }
            }
            Expr::Exists(query) | Expr::Scalar(query) => visit(PartMut::Query(query)),
            Expr::InQuery { expr, query, .. } => {
                visit(PartMut::Expr(expr));
                visit(PartMut::Query(query));
            }
            Expr::Aggregate(aggregate) => {
                let order = aggregate.order.iter_mut().map(|term| &mut term.expr);
                let exprs = aggregate
                    .args
                    .iter_mut()
                    .chain(order)
                    .chain(&mut aggregate.filter);
                exprs.for_each(|expr| visit(PartMut::Expr(expr)));
            }
            Expr::Window(window) => {
                let order = window.order.iter_mut().map(|term| &mut term.expr);
                let exprs = window
                    .args
                    .iter_mut()
                    .chain(&mut window.partition)
                    .chain(order);
                exprs.for_each(|expr| visit(PartMut::Expr(expr)));
            }
        }
    }

    /// Calls `visit` on this expression and all within it, sub-selects too; the number says how many queries deep.
    pub fn walk(&self, depth: u32, visit: &mut impl FnMut(u32, &Expr)) {
        self.walk_dyn(depth, visit);
    }

    pub(crate) fn walk_dyn(&self, depth: u32, visit: &mut dyn FnMut(u32, &Expr)) {
        visit(depth, self);
        self.parts(&mut |part| match part {
            Part::Expr(expr) => expr.walk_dyn(depth, visit),
            Part::Query(query) => query.walk(depth, visit),
        });
    }

    /// As [`walk`](Self::walk), changing; `visit` is told the tables of the queries around.
    pub fn walk_mut(
        &mut self,
        scope: &mut Vec<Vec<(String, String)>>,
        visit: &mut impl FnMut(&[Vec<(String, String)>], &mut Expr),
    ) {
        self.walk_mut_dyn(scope, visit);
    }

    pub(crate) fn walk_mut_dyn(&mut self, scope: &mut Tables, visit: &mut ChangeExpr<'_>) {
        visit(scope, self);
        self.parts_mut(&mut |part| match part {
            PartMut::Expr(expr) => expr.walk_mut_dyn(scope, visit),
            PartMut::Query(query) => query.walk_mut(scope, visit),
        });
    }

    /// Whether it asks other rows than the one it is on.
    pub(crate) fn has_query(&self) -> bool {
        let mut found = false;
        self.walk(0, &mut |_, expr| {
            found |= matches!(
                expr,
                Expr::Exists(_) | Expr::Scalar(_) | Expr::InQuery { .. } | Expr::Apply { .. }
            );
        });
        found
    }

    /// Sub-selects from one table select from it by its new name.
    pub(crate) fn rename_sources(&mut self, from: &(String, String), to: &(String, String)) {
        self.parts_mut(&mut |part| match part {
            PartMut::Expr(expr) => expr.rename_sources(from, to),
            PartMut::Query(query) => query.rename_sources(from, to),
        });
    }
}
