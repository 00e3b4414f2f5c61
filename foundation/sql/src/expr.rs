//! Expressions of policies, checks, defaults and indexes: typed, resolved, independent of the parser.

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

/// Operators and functions the embedded engine has.
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
