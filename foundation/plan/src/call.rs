//! A call of a function becomes a read of what it gives.
//!
//! A function whose body is one query that changes nothing is a source as a view is. Any other is run statement by statement; the rows of
//! its last one, in stored form, are then the source.

use crate::error::PlanError;
use crate::input::{self, InputSlot, InputType};
use crate::planner::Planner;
use crate::read::{PlanLimits, ReadPlan, plan_source};
use crate::request::{Call, Input, Read};
use pando_kernel::Role;
use pando_sql::catalog::{Column, Table, View};
use pando_sql::expr::Expr;
use pando_sql::operation::Operation;
use pando_sql::privilege::{Privilege, Privileges};
use pando_sql::query::{Body, Distinct, Join, Of, Output, Query, Select, Source};
use pando_sql::render::{Rendered, Scope, render_expr, render_statements};
use pando_sql::routine::{self, Returns, Routine, Volatility};
use pando_sql::{Bind, Catalog, SqlError, Statement, Type, Value};
use std::sync::Arc;

/// The name of the column of a function that gives values, where a row is wanted of it.
const VALUE: &str = "pgrst_scalar";

/// A call, planned for a role: it serves every call of its shape.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// What is answered of what it gives; none for `void`.
    pub read: Option<Arc<ReadPlan>>,
    /// What is run before; none for a function that is a source by itself.
    pub steps: Option<Steps>,
    /// Whether it gives any number of rows.
    pub set: bool,
    /// Whether it gives values instead of rows.
    pub scalar: bool,
}

/// What a function does.
#[derive(Clone, Debug)]
pub struct Steps {
    /// One row: the value of each parameter. Its inputs are those of [`CallPlan::bind_arguments`].
    pub arguments: Option<Statement>,
    /// Does nothing and gives null if one of them is null.
    pub strict: bool,
    /// Run in order; their inputs are the arguments.
    pub operations: Vec<Rendered>,
    /// The types of what the last one answers.
    pub types: Vec<Type>,
    /// What it does first that changes anything, as Postgres calls it.
    pub writes: Option<&'static str>,
    inputs: Vec<InputSlot>,
}

impl CallPlan {
    /// Where in the inputs of `read` the rows of the last step are put.
    pub const ROWS: usize = 0;

    /// Reads the arguments of the steps by the types of their parameters.
    ///
    /// # Errors
    /// As Postgres' input functions: 22P02, 22003, 22007, ..
    pub fn bind_arguments(&self, inputs: &[Input]) -> Result<Vec<Value>, SqlError> {
        match &self.steps {
            Some(steps) => input::bind(&steps.inputs, inputs),
            None => Ok(Vec::new()),
        }
    }
}

/// Plans the call of a function for a role.
///
/// # Errors
/// 42501 for a function the role may not call, and those of a read.
pub fn plan_call(
    catalog: &Catalog,
    role: Role,
    read: &Read,
    call: &Call,
    limits: &PlanLimits,
) -> Result<CallPlan, PlanError> {
    let routine = catalog.routine(&call.routine).ok_or_else(|| {
        SqlError::new(
            "42883",
            format!("function {} does not exist", call.routine.name),
        )
    })?;
    if role != Role::Service && routine.revoked.iter().any(|name| name == role.name()) {
        return Err(SqlError::new(
            "42501",
            format!("permission denied for function {}", routine.name),
        )
        .into());
    }
    let mut planner = Planner::new(catalog, role, limits, &read.schema);
    let scalar = matches!(routine.returns, Returns::Scalar(_));
    let plan = |read, steps| CallPlan {
        read,
        steps,
        set: routine.set,
        scalar,
    };
    if is_source(routine) {
        planner.inputs = slots(routine, call);
        let table = table_of(routine, source_query(routine, call));
        let read = plan_source(planner, read, &table)?;
        return Ok(plan(Some(Arc::new(read)), None));
    }
    let steps = steps(catalog, role, routine, call)?;
    if routine.returns == Returns::Void {
        return Ok(plan(None, Some(steps)));
    }
    planner.inputs = vec![InputSlot {
        slot: crate::request::Slot(0),
        ty: InputType::Result,
    }];
    let table = table_of(routine, rows_query(routine));
    let read = plan_source(planner, read, &table)?;
    Ok(plan(Some(Arc::new(read)), Some(steps)))
}

