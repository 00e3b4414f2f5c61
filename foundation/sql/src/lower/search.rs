//! `to_tsvector(..) @@ to_tsquery(..)`: a text and a query, met where they stand.

use super::{Lowering, Operand, call, object};
use crate::expr::{Expr, Function};
use crate::functions::registry::builtin;
use crate::search::{Config, Mode};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;

impl Lowering<'_> {
    pub(super) fn search(&mut self, left: &ast::Expr, right: &ast::Expr) -> Result<Expr> {
        let unsupported = |what: String| {
            Trouble::unsupported(
                what,
                "write to_tsvector('english', text) @@ websearch_to_tsquery('english', query), or one of to_tsquery, plainto_tsquery and \
                 phraseto_tsquery",
            )
        };
        let (config, text) = match called(left) {
            Some((name, args)) if name == "to_tsvector" => {
                configured(&args).ok_or_else(|| unsupported(left.to_string()))??
            }
            // A text by itself is read by the default.
            _ => (Config::DEFAULT, left),
        };
        let (name, args) = called(right).ok_or_else(|| unsupported(right.to_string()))?;
        let mode = Mode::of_function(&name).ok_or_else(|| unsupported(right.to_string()))?;
        let (query_config, query) =
            configured(&args).ok_or_else(|| unsupported(right.to_string()))??;
        let text = self.text_of(text)?;
        let query = self.text_of(query)?;
        let word = |text: &str| Expr::Literal {
            value: text.into(),
            ty: Type::Text,
        };
        let apply = |key: &str, args: Vec<Expr>, ty: Type| {
            let found = builtin(key).ok_or_else(|| unsupported(key.to_owned()))?;
            Ok::<_, Trouble>(call(Function::Builtin(found), args, ty))
        };
        let read = apply(
            ".tsquery(text, text, text)",
            vec![query, word(query_config.name()), word(mode.function())],
            Type::Text,
        )?;
        apply(
            ".fts(text, text, text)",
            vec![text, word(config.name()), read],
            Type::Bool,
        )
    }

    fn text_of(&mut self, expr: &ast::Expr) -> Result<Expr> {
        let operand = self.operand(expr)?;
        if let Operand::Typed(typed) = &operand
            && !matches!(typed.ty(), Type::Text | Type::Varchar(_) | Type::Char(_))
        {
            return Err(Trouble::unsupported(
                format!("text search in {}", typed.ty().name()),
                "search in a text, or cast it with ::text",
            ));
        }
        self.coerce(operand, &Type::Text)
    }
}

/// A function's name and plain arguments.
fn called(expr: &ast::Expr) -> Option<(String, Vec<&ast::Expr>)> {
    let function = match expr {
        ast::Expr::Nested(inner) => return called(inner),
        ast::Expr::Function(function) => function,
        _ => return None,
    };
    let (schema, name) = object(&function.name)?;
    if schema.is_some_and(|schema| schema != "pg_catalog") {
        return None;
    }
    let ast::FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let args = list
        .args
        .iter()
        .map(|arg| match arg {
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect::<Option<_>>()?;
    Some((name, args))
}

/// `('english', text)` or `(text)`. None for anything else.
fn configured<'a>(args: &[&'a ast::Expr]) -> Option<Result<(Config, &'a ast::Expr)>> {
    match args {
        [text] => Some(Ok((Config::DEFAULT, *text))),
        [config, text] => {
            let mut config = *config;
            while let ast::Expr::Cast { expr, .. } | ast::Expr::Nested(expr) = config {
                config = expr;
            }
            let ast::Expr::Value(value) = config else {
                return None;
            };
            let name = value.value.clone().into_string()?;
            Some(
                Config::read(&name)
                    .map(|config| (config, *text))
                    .map_err(Trouble::from),
            )
        }
        _ => None,
    }
}
