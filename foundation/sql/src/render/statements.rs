//! What is asked, as the statements that are run: one, or those of a function called by itself.

use super::{Renderer, Scope};
use crate::catalog::Catalog;
use crate::error::SqlError;
use crate::expr::Expr;
use crate::operation::Operation;
use crate::statement::Statement;
use crate::types::Type;
use crate::value::Value;
use pando_kernel::Role;

/// A statement with the columns of its answer.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// What is run.
    pub statement: Statement,
    /// The names and types of what it answers; none for a change without `returning`.
    pub columns: Vec<(String, Type)>,
    /// Whether it changes rows.
    pub writes: bool,
    /// The table whose rows it changes, (schema, name).
    pub table: Option<(String, String)>,
    /// Whose rights it has.
    pub role: Role,
}

/// Renders a statement for a role; its parameters are [`crate::Bind::Input`]s, in order. A function called by itself becomes the statements of its body, in order, of which the last
/// one's answer is the answer.
///
/// Errors: 42P17 when policies ask for each other without end; 42501 for a function the role may not call; 54001 for functions that call each other without end.
pub fn render_statements(
    catalog: &Catalog,
    role: Role,
    operation: &Operation,
) -> Result<Vec<Rendered>, SqlError> {
    let mut statements = Vec::new();
    expand(catalog, role, operation, None, 0, &mut statements)?;
    Ok(statements)
}

/// How deep functions that change rows may call one another.
const CALLS: usize = 16;

fn expand(
    catalog: &Catalog,
    role: Role,
    operation: &Operation,
    frame: Option<&[Expr]>,
    depth: usize,
    statements: &mut Vec<Rendered>,
) -> Result<(), SqlError> {
    let Operation::Call(call) = operation else {
        let mut statement = Statement::new();
        let scope = Scope::default();
        let mut renderer = Renderer::new(catalog, role, &scope, &mut statement);
        if let Some(frame) = frame {
            let mut texts = Vec::with_capacity(frame.len());
            for arg in frame {
                let text = renderer.apart(|renderer| renderer.expr(arg))?;
                texts.push(format!("({text})"));
            }
            renderer.frames.push(texts);
        }
        renderer.operation(operation)?;
        statements.push(Rendered {
            statement,
            columns: operation.columns(),
            writes: operation.writes(),
            table: operation.table(),
            role,
        });
        return Ok(());
    };
    if depth >= CALLS {
        return Err(SqlError::new("54001", "stack depth limit exceeded"));
    }
    let mut probe = Statement::new();
    let scope = Scope::default();
    let routine = Renderer::new(catalog, role, &scope, &mut probe).routine(&call.routine)?;
    let args: Vec<Expr> = call
        .args
        .iter()
        .map(|arg| {
            let mut arg = arg.clone();
            if let Some(frame) = frame {
                arg.walk_mut(&mut Vec::new(), &mut |_, expr| {
                    if let Expr::Param { index, .. } = expr
                        && let Some(value) = frame.get(*index as usize)
                    {
                        *expr = value.clone();
                    }
                });
            }
            arg
        })
        .collect();
    let role = if routine.definer { Role::Service } else { role };
    if routine.strict {
        let known = |arg: &Expr| match arg {
            Expr::Literal { value, .. } => Some(value.is_null()),
            _ => None,
        };
        let nulls: Option<Vec<bool>> = args.iter().map(known).collect();
        let Some(nulls) = nulls else {
            return Err(SqlError::new(
                "0A000",
                format!(
                    "strict function {} changes rows, and its arguments are not constants",
                    routine.name
                ),
            )
            .hint("Call it over /rpc, or leave out strict."));
        };
        if nulls.contains(&true) {
            let mut statement = Statement::new();
            statement.push("SELECT NULL");
            statements.push(Rendered {
                statement,
                columns: call.columns.first().cloned().into_iter().collect(),
                writes: false,
                table: None,
                role,
            });
            return Ok(());
        }
    }
    let crate::routine::Body::Sql(operations) = &routine.body else {
        return Err(SqlError::new(
            "0A000",
            "trigger functions can only be called as triggers",
        ));
    };
    for (index, operation) in operations.iter().enumerate() {
        let last =
            index + 1 == operations.len() && routine.returns != crate::routine::Returns::Void;
        match operation {
            Operation::Select(query) if last && !routine.set && query.limit.is_none() => {
                let mut first = query.clone();
                first.limit = Some(Expr::Literal {
                    value: Value::Int(1),
                    ty: Type::Int8,
                });
                let first = Operation::Select(first);
                expand(catalog, role, &first, Some(&args), depth + 1, statements)?;
                // What gives one value gives it even where there is no row.
                if let Some(last) = statements.last_mut() {
                    last.statement.sql = format!(
                        "SELECT answer.* FROM (SELECT 1) LEFT JOIN ({}) AS answer ON TRUE",
                        last.statement.sql
                    );
                }
            }
            operation => expand(catalog, role, operation, Some(&args), depth + 1, statements)?,
        }
    }
    if routine.returns == crate::routine::Returns::Void {
        let mut statement = Statement::new();
        statement.push("SELECT NULL AS ").ident(&routine.name);
        statements.push(Rendered {
            statement,
            columns: Vec::new(),
            writes: false,
            table: None,
            role,
        });
    }
    if let Some(last) = statements.last_mut() {
        last.columns.clone_from(&call.columns);
    }
    Ok(())
}
