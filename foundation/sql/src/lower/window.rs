//! Window functions: over the rows of the query they stand in, after it was filtered and grouped.

use super::{Lowering, Operand, object};
use crate::error::SqlError;
use crate::expr::{Expr, Window};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;

impl Lowering<'_> {
    /// `f(..) over (..)`
    pub(super) fn window(
        &mut self,
        function: &ast::Function,
        over: &ast::WindowType,
    ) -> Result<Operand> {
        let refused = |what: String| {
            Trouble::unsupported(
                what,
                "use row_number, rank, dense_rank, ntile, lag, lead, first_value, last_value, count, sum, avg, min or max over (..)",
            )
        };
        let ast::WindowType::WindowSpec(spec) = over else {
            return Err(refused(function.to_string()));
        };
        if !self.aggregates {
            return Err(Trouble::invalid(
                function.to_string(),
                "window functions are not allowed here",
                "put it into what a query selects",
            )
            .state("42P20"));
        }
        if spec.window_name.is_some() || spec.window_frame.is_some() || function.filter.is_some() {
            return Err(refused(format!("{function}")));
        }
        let Some((None, name)) = object(&function.name) else {
            return Err(refused(function.to_string()));
        };
        let ast::FunctionArguments::List(list) = &function.args else {
            return Err(refused(function.to_string()));
        };
        if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(refused(function.to_string()));
        }
        let mut args = Vec::new();
        for arg in &list.args {
            match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => {
                    args.push(self.operand(expr)?);
                }
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard) if name == "count" => {}
                _ => return Err(refused(function.to_string())),
            }
        }
        let (args, ty) = self.windowed(&name, args)?;
        let partition = spec
            .partition_by
            .iter()
            .map(|expr| {
                let lowered = self.value(expr)?;
                super::group::equatable(&lowered.ty())?;
                Ok(lowered)
            })
            .collect::<Result<_>>()?;
        let mut order = Vec::with_capacity(spec.order_by.len());
        for term in &spec.order_by {
            let expr = self.value(&term.expr)?;
            order.push(self.term(term, expr)?);
        }
        Ok(Operand::Typed(Expr::Window(Box::new(Window {
            name,
            args,
            partition,
            order,
            ty,
        }))))
    }

    fn windowed(&self, name: &str, operands: Vec<Operand>) -> Result<(Vec<Expr>, Type)> {
        let count = operands.len();
        let mut args = operands
            .into_iter()
            .map(|operand| self.settle(operand))
            .collect::<Result<Vec<_>>>()?;
        let first = args.first().map(Expr::ty);
        let ty = match (name, count, first) {
            ("row_number" | "rank" | "dense_rank", 0, _) => Type::Int8,
            ("percent_rank" | "cume_dist", 0, _) => Type::Float8,
            ("ntile", 1, _) => {
                args[0] = self.coerce(Operand::Typed(args[0].clone()), &Type::Int4)?;
                Type::Int4
            }
            ("lag" | "lead", 1..=3, Some(ty)) => {
                if count > 1 {
                    args[1] = self.coerce(Operand::Typed(args[1].clone()), &Type::Int4)?;
                }
                if count > 2 {
                    args[2] = self.coerce(Operand::Typed(args[2].clone()), &ty)?;
                }
                ty
            }
            ("first_value" | "last_value", 1, Some(ty)) => ty,
            ("count" | "sum" | "avg" | "min" | "max", ..) => {
                return self.fed(name, args);
            }
            _ => {
                return Err(SqlError::new(
                    "42883",
                    format!("window function {name} does not exist"),
                )
                .hint("Use row_number, rank, dense_rank, ntile, lag, lead, first_value, last_value, or an aggregate.")
                .into());
            }
        };
        Ok((args, ty))
    }
}
