//! Aggregates: what each is fed and gives. How the engine computes them is in `render::aggregate`.

use super::{Lowering, Operand, number, object, textual};
use crate::error::SqlError;
use crate::expr::{Aggregate, Expr};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;

const NAMES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "bool_and",
    "bool_or",
    "every",
    "string_agg",
    "array_agg",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
];

/// Whether an expression is a call of an aggregate.
pub(super) fn is_aggregate(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::Function(function) => aggregate_name(function).is_some(),
        ast::Expr::Nested(inner) => is_aggregate(inner),
        _ => false,
    }
}

fn aggregate_name(function: &ast::Function) -> Option<String> {
    let (schema, name) = object(&function.name)?;
    (schema.is_none_or(|schema| schema == "pg_catalog") && NAMES.contains(&name.as_str()))
        .then_some(name)
}

impl Lowering<'_> {
    /// A call of an aggregate; none if the function is no aggregate.
    pub(super) fn aggregate(&mut self, function: &ast::Function) -> Result<Option<Operand>> {
        let Some(name) = aggregate_name(function) else {
            return Ok(None);
        };
        if function.over.is_some() || !function.within_group.is_empty() {
            return Err(Trouble::unsupported(
                function.to_string(),
                "aggregate over groups, or count in the app",
            ));
        }
        if !self.aggregates {
            return Err(Trouble::invalid(
                function.to_string(),
                "aggregate functions are not allowed here",
                "put it into what a sub-select selects: (select count(*) from ..)",
            )
            .state("42803"));
        }
        self.aggregates = false;
        let lowered = self.aggregate_within(&name, function);
        self.aggregates = true;
        lowered.map(|aggregate| Some(Operand::Typed(Expr::Aggregate(Box::new(aggregate)))))
    }

    fn aggregate_within(&mut self, name: &str, function: &ast::Function) -> Result<Aggregate> {
        let refused = || Trouble::unsupported(function.to_string(), "call it with plain arguments");
        let ast::FunctionArguments::List(list) = &function.args else {
            return Err(refused());
        };
        let mut operands = Vec::new();
        for arg in &list.args {
            match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => {
                    operands.push(self.operand(expr)?);
                }
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard)
                    if name == "count" && list.args.len() == 1 => {}
                _ => return Err(refused()),
            }
        }
        let mut order = Vec::new();
        for clause in &list.clauses {
            let ast::FunctionArgumentClause::OrderBy(terms) = clause else {
                return Err(refused());
            };
            for term in terms {
                let expr = self.value(&term.expr)?;
                order.push(self.term(term, expr)?);
            }
        }
        let filter = function
            .filter
            .as_ref()
            .map(|filter| self.condition(filter))
            .transpose()?;
        let distinct = match list.duplicate_treatment {
            None | Some(ast::DuplicateTreatment::All) => false,
            Some(ast::DuplicateTreatment::Distinct) => true,
        };
        let args = operands
            .into_iter()
            .map(|operand| self.settle(operand))
            .collect::<Result<Vec<_>>>()?;
        let (args, ty) = self.fed(name, args)?;
        if distinct && order.iter().any(|term| !args.contains(&term.expr)) {
            return Err(Trouble::invalid(
                function.to_string(),
                "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
                "order by the argument",
            )
            .state("42P10"));
        }
        Ok(Aggregate {
            name: name.to_owned(),
            args,
            distinct,
            order,
            filter,
            ty,
        })
    }

    /// The arguments as the aggregate takes them, and what it gives.
    pub(super) fn fed(&self, name: &str, mut args: Vec<Expr>) -> Result<(Vec<Expr>, Type)> {
        let types: Vec<Type> = args.iter().map(Expr::ty).collect();
        let missing = || {
            let names: Vec<String> = types.iter().map(Type::name).collect();
            Trouble::from(
                SqlError::new(
                    "42883",
                    format!("function {name}({}) does not exist", names.join(", ")),
                )
                .hint("No function matches the given name and argument types. You might need to add explicit type casts."),
            )
        };
        let ty = match (name, &types[..]) {
            ("count", [] | [_]) => Type::Int8,
            ("sum", [Type::Int2 | Type::Int4]) => Type::Int8,
            ("sum" | "avg", [Type::Int8 | Type::Numeric(_)])
            | ("avg", [Type::Int2 | Type::Int4]) => Type::Numeric(None),
            ("sum", [ty @ (Type::Float4 | Type::Float8 | Type::Interval)]) => ty.clone(),
            ("avg", [Type::Float4 | Type::Float8]) => Type::Float8,
            ("avg", [Type::Interval]) => Type::Interval,
            ("min" | "max", [ty]) if extreme(ty) => match ty {
                Type::Varchar(_) => Type::Text,
                Type::Numeric(_) => Type::Numeric(None),
                ty => ty.clone(),
            },
            ("bool_and" | "bool_or" | "every", [Type::Bool]) => Type::Bool,
            ("string_agg", [text, separator]) if textual(text) && textual(separator) => Type::Text,
            ("array_agg", [ty]) if !matches!(ty, Type::Array(_)) => {
                Type::Array(Box::new(ty.clone()))
            }
            ("json_agg", [_]) | ("json_object_agg", [_, _]) => Type::Json,
            ("jsonb_agg", [_]) | ("jsonb_object_agg", [_, _]) => Type::Jsonb,
            _ => return Err(missing()),
        };
        if name.ends_with("object_agg")
            && let Some(key) = args.first_mut()
            && !textual(&key.ty())
        {
            *key = Expr::Cast {
                expr: Box::new(key.clone()),
                ty: Type::Text,
            };
        }
        Ok((args, ty))
    }
}

/// Types that have a least and a greatest.
fn extreme(ty: &Type) -> bool {
    number(ty)
        || textual(ty)
        || matches!(
            ty,
            Type::Date
                | Type::Time
                | Type::Timestamp
                | Type::Timestamptz
                | Type::Interval
                | Type::Enum(_)
        )
}
