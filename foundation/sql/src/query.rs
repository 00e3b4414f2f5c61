//! Queries of views, functions and sub-selects: typed and resolved, independent of the parser.
//!
//! A query is one level of names for the expressions in it: `Column { level: 0, .. }` means a source of the select that the expression
//! stands in. The arms of a `union` are selects of their own at the same depth. What a query reads is named, so that the policies of each
//! table are those that hold when it is rendered.

use crate::expr::{ChangeExpr, Expr, Part, Tables};
use crate::routine::RoutineId;
use crate::types::Type;
use serde::{Deserialize, Serialize};

/// A query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// `with`, in order.
    pub with: Vec<Cte>,
    /// What it selects from where.
    pub body: Body,
    /// First decides. Of a select its expressions are over its sources; of anything else they are columns of its one source, its rows.
    pub order: Vec<Order>,
    /// `limit`
    pub limit: Option<Expr>,
    /// `offset`
    pub offset: Option<Expr>,
}

/// One name of a `with`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// What it stands for.
    pub query: Query,
    /// Whether it may ask for itself.
    pub recursive: bool,
}

/// What a query selects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// `select`
    Select(Box<Select>),
    /// `values`, each row as long as the others, of the same types.
    Values(Vec<Vec<Expr>>),
    /// A query in parentheses.
    Query(Box<Query>),
    /// `union`, `intersect`, `except`; both sides have columns of the same types.
    Set {
        /// Which.
        operator: SetOperator,
        /// Whether equal rows are kept.
        all: bool,
        /// The first side.
        left: Box<Body>,
        /// The second side.
        right: Box<Body>,
    },
}

/// How two sets of rows become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetOperator {
    /// `union`
    Union,
    /// `intersect`
    Intersect,
    /// `except`
    Except,
}

/// `select`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Select {
    /// Whether equal rows are one.
    pub distinct: Distinct,
    /// What it selects, with the names in the result.
    pub columns: Vec<Output>,
    /// Where from, in order.
    pub from: Vec<Source>,
    /// `where`
    pub filter: Option<Expr>,
    /// `group by`
    pub group: Vec<Expr>,
    /// `having`
    pub having: Option<Expr>,
}

/// `distinct`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Distinct {
    /// All rows.
    #[default]
    No,
    /// Equal rows are one.
    Rows,
    /// The first row of each set that has these equal.
    On(Vec<Expr>),
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its value.
    pub expr: Expr,
}

/// A term of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// What is ordered by.
    pub expr: Expr,
    /// `desc`
    pub descending: bool,
    /// Where nulls stand, as written or as Postgres has it: last, and first when descending.
    pub nulls_first: bool,
}

/// Something selected from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// What.
    pub of: Of,
    /// How it is joined to those before it.
    pub join: Join,
    /// `on`, for all but the first.
    pub on: Option<Expr>,
}

/// How a source is joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Join {
    /// Rows that match, or all pairs.
    #[default]
    Inner,
    /// Every row of those before it.
    Left,
    /// Every row of its own.
    Right,
    /// Every row of both.
    Full,
}

/// What is selected from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Of {
    /// A table or a view; its own policies apply when it is rendered.
    Table {
        /// Its schema.
        schema: String,
        /// Its name.
        name: String,
    },
    /// A sub-select.
    Query(Box<Query>),
    /// A name of a `with` around.
    Cte {
        /// The name.
        name: String,
    },
    /// A function of ours that gives rows, over the sources before it.
    Rows {
        /// Its name in SQLite: it gives a JSON array of the rows.
        function: String,
        /// Arguments, coerced.
        args: Vec<Expr>,
        /// The names of its columns.
        columns: Vec<String>,
        /// Whether a last column counts the rows.
        ordinality: bool,
    },
    /// A function of the team's.
    Routine {
        /// Which.
        routine: RoutineId,
        /// Arguments, coerced.
        args: Vec<Expr>,
        /// The names its columns go by.
        columns: Vec<String>,
    },
}

impl Query {
    /// A query that is one select.
    pub(crate) fn select(select: Select) -> Query {
        Query {
            with: Vec::new(),
            body: Body::Select(Box::new(select)),
            order: Vec::new(),
            limit: None,
            offset: None,
        }
    }