/// Whether a function is one query that changes nothing.
fn is_source(routine: &Routine) -> bool {
    routine.returns != Returns::Void
        && !routine.writes()
        && matches!(&routine.body, routine::Body::Sql(operations) if matches!(&operations[..], [Operation::Select(_)]))
}

/// The arguments given, in order: the n-th is the n-th input.
fn slots(routine: &Routine, call: &Call) -> Vec<InputSlot> {
    call.args
        .iter()
        .filter_map(|(index, slot)| {
            let param = routine.params.get(*index as usize)?;
            Some(InputSlot {
                slot: *slot,
                ty: InputType::Scalar(param.ty.clone()),
            })
        })
        .collect()
}

/// Every argument: a parameter of the statement, or the default.
fn arguments(routine: &Routine, call: &Call) -> Vec<Expr> {
    let params = routine.params.iter().enumerate();
    params
        .map(|(index, param)| {
            let given = call.args.iter().position(|(at, _)| *at as usize == index);
            match (given, &param.default) {
                (Some(at), _) => Expr::Param {
                    index: at as u32,
                    ty: param.ty.clone(),
                },
                (None, Some(default)) => default.clone(),
                (None, None) => Expr::Literal {
                    value: Value::Null,
                    ty: param.ty.clone(),
                },
            }
        })
        .collect()
}

fn steps(
    catalog: &Catalog,
    role: Role,
    routine: &Routine,
    call: &Call,
) -> Result<Steps, PlanError> {
    let routine::Body::Sql(operations) = &routine.body else {
        return Err(
            SqlError::new("0A000", "trigger functions can only be called as triggers").into(),
        );
    };
    let writes = operations
        .iter()
        .find_map(|operation| verb(catalog, operation, 0));
    if let Some(verb) = writes.filter(|_| routine.volatility != Volatility::Volatile) {
        return Err(SqlError::new(
            "0A000",
            format!("{verb} is not allowed in a non-volatile function"),
        )
        .into());
    }
    let owner = if routine.definer { Role::Service } else { role };
    let rendered = operations
        .iter()
        .map(|operation| render_statements(catalog, owner, operation))
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    let mut statement = Statement::new();
    for (index, argument) in arguments(routine, call).iter().enumerate() {
        statement.push(if index == 0 { "SELECT " } else { ", " });
        match argument {
            Expr::Param { index, .. } => {
                statement.bind(Bind::Input(*index));
            }
            default => render_expr(catalog, role, default, &Scope::default(), &mut statement)?,
        }
    }
    Ok(Steps {
        arguments: (!routine.params.is_empty()).then_some(statement),
        strict: routine.strict,
        operations: rendered,
        types: routine.columns().into_iter().map(|(_, ty)| ty).collect(),
        writes,
        inputs: slots(routine, call),
    })
}

/// How deep functions may call one another where it is asked what they do.
const CALLS_MAX: usize = 16;

/// What a statement changes things by, as Postgres calls it.
fn verb(catalog: &Catalog, operation: &Operation, depth: usize) -> Option<&'static str> {
    match operation {
        Operation::Call(call) => {
            let routine = catalog
                .routine(&call.routine)
                .filter(|_| depth < CALLS_MAX)?;
            let routine::Body::Sql(operations) = &routine.body else {
                return None;
            };
            operations
                .iter()
                .find_map(|operation| verb(catalog, operation, depth + 1))
        }
        Operation::Insert(_) => Some("INSERT"),
        Operation::Update(_) => Some("UPDATE"),
        Operation::Delete(_) => Some("DELETE"),
        Operation::Select(_) => operation.writes().then_some("nextval()"),
    }
}

