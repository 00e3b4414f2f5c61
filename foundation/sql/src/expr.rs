//! Expressions of policies, checks, defaults and indexes: typed, resolved, independent of the parser.

use crate::functions::registry::Builtin;
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
    /// `count(*)`, or of the argument: in sub-selects only.
    Count,
    /// `max`: in sub-selects only.
    Max,
    /// `min`: in sub-selects only.
    Min,
}

impl Expr {
    /// Its type.
    pub fn ty(&self) -> Type {
        match self {
            Expr::Literal { ty, .. }
            | Expr::Column { ty, .. }
            | Expr::Call { ty, .. }
            | Expr::Cast { ty, .. }
            | Expr::Case { ty, .. } => ty.clone(),
            Expr::Exists(_) | Expr::InQuery { .. } => Type::Bool,
            Expr::Scalar(query) => query.columns.first().map_or(Type::Text, Expr::ty),
        }
    }

    /// Calls `visit` on this expression and all within it, sub-selects too; the number says how many queries deep.
    pub fn walk(&self, depth: u32, visit: &mut impl FnMut(u32, &Expr)) {
        visit(depth, self);
        match self {
            Expr::Literal { .. } | Expr::Column { .. } => {}
            Expr::Call { args, .. } => args.iter().for_each(|arg| arg.walk(depth, visit)),
            Expr::Cast { expr, .. } => expr.walk(depth, visit),
            Expr::Case {
                branches,
                otherwise,
                ..
            } => {
                for (condition, result) in branches {
                    condition.walk(depth, visit);
                    result.walk(depth, visit);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.walk(depth, visit);
                }
            }
            Expr::Exists(query) | Expr::Scalar(query) => query.walk(depth, visit),
            Expr::InQuery { expr, query, .. } => {
                expr.walk(depth, visit);
                query.walk(depth, visit);
            }
        }
    }

    /// As [`walk`](Self::walk), changing.
    pub fn walk_mut(
        &mut self,
        scope: &mut Vec<Vec<(String, String)>>,
        visit: &mut impl FnMut(&[Vec<(String, String)>], &mut Expr),
    ) {
        visit(scope, self);
        match self {
            Expr::Literal { .. } | Expr::Column { .. } => {}
            Expr::Call { args, .. } => args.iter_mut().for_each(|arg| arg.walk_mut(scope, visit)),
            Expr::Cast { expr, .. } => expr.walk_mut(scope, visit),
            Expr::Case {
                branches,
                otherwise,
                ..
            } => {
                for (condition, result) in branches {
                    condition.walk_mut(scope, visit);
                    result.walk_mut(scope, visit);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.walk_mut(scope, visit);
                }
            }
            Expr::Exists(query) | Expr::Scalar(query) => query.walk_mut(scope, visit),
            Expr::InQuery { expr, query, .. } => {
                expr.walk_mut(scope, visit);
                query.walk_mut(scope, visit);
            }
        }
    }
}

impl Expr {
    /// Sub-selects from one table select from it by its new name.
    pub(crate) fn rename_sources(&mut self, schema: &str, old: &str, new: &str) {
        let rename = |query: &mut Query| query.rename_sources(schema, old, new);
        match self {
            Expr::Literal { .. } | Expr::Column { .. } => {}
            Expr::Call { args, .. } => args
                .iter_mut()
                .for_each(|arg| arg.rename_sources(schema, old, new)),
            Expr::Cast { expr, .. } => expr.rename_sources(schema, old, new),
            Expr::Case {
                branches,
                otherwise,
                ..
            } => {
                for (condition, result) in branches {
                    condition.rename_sources(schema, old, new);
                    result.rename_sources(schema, old, new);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.rename_sources(schema, old, new);
                }
            }
            Expr::Exists(query) | Expr::Scalar(query) => rename(query),
            Expr::InQuery { expr, query, .. } => {
                expr.rename_sources(schema, old, new);
                rename(query);
            }
        }
    }
}

impl Query {
    fn rename_sources(&mut self, schema: &str, old: &str, new: &str) {
        for source in self
            .from
            .iter_mut()
            .filter(|source| source.schema == schema && source.table == old)
        {
            new.clone_into(&mut source.table);
        }
        let parts = self
            .from
            .iter_mut()
            .filter_map(|source| source.on.as_mut())
            .chain(&mut self.columns)
            .chain(&mut self.filter);
        parts.for_each(|expr| expr.rename_sources(schema, old, new));
    }

    fn walk(&self, depth: u32, visit: &mut impl FnMut(u32, &Expr)) {
        let parts = self
            .from
            .iter()
            .filter_map(|source| source.on.as_ref())
            .chain(&self.columns)
            .chain(&self.filter);
        parts.for_each(|expr| expr.walk(depth + 1, visit));
    }

    fn walk_mut(
        &mut self,
        scope: &mut Vec<Vec<(String, String)>>,
        visit: &mut impl FnMut(&[Vec<(String, String)>], &mut Expr),
    ) {
        scope.push(
            self.from
                .iter()
                .map(|source| (source.schema.clone(), source.table.clone()))
                .collect(),
        );
        let parts = self
            .from
            .iter_mut()
            .filter_map(|source| source.on.as_mut())
            .chain(&mut self.columns)
            .chain(&mut self.filter);
        parts.for_each(|expr| expr.walk_mut(scope, visit));
        scope.pop();
    }
}

/// A sub-select.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Tables, in order; joined by `filter` or by their `on`.
    pub from: Vec<Source>,
    /// What it selects.
    pub columns: Vec<Expr>,
    /// `where`
    pub filter: Option<Expr>,
}

/// A table in a sub-select. Its own policies apply when it is rendered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// `on`, for all but the first.
    pub on: Option<Expr>,
    /// `left join`
    pub left: bool,
}
