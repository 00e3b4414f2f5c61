//! Functions that migrations made: what `create function` declared, with its body resolved.

use crate::expr::Expr;
use crate::operation::Operation;
use crate::types::Type;
use serde::{Deserialize, Serialize};

/// One function among those of its name: by the types of its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoutineId {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The names of the types of its parameters.
    pub params: Vec<String>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Routine {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it takes.
    pub params: Vec<Param>,
    /// What it gives.
    pub returns: Returns,
    /// `setof`, `table`: any number of rows.
    pub set: bool,
    /// How far its result depends on more than its arguments.
    pub volatility: Volatility,
    /// `strict`: null for a null argument.
    pub strict: bool,
    /// `security definer`: past the policies, as its owner; otherwise as its caller.
    pub definer: bool,
    /// What it does.
    pub body: Body,
    /// The statement as written, for Postgres.
    pub source: String,
    /// Roles that may not call it: all may unless `execute` was revoked.
    pub revoked: Vec<String>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its type.
    pub ty: Type,
    /// Its value where a call leaves it out.
    pub default: Option<Expr>,
}

/// What a function gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Returns {
    /// Nothing.
    Void,
    /// One value a row.
    Scalar(Type),
    /// Rows of these columns.
    Row {
        /// Names and types.
        columns: Vec<(String, Type)>,
        /// The table or view whose rows they are, (schema, name).
        table: Option<(String, String)>,
    },
    /// It is for triggers.
    Trigger,
}

/// How far a function's result depends on more than its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Volatility {
    /// On nothing else.
    Immutable,
    /// On the rows that are there.
    Stable,
    /// On anything; it may change rows.
    Volatile,
}

/// What a function does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// `language sql`: run in order, the last one's rows are the result.
    Sql(Vec<Operation>),
    /// `language plpgsql`, for triggers: read anew for each table it is put on.
    Trigger {
        /// The text between the quotes.
        text: String,
        /// The line it starts on.
        line: u64,
    },
}

impl Routine {
    /// What tells it from others of its name.
    pub fn id(&self) -> RoutineId {
        RoutineId {
            schema: self.schema.clone(),
            name: self.name.clone(),
            params: self.params.iter().map(|param| param.ty.name()).collect(),
        }
    }

    /// The names and types of the columns it gives; one named as the function for a value.
    pub fn columns(&self) -> Vec<(String, Type)> {
        match &self.returns {
            Returns::Scalar(ty) => vec![(self.name.clone(), ty.clone())],
            Returns::Row { columns, .. } => columns.clone(),
            Returns::Void | Returns::Trigger => Vec::new(),
        }
    }

    /// Whether it may change rows.
    pub fn writes(&self) -> bool {
        match &self.body {
            Body::Sql(operations) => operations.iter().any(Operation::writes),
            Body::Trigger { .. } => true,
        }
    }

    /// The query it comes to where it is one: only then can it stand in an expression.
    pub(crate) fn query(&self) -> Option<&crate::query::Query> {
        match &self.body {
            Body::Sql(operations) => match &operations[..] {
                [Operation::Select(query)] => Some(query),
                _ => None,
            },
            Body::Trigger { .. } => None,
        }
    }
}
