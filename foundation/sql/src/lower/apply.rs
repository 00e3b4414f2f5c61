//! Calls of functions that migrations made, and of those that give rows.

use super::{Lowering, Named, Operand, implicit, object, same};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::functions::rows::{self, RowFunction};
use crate::operation::Call;
use crate::query::Of;
use crate::routine::{Returns, Routine};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast;
use std::sync::Arc;

/// Where the argument of each parameter stands among those given.
type Places = Vec<Option<usize>>;

/// An argument with its name, if it was given by name.
struct Given {
    name: Option<String>,
    operand: Operand,
}

impl Lowering<'_> {
    /// A call of a function of the team's as a value; none if there is none of that name.
    pub(super) fn apply(&mut self, function: &ast::Function) -> Result<Option<Operand>> {
        let Some(candidates) = self.candidates(&function.name) else {
            return Ok(None);
        };
        if function.over.is_some() || function.filter.is_some() {
            return Err(Trouble::unsupported(
                function.to_string(),
                "call the function plainly",
            ));
        }
        let given = self.arguments(args_of(function)?)?;
        let (routine, args) = self.choose(&candidates, given)?;
        let ty = match &routine.returns {
            Returns::Scalar(ty) if !routine.set => ty.clone(),
            Returns::Void => Type::Text,
            Returns::Trigger => {
                return Err(Trouble::invalid(
                    function.to_string(),
                    "trigger functions can only be called as triggers",
                    "create a trigger with it",
                )
                .state("0A000"));
            }
            _ => {
                return Err(Trouble::unsupported(
                    function.to_string(),
                    format!("select from it: (select .. from {}(..))", routine.name),
                ));
            }
        };
        if routine.query().is_none() {
            return Err(Trouble::unsupported(
                function.to_string(),
                "a function that changes rows, or has several statements, is called by itself: over /rpc, or as select f(..)",
            ));
        }
        Ok(Some(Operand::Typed(Expr::Apply {
            routine: routine.id(),
            args,
            ty,
        })))
    }

    /// `select f(..)` or `select * from f(..)` and nothing else, of a function that is more than one query.
    pub(super) fn call_alone(&mut self, query: &ast::Query) -> Result<Option<Call>> {
        let ast::SetExpr::Select(select) = query.body.as_ref() else {
            return Ok(None);
        };
        let plain = query.with.is_none()
            && query.order_by.is_none()
            && query.limit_clause.is_none()
            && select.selection.is_none()
            && select.distinct.is_none()
            && select.having.is_none();
        let (name, args, alias) = match (&select.projection[..], &select.from[..]) {
            ([ast::SelectItem::UnnamedExpr(ast::Expr::Function(function))], []) => {
                (&function.name, args_of(function)?, None)
            }
            (
                [
                    ast::SelectItem::ExprWithAlias {
                        expr: ast::Expr::Function(function),
                        alias,
                    },
                ],
                [],
            ) => (&function.name, args_of(function)?, Some(super::fold(alias))),
            ([ast::SelectItem::Wildcard(_)], [item]) if item.joins.is_empty() => {
                match &item.relation {
                    ast::TableFactor::Table {
                        name,
                        args: Some(args),
                        ..
                    } => (name, &args.args[..], None),
                    ast::TableFactor::Function { name, args, .. } => (name, &args[..], None),
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        let Some(candidates) = self.candidates(name).filter(|_| plain) else {
            return Ok(None);
        };
        if candidates.iter().all(|routine| routine.query().is_some()) {
            return Ok(None);
        }
        let given = self.arguments(args)?;
        let (routine, args) = self.choose(&candidates, given)?;
        if routine.query().is_some() || matches!(routine.returns, Returns::Trigger) {
            return Ok(None);
        }
        let mut columns = routine.columns();
        if let (Returns::Void, None) = (&routine.returns, columns.first()) {
            columns.push((routine.name.clone(), Type::Text));
        }
        if let (Some(alias), [column]) = (alias, &mut columns[..]) {
            column.0 = alias;
        }
        Ok(Some(Call {
            routine: routine.id(),
            args,
            columns,
        }))
    }

    fn candidates(&self, name: &ast::ObjectName) -> Option<Vec<Arc<Routine>>> {
        let (schema, name) = object(name)?;
        let schema = schema.unwrap_or_else(|| "public".to_owned());
        self.catalog.routines.get(&(schema, name)).cloned()
    }

    /// Whether an expression is a call that gives rows.
    pub(super) fn gives_rows(&self, expr: &ast::Expr) -> bool {
        let ast::Expr::Function(function) = expr else {
            return false;
        };
        if let Some(candidates) = self.candidates(&function.name) {
            return candidates.iter().any(|routine| routine.set);
        }
        object(&function.name).is_some_and(|(schema, name)| {
            schema.is_none_or(|schema| schema == "pg_catalog") && rows::named(&name)
        })
    }

    /// A call that gives rows, in the list of a select: it becomes a source.
    pub(super) fn rows_selected(&mut self, expr: &ast::Expr) -> Result<Option<(Of, Named)>> {
        let ast::Expr::Function(function) = expr else {
            return Ok(None);
        };
        if !self.gives_rows(expr) {
            return Ok(None);
        }
        let (of, columns) = self.row_function(&function.name, args_of(function)?, false)?;
        if columns.len() != 1 {
            return Err(Trouble::unsupported(
                expr.to_string(),
                "select from the function: it has several columns",
            ));
        }
        // An alias that no statement can write, so that its columns are found by their place only.
        let alias = format!("\0{}", self.top_mut().sources.len());
        Ok(Some((of, Named::alias(alias, columns))))
    }

    /// A function in `from`, with its columns.
    pub(super) fn row_function(
        &mut self,
        name: &ast::ObjectName,
        args: &[ast::FunctionArg],
        ordinality: bool,
    ) -> Result<(Of, Vec<(String, Type)>)> {
        if let Some(candidates) = self.candidates(name) {
            return self.routine_rows(name, &candidates, args, ordinality);
        }
        let plain = object(name)
            .filter(|(schema, _)| schema.as_ref().is_none_or(|schema| schema == "pg_catalog"));
        let Some((_, plain)) = plain.filter(|(_, name)| rows::named(name)) else {
            return Err(Trouble::unsupported(
                format!("{name}(..) in from"),
                "select from unnest, generate_series, the json functions that give rows, or a function of your own",
            ));
        };
        let given = self.arguments(args)?;
        let operands: Vec<Operand> = given.into_iter().map(|given| given.operand).collect();
        let RowFunction {
            function,
            args,
            mut columns,
        } = rows::resolve(self, &plain, operands)?;
        if ordinality {
            columns.push(("ordinality".to_owned(), Type::Int8));
        }
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let of = Of::Rows {
            function,
            args,
            columns: names,
            ordinality,
        };
        Ok((of, columns))
    }

    fn routine_rows(
        &mut self,
        name: &ast::ObjectName,
        candidates: &[Arc<Routine>],
        args: &[ast::FunctionArg],
        ordinality: bool,
    ) -> Result<(Of, Vec<(String, Type)>)> {
        let given = self.arguments(args)?;
        let (routine, args) = self.choose(candidates, given)?;
        let mut sibling = ordinality;
        for arg in &args {
            arg.walk(0, &mut |depth, expr| {
                sibling |= matches!(expr, Expr::Column { level, .. } if *level == depth);
            });
        }
        if sibling || routine.query().is_none() {
            return Err(Trouble::unsupported(
                format!("{name}(..) in from"),
                "call it with arguments from outside of this select; one that changes rows is called by itself",
            ));
        }
        let columns = routine.columns();
        let of = Of::Routine {
            routine: routine.id(),
            args,
            columns: columns.iter().map(|(name, _)| name.clone()).collect(),
        };
        Ok((of, columns))
    }

    fn arguments(&mut self, args: &[ast::FunctionArg]) -> Result<Vec<Given>> {
        args.iter()
            .map(|arg| match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Ok(Given {
                    name: None,
                    operand: self.operand(expr)?,
                }),
                ast::FunctionArg::Named {
                    name,
                    arg: ast::FunctionArgExpr::Expr(expr),
                    ..
                } => Ok(Given {
                    name: Some(super::fold(name)),
                    operand: self.operand(expr)?,
                }),
                ast::FunctionArg::ExprNamed {
                    name: ast::Expr::Identifier(name),
                    arg: ast::FunctionArgExpr::Expr(expr),
                    ..
                } => Ok(Given {
                    name: Some(super::fold(name)),
                    operand: self.operand(expr)?,
                }),
                other => Err(Trouble::unsupported(
                    other.to_string(),
                    "give the argument plainly, or as name => value",
                )),
            })
            .collect()
    }

    /// The one function the arguments fit, and one argument for each of its parameters.
    fn choose(
        &self,
        candidates: &[Arc<Routine>],
        given: Vec<Given>,
    ) -> Result<(Arc<Routine>, Vec<Expr>)> {
        let mut fitting: Vec<(usize, &Arc<Routine>, Places)> = Vec::new();
        for routine in candidates {
            if let Some((exact, places)) = fits(routine, &given) {
                fitting.push((exact, routine, places));
            }
        }
        let best = fitting.iter().map(|(exact, ..)| *exact).max();
        fitting.retain(|(exact, ..)| Some(*exact) == best);
        let shown = || {
            let name = candidates
                .first()
                .map_or("", |routine| routine.name.as_str());
            let types: Vec<String> = given
                .iter()
                .map(|given| match &given.operand {
                    Operand::Typed(expr) => expr.ty().name(),
                    Operand::Unknown(_) => "unknown".to_owned(),
                })
                .collect();
            format!("{name}({})", types.join(", "))
        };
        let (routine, places) = match &fitting[..] {
            [(_, routine, places)] => (Arc::clone(routine), places.clone()),
            [] => {
                return Err(SqlError::new("42883", format!("function {} does not exist", shown()))
                    .hint("No function matches the given name and argument types. You might need to add explicit type casts.")
                    .into());
            }
            _ => {
                return Err(SqlError::new("42725", format!("function {} is not unique", shown()))
                    .hint("Could not choose a best candidate function. You might need to add explicit type casts.")
                    .into());
            }
        };
        let mut given: Vec<Option<Operand>> =
            given.into_iter().map(|given| Some(given.operand)).collect();
        let mut args = Vec::with_capacity(routine.params.len());
        for (param, place) in routine.params.iter().zip(places) {
            let operand = place.and_then(|place| given[place].take());
            args.push(match (operand, &param.default) {
                (Some(operand), _) => self.coerce(operand, &param.ty)?,
                (None, Some(default)) => default.clone(),
                (None, None) => Expr::Literal {
                    value: Value::Null,
                    ty: param.ty.clone(),
                },
            });
        }
        Ok((routine, args))
    }
}

fn args_of(function: &ast::Function) -> Result<&[ast::FunctionArg]> {
    match &function.args {
        ast::FunctionArguments::None => Ok(&[]),
        ast::FunctionArguments::List(list)
            if list.duplicate_treatment.is_none() && list.clauses.is_empty() =>
        {
            Ok(&list.args)
        }
        _ => Err(Trouble::unsupported(
            function.to_string(),
            "give the arguments plainly",
        )),
    }
}

/// Where each parameter's argument stands, if the arguments fit at all, and how many have its very type.
fn fits(routine: &Routine, given: &[Given]) -> Option<(usize, Places)> {
    let mut places = vec![None; routine.params.len()];
    for (index, argument) in given.iter().enumerate() {
        let at = match &argument.name {
            None => index,
            Some(name) => routine
                .params
                .iter()
                .position(|param| param.name.as_ref() == Some(name))?,
        };
        if places.get(at)?.is_some() {
            return None;
        }
        places[at] = Some(index);
    }
    let mut exact = 0;
    for (param, place) in routine.params.iter().zip(&places) {
        match place {
            None => {
                param.default.as_ref()?;
            }
            Some(place) => match &given[*place].operand {
                Operand::Unknown(_) => {}
                Operand::Typed(expr) if expr.ty() == param.ty => exact += 1,
                Operand::Typed(expr)
                    if same(&expr.ty(), &param.ty) || implicit(&expr.ty(), &param.ty) => {}
                Operand::Typed(_) => return None,
            },
        }
    }
    Some((exact, places))
}