    /// The names and types of its columns.
    pub fn columns(&self) -> Vec<(String, Type)> {
        self.body.columns()
    }

    pub(crate) fn walk(&self, depth: u32, visit: &mut dyn FnMut(u32, &Expr)) {
        self.parts(&mut |part| match part {
            Part::Expr(expr) => expr.walk_dyn(depth + 1, visit),
            Part::Query(query) => query.walk(depth, visit),
        });
    }

    pub(crate) fn parts<'a>(&'a self, visit: &mut dyn FnMut(Part<'a>)) {
        for cte in &self.with {
            visit(Part::Query(&cte.query));
        }
        self.body.parts(visit);
        let order = self.order.iter().map(|term| &term.expr);
        let exprs = order.chain(&self.limit).chain(&self.offset);
        exprs.for_each(|expr| visit(Part::Expr(expr)));
    }

    pub(crate) fn walk_mut(&mut self, scope: &mut Tables, visit: &mut ChangeExpr<'_>) {
        for cte in &mut self.with {
            cte.query.walk_mut(scope, visit);
        }
        let order = self.order.iter_mut().map(|term| &mut term.expr);
        let mut rest: Vec<&mut Expr> = order
            .chain(&mut self.limit)
            .chain(&mut self.offset)
            .collect();
        self.body.walk_mut(scope, &mut rest, visit);
    }

    pub(crate) fn rename_sources(&mut self, from: &(String, String), to: &(String, String)) {
        for cte in &mut self.with {
            cte.query.rename_sources(from, to);
        }
        let order = self.order.iter_mut().map(|term| &mut term.expr);
        let exprs = order.chain(&mut self.limit).chain(&mut self.offset);
        exprs.for_each(|expr| expr.rename_sources(from, to));
        self.body.rename_sources(from, to);
    }

    /// Every table and view it reads, those of its sub-selects too.
    pub fn tables(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.each_source(&mut |source| {
            if let Of::Table { schema, name } = &source.of {
                found.push((schema.clone(), name.clone()));
            }
        });
        found
    }

    /// Calls `visit` with every source, those of its sub-selects too.
    pub(crate) fn each_source(&self, visit: &mut dyn FnMut(&Source)) {
        self.body.each_source(visit);
        self.parts(&mut |part| match part {
            Part::Query(query) => query.each_source(visit),
            Part::Expr(expr) => expr.each_source(visit),
        });
    }
}

impl Expr {
    /// Calls `visit` with every source of its sub-selects.
    pub(crate) fn each_source(&self, visit: &mut dyn FnMut(&Source)) {
        self.parts(&mut |part| match part {
            Part::Query(query) => query.each_source(visit),
            Part::Expr(expr) => expr.each_source(visit),
        });
    }
}

impl Body {
    /// The names and types of its columns.
    pub fn columns(&self) -> Vec<(String, Type)> {
        match self {
            Body::Select(select) => select
                .columns
                .iter()
                .map(|output| (output.name.clone(), output.expr.ty()))
                .collect(),
            Body::Values(rows) => rows
                .first()
                .into_iter()
                .flatten()
                .enumerate()
                .map(|(index, expr)| (format!("column{}", index + 1), expr.ty()))
                .collect(),
            Body::Query(query) => query.columns(),
            Body::Set { left, .. } => left.columns(),
        }
    }

    fn each_source(&self, visit: &mut dyn FnMut(&Source)) {
        match self {
            Body::Select(select) => select.from.iter().for_each(visit),
            Body::Set { left, right, .. } => {
                left.each_source(visit);
                right.each_source(visit);
            }
            Body::Values(_) | Body::Query(_) => {}
        }
    }

    fn parts<'a>(&'a self, visit: &mut dyn FnMut(Part<'a>)) {
        match self {
            Body::Select(select) => select.parts(visit),
            Body::Values(rows) => rows
                .iter()
                .flatten()
                .for_each(|expr| visit(Part::Expr(expr))),
            Body::Query(query) => visit(Part::Query(query)),
            Body::Set { left, right, .. } => {
                left.parts(visit);
                right.parts(visit);
            }
        }
    }