/// The columns of what a function gives.
fn columns(routine: &Routine) -> Vec<(String, Type)> {
    match &routine.returns {
        Returns::Scalar(ty) => vec![(VALUE.to_owned(), ty.clone())],
        _ => routine.columns(),
    }
}

/// What a function gives as a view of its own. Rows of a table go by the table's name, under which its keys are found.
fn table_of(routine: &Routine, query: Query) -> Table {
    let (schema, name) = match &routine.returns {
        Returns::Row {
            table: Some((schema, name)),
            ..
        } => (schema.clone(), name.clone()),
        // No table has this schema.
        _ => (String::new(), routine.name.clone()),
    };
    Table {
        schema,
        name,
        columns: columns(routine)
            .into_iter()
            .map(|(name, ty)| Column::of_view(name, ty))
            .collect(),
        primary_key: None,
        uniques: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        indexes: Vec::new(),
        rls_enabled: false,
        policies: Vec::new(),
        triggers: Vec::new(),
        comment: None,
        // What it gives is given to whoever may call it.
        privileges: Privileges::everything(&[Privilege::Select]),
        view: Some(View {
            query,
            invoker: true,
            check: None,
            source: String::new(),
        }),
    }
}

fn select(outputs: Vec<Output>, from: Vec<Source>) -> Query {
    Query {
        with: Vec::new(),
        body: Body::Select(Box::new(Select {
            distinct: Distinct::No,
            columns: outputs,
            from,
            filter: None,
            group: Vec::new(),
            having: None,
        })),
        order: Vec::new(),
        limit: None,
        offset: None,
    }
}

fn source(of: Of) -> Source {
    Source {
        of,
        join: Join::Inner,
        on: None,
    }
}

/// `select * from f(..)`. What gives one row gives one of nulls where its query finds none.
fn source_query(routine: &Routine, call: &Call) -> Query {
    let columns = columns(routine);
    let called = Of::Routine {
        routine: routine.id(),
        args: arguments(routine, call),
        columns: columns.iter().map(|(name, _)| name.clone()).collect(),
    };
    let always = || Expr::Literal {
        value: Value::Int(1),
        ty: Type::Bool,
    };
    let (at, from) = if routine.set {
        (0, vec![source(called)])
    } else {
        let one = select(
            vec![Output {
                name: "one".to_owned(),
                expr: always(),
            }],
            Vec::new(),
        );
        let joined = Source {
            of: called,
            join: Join::Left,
            on: Some(always()),
        };
        (1, vec![source(Of::Query(Box::new(one))), joined])
    };
    let outputs = columns
        .into_iter()
        .map(|(name, ty)| Output {
            expr: Expr::Column {
                level: 0,
                source: at,
                name: name.clone(),
                ty,
            },
            name,
        })
        .collect();
    select(outputs, from)
}

/// The rows of the last step.
fn rows_query(routine: &Routine) -> Query {
    let columns = columns(routine);
    let rows = Of::Rows {
        function: "json".to_owned(),
        args: vec![Expr::Param {
            index: CallPlan::ROWS as u32,
            ty: Type::Text,
        }],
        columns: columns.iter().map(|(name, _)| name.clone()).collect(),
        ordinality: false,
    };
    let outputs = columns
        .into_iter()
        .map(|(name, ty)| {
            let column = |ty| Expr::Column {
                level: 0,
                source: 0,
                name: name.clone(),
                ty,
            };
            // Bytes come as text, which is all that JSON has.
            let expr = match ty {
                Type::Bytea => Expr::Cast {
                    expr: Box::new(column(Type::Text)),
                    ty,
                },
                ty => column(ty),
            };
            Output { name, expr }
        })
        .collect();
    select(outputs, vec![source(rows)])
}
