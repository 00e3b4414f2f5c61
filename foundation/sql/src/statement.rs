//! SQLite text with the sources of its parameters. Values are bound, never spliced.

use crate::types::Type;
use crate::value::Value;
use std::fmt::Write;

/// Where a parameter's value comes from when the statement runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    /// A literal of the schema or of the planner.
    Const(Value),
    /// The n-th input of the request, already read as the type it is compared with.
    Input(u32),
    /// Mutations only: the n-th value of the row being written.
    Row(u32),
    /// `auth.uid()`: the caller's subject, null without one.
    Uid,
    /// `auth.role()`
    Role,
    /// `auth.email()`
    Email,
    /// `auth.jwt()`: the claims as JSON text.
    Jwt,
    /// `now()`: one moment for the whole request.
    Now,
    /// `current_date`, UTC.
    Today,
    /// `gen_random_uuid()`, a new one for each execution.
    RandomUuid,
}

/// SQLite text being built, with its binds in order: parameter `?n` is `binds[n - 1]`.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// Parameter sources, in order of their numbers.
    pub binds: Vec<Bind>,
}

impl Statement {
    /// An empty statement.
    pub fn new() -> Statement {
        Statement::default()
    }

    /// Appends literal SQL. Never pass anything a client sent.
    pub fn push(&mut self, sql: &str) -> &mut Statement {
        self.sql.push_str(sql);
        self
    }

    /// Appends a quoted identifier.
    pub fn ident(&mut self, name: &str) -> &mut Statement {
        self.sql.push('"');
        for c in name.chars() {
            if c == '"' {
                self.sql.push('"');
            }
            self.sql.push(c);
        }
        self.sql.push('"');
        self
    }

    /// Appends a parameter. Equal sources share one parameter, except those that differ at each use.
    pub fn bind(&mut self, bind: Bind) -> &mut Statement {
        let shared = match bind {
            Bind::RandomUuid => None,
            _ => self.binds.iter().position(|known| *known == bind),
        };
        let index = shared.unwrap_or_else(|| {
            self.binds.push(bind);
            self.binds.len() - 1
        });
        // Writing to a String can't fail.
        let _ = write!(self.sql, "?{}", index + 1);
        self
    }
}

/// How a stored value becomes JSON in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JsonOut {
    /// A JSON string.
    Text,
    /// A number, as the integer prints.
    Int,
    /// `true` or `false` from 0 and 1.
    Bool,
    /// A float, as Postgres prints it; NaN and infinities are strings.
    Float,
    /// A `real`, which prints fewer digits before it takes an exponent.
    Float4,
    /// Text that is JSON already: json, jsonb, arrays, nested resources. Numerics too, but for NaN, which is a string.
    Raw,
    /// `\x..` in a string.
    Bytes,
}

impl Type {
    /// How a stored value of the type is written into JSON.
    pub fn json_out(&self) -> JsonOut {
        match self {
            Type::Int2 | Type::Int4 | Type::Int8 => JsonOut::Int,
            Type::Float4 => JsonOut::Float4,
            Type::Float8 => JsonOut::Float,
            Type::Bool => JsonOut::Bool,
            Type::Numeric(_) | Type::Json | Type::Jsonb | Type::Array(_) => JsonOut::Raw,
            Type::Bytea => JsonOut::Bytes,
            _ => JsonOut::Text,
        }
    }
}