    fn walk_mut(&mut self, scope: &mut Tables, rest: &mut [&mut Expr], visit: &mut ChangeExpr<'_>) {
        match self {
            Body::Select(select) => {
                for source in &mut select.from {
                    if let Of::Query(query) = &mut source.of {
                        query.walk_mut(scope, visit);
                    }
                }
                scope.push(select.tables());
                select.exprs_mut(&mut |expr| expr.walk_mut_dyn(scope, visit));
            }
            Body::Values(rows) => {
                scope.push(Vec::new());
                for expr in rows.iter_mut().flatten() {
                    expr.walk_mut_dyn(scope, visit);
                }
            }
            Body::Query(query) => {
                query.walk_mut(scope, visit);
                scope.push(Vec::new());
            }
            Body::Set { left, right, .. } => {
                left.walk_mut(scope, &mut [], visit);
                right.walk_mut(scope, &mut [], visit);
                scope.push(Vec::new());
            }
        }
        for expr in rest {
            expr.walk_mut_dyn(scope, visit);
        }
        scope.pop();
    }

    fn rename_sources(&mut self, from: &(String, String), to: &(String, String)) {
        match self {
            Body::Select(select) => {
                for source in &mut select.from {
                    source.rename(from, to);
                }
                select.exprs_mut(&mut |expr| expr.rename_sources(from, to));
            }
            Body::Values(rows) => rows
                .iter_mut()
                .flatten()
                .for_each(|expr| expr.rename_sources(from, to)),
            Body::Query(query) => query.rename_sources(from, to),
            Body::Set { left, right, .. } => {
                left.rename_sources(from, to);
                right.rename_sources(from, to);
            }
        }
    }
}

impl Source {
    /// Selects from a table by its new name.
    pub(crate) fn rename(&mut self, from: &(String, String), to: &(String, String)) {
        match &mut self.of {
            Of::Table { schema, name } if *schema == from.0 && *name == from.1 => {
                schema.clone_from(&to.0);
                name.clone_from(&to.1);
            }
            Of::Query(query) => query.rename_sources(from, to),
            _ => {}
        }
    }
}

impl Select {
    fn tables(&self) -> Vec<(String, String)> {
        self.from
            .iter()
            .map(|source| match &source.of {
                Of::Table { schema, name } => (schema.clone(), name.clone()),
                _ => (String::new(), String::new()),
            })
            .collect()
    }

    fn parts<'a>(&'a self, visit: &mut dyn FnMut(Part<'a>)) {
        for source in &self.from {
            match &source.of {
                Of::Query(query) => visit(Part::Query(query)),
                Of::Rows { args, .. } | Of::Routine { args, .. } => {
                    args.iter().for_each(|arg| visit(Part::Expr(arg)));
                }
                Of::Table { .. } | Of::Cte { .. } => {}
            }
        }
        let on = self.from.iter().filter_map(|source| source.on.as_ref());
        let distinct = match &self.distinct {
            Distinct::On(exprs) => exprs.as_slice(),
            Distinct::No | Distinct::Rows => &[],
        };
        let exprs = on
            .chain(self.columns.iter().map(|output| &output.expr))
            .chain(&self.filter)
            .chain(&self.group)
            .chain(&self.having)
            .chain(distinct);
        exprs.for_each(|expr| visit(Part::Expr(expr)));
    }

    /// Every expression on this level; sources that are sub-selects are not.
    fn exprs_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        for source in &mut self.from {
            if let Of::Rows { args, .. } | Of::Routine { args, .. } = &mut source.of {
                args.iter_mut().for_each(&mut *visit);
            }
            source.on.iter_mut().for_each(&mut *visit);
        }
        if let Distinct::On(exprs) = &mut self.distinct {
            exprs.iter_mut().for_each(&mut *visit);
        }
        self.columns
            .iter_mut()
            .map(|output| &mut output.expr)
            .chain(&mut self.filter)
            .chain(&mut self.group)
            .chain(&mut self.having)
            .for_each(visit);
    }
}
