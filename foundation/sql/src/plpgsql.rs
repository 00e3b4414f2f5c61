//! The part of plpgsql that the functions of triggers are written in: read into statements, then run over rows that are not there yet.
//!
//! Two readings of one text: before a row is written it comes to the values of its columns, as expressions ([`before`]); after it was
//! written, to statements in order ([`after`]). What is neither is refused by name: loops, handlers of exceptions, dynamic SQL, records.

mod after;
mod before;
mod fold;
mod raise;
mod read;
mod scope;

pub(crate) use after::after;
pub(crate) use before::before;
pub(crate) use fold::known;
pub(crate) use scope::Setting;

use sqlparser::ast;

/// A function's text, read.
#[derive(Debug, PartialEq)]
pub(crate) struct Function {
    /// `declare`
    pub variables: Vec<Variable>,
    /// Between `begin` and `end`.
    pub body: Vec<Statement>,
}

/// A variable of `declare`.
#[derive(Debug, PartialEq)]
pub(crate) struct Variable {
    pub name: String,
    pub line: u64,
    pub ty: VariableType,
    pub value: Option<ast::Expr>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum VariableType {
    Named(ast::DataType),
    /// `table.column%type`
    OfColumn(ast::ObjectName),
}

/// A statement with the line it starts on, within the function's text.
#[derive(Debug, PartialEq)]
pub(crate) struct Statement {
    pub line: u64,
    pub kind: Kind,
}

#[expect(
    clippy::large_enum_variant,
    reason = "a function has a handful of statements, read once"
)]
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    /// `target := value`
    Assign { target: Target, value: ast::Expr },
    /// `select .. into targets ..`
    SelectInto {
        targets: Vec<Target>,
        query: Box<ast::Query>,
    },
    /// `if`, and `case` as well
    If {
        branches: Vec<(ast::Expr, Vec<Statement>)>,
        otherwise: Vec<Statement>,
    },
    /// `insert`, `update`, `delete`
    Change(Box<ast::Statement>),
    /// `perform ..`, as the query it is
    Perform(Box<ast::Query>),
    /// `raise exception`
    Raise(Raise),
    /// `return`
    Return(Returned),
    /// `null`, `raise notice`
    Nothing,
}

/// What is assigned to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    /// `new.column`
    New(String),
    Variable(String),
}

/// What a trigger's function gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    New,
    Old,
    Null,
}

/// `raise exception`
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Raise {
    /// The SQLSTATE or the name of a condition.
    pub state: Option<String>,
    /// With a `%` for each argument.
    pub format: Option<String>,
    pub arguments: Vec<ast::Expr>,
    /// `using message = ..`
    pub message: Option<ast::Expr>,
    pub detail: Option<ast::Expr>,
    pub hint: Option<ast::Expr>,
}

pub(crate) use read::read;
