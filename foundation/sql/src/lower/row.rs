//! Whole rows in expressions: compared with one another, and as JSON.

use super::call::Syntax;
use super::{Lowering, Operand, call, fold};
use crate::expr::{Expr, Function};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast;

impl Lowering<'_> {
    /// The columns of the row an expression is: a source by its name, `source.*`, `(a, b)`, `row(a, b)`. None if it is a value.
    fn row_of(&mut self, expr: &ast::Expr) -> Result<Option<Vec<(String, Operand)>>> {
        let whole = |row: Vec<(String, Expr)>| {
            row.into_iter()
                .map(|(name, expr)| (name, Operand::Typed(expr)))
                .collect()
        };
        match expr {
            ast::Expr::Nested(inner) => self.row_of(inner),
            ast::Expr::Identifier(ident) => {
                let name = fold(ident);
                if self.column(None, None, &name).is_ok() {
                    return Ok(None);
                }
                Ok(self.row(&name).map(whole))
            }
            ast::Expr::QualifiedWildcard(name, _) => Ok(self.wildcard(name)?.map(whole)),
            ast::Expr::Tuple(items) => {
                let items = items
                    .iter()
                    .map(|item| Ok((String::new(), self.operand(item)?)));
                items.collect::<Result<_>>().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The columns that `source.*` stands for.
    pub(super) fn wildcard(&self, name: &ast::ObjectName) -> Result<Option<Vec<(String, Expr)>>> {
        let [part] = &name.0[..] else {
            return Ok(None);
        };
        Ok(part.as_ident().and_then(|ident| self.row(&fold(ident))))
    }

    /// Writes out `source.*` among the values of a row.
    pub(super) fn spread(&self, cells: &mut Vec<ast::Expr>) -> Result<()> {
        let mut at = 0;
        while at < cells.len() {
            if let ast::Expr::QualifiedWildcard(name, _) = &cells[at]
                && let Some(row) = self.wildcard(name)?
            {
                let source = name.0.iter().filter_map(|part| part.as_ident().cloned());
                let source: Vec<ast::Ident> = source.collect();
                let columns = row.iter().map(|(column, _)| {
                    let mut parts = source.clone();
                    parts.push(ast::Ident::with_quote('"', column.clone()));
                    ast::Expr::CompoundIdentifier(parts)
                });
                let columns: Vec<ast::Expr> = columns.collect();
                let count = columns.len();
                cells.splice(at..=at, columns);
                at += count;
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    /// `a is distinct from b` of two rows; none if they are values.
    pub(super) fn rows_differ(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        negated: bool,
    ) -> Result<Option<Expr>> {
        let (Some(left_row), Some(right_row)) = (self.row_of(left)?, self.row_of(right)?) else {
            return Ok(None);
        };
        if left_row.len() != right_row.len() || left_row.is_empty() {
            return Err(Trouble::invalid(
                format!("{left} is distinct from {right}"),
                "unequal number of entries in row expressions",
                "compare rows of the same columns",
            ));
        }
        let mut tests = Vec::with_capacity(left_row.len());
        for ((_, left), (_, right)) in left_row.into_iter().zip(right_row) {
            let (left, right) = self.unify(left, right, "is distinct from")?;
            let function = if negated {
                Function::NotDistinct
            } else {
                Function::Distinct
            };
            tests.push(call(function, vec![left, right], Type::Bool));
        }
        let joined = if negated { Function::And } else { Function::Or };
        Ok(Some(match tests.len() {
            1 => tests.remove(0),
            _ => call(joined, tests, Type::Bool),
        }))
    }

    /// `to_jsonb`, `to_json` or `row_to_json` of a row; none if its argument is a value.
    pub(super) fn row_as_json(&mut self, name: &str, arg: &ast::Expr) -> Result<Option<Expr>> {
        if matches!(arg, ast::Expr::Tuple(_)) {
            return Ok(None);
        }
        let Some(row) = self.row_of(arg)? else {
            return Ok(None);
        };
        let mut operands = Vec::with_capacity(row.len() * 2);
        for (name, value) in row {
            operands.push(Operand::Typed(Expr::Literal {
                value: Value::text(&*name),
                ty: Type::Text,
            }));
            operands.push(value);
        }
        let builder = if name == "to_jsonb" {
            "jsonb_build_object"
        } else {
            "json_build_object"
        };
        self.builtin(builder, operands, Syntax::Function).map(Some)
    }
}
