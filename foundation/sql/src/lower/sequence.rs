//! `nextval`, `currval`, `setval`, `lastval`, `pg_get_serial_sequence`: the sequence is found when the expression is read, as a regclass
//! constant is.

use super::{Lowering, call};
use crate::catalog::Catalog;
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;

impl Lowering<'_> {
    /// A call of a sequence; none if the function is another.
    pub(super) fn sequence_function(
        &mut self,
        name: &str,
        args: &[&ast::Expr],
    ) -> Result<Option<Expr>> {
        let function = match (name, args.len()) {
            ("nextval", 1) => Function::NextVal,
            ("currval", 1) => Function::CurrVal,
            ("setval", 2 | 3) => Function::SetVal,
            ("lastval", 0) => return Ok(Some(call(Function::LastVal, Vec::new(), Type::Int8))),
            ("pg_get_serial_sequence", 2) => {
                let owned = self.serial_sequence(args)?;
                return Ok(Some(Expr::Literal {
                    value: owned
                        .map(|(schema, name)| format!("{}.{}", quoted(&schema), quoted(&name)))
                        .into(),
                    ty: Type::Text,
                }));
            }
            _ => return Ok(None),
        };
        let file_name = self.sequence_name(args[0])?;
        let mut lowered = vec![Expr::Literal {
            value: file_name.into(),
            ty: Type::Text,
        }];
        if function == Function::SetVal {
            let number = self.operand(args[1])?;
            lowered.push(self.coerce(number, &Type::Int8)?);
            lowered.push(match args.get(2) {
                Some(called) => self.condition(called)?,
                None => Expr::Literal {
                    value: true.into(),
                    ty: Type::Bool,
                },
            });
        }
        Ok(Some(call(function, lowered, Type::Int8)))
    }

    /// The name in the file of the sequence an argument means: `'a_id_seq'`, with `::regclass` or not, or what
    /// `pg_get_serial_sequence` finds.
    fn sequence_name(&self, expr: &ast::Expr) -> Result<String> {
        let key = match expr {
            ast::Expr::Nested(inner) => return self.sequence_name(inner),
            ast::Expr::Cast {
                expr: inner,
                data_type,
                ..
            } if matches!(
                data_type.to_string().to_lowercase().as_str(),
                "regclass" | "text"
            ) =>
            {
                return self.sequence_name(inner);
            }
            ast::Expr::Function(function)
                if function
                    .name
                    .to_string()
                    .eq_ignore_ascii_case("pg_get_serial_sequence") =>
            {
                let ast::FunctionArguments::List(list) = &function.args else {
                    return Err(not_constant(expr));
                };
                let args: Vec<&ast::Expr> = list
                    .args
                    .iter()
                    .filter_map(|arg| match arg {
                        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Some(expr),
                        _ => None,
                    })
                    .collect();
                self.serial_sequence(&args)?.ok_or_else(|| {
                    Trouble::invalid(
                        expr.to_string(),
                        "the column has no sequence",
                        "name a serial or identity column",
                    )
                })?
            }
            other => qualified(&constant(other)?),
        };
        if self.catalog.sequences.contains_key(&key) {
            return Ok(Catalog::file_name(&key.0, &key.1));
        }
        let shown = shown(&key);
        Err(if self.catalog.tables.contains_key(&key) {
            SqlError::new("42809", format!("\"{shown}\" is not a sequence"))
        } else {
            SqlError::new("42P01", format!("relation \"{shown}\" does not exist"))
        }
        .into())
    }

    /// The sequence of a serial or identity column.
    fn serial_sequence(&self, args: &[&ast::Expr]) -> Result<Option<(String, String)>> {
        let [table, column] = args else {
            return Ok(None);
        };
        let key = qualified(&constant(table)?);
        let column = constant(column)?;
        let Some(found) = self.catalog.tables.get(&key) else {
            let shown = shown(&key);
            return Err(Trouble::sql(
                "42P01",
                format!("relation \"{shown}\" does not exist"),
            ));
        };
        if found.column(&column).is_none() {
            return Err(Trouble::sql(
                "42703",
                format!(
                    "column \"{column}\" of relation \"{}\" does not exist",
                    found.name
                ),
            ));
        }
        let owner = Some((key.0, key.1, column));
        Ok(self
            .catalog
            .sequences
            .iter()
            .find(|(_, sequence)| sequence.owned_by == owner)
            .map(|(key, _)| key.clone()))
    }
}

/// The text of a literal.
fn constant(expr: &ast::Expr) -> Result<String> {
    match expr {
        ast::Expr::Nested(inner) => constant(inner),
        ast::Expr::Cast { expr, .. } => constant(expr),
        ast::Expr::Value(value) => value
            .value
            .clone()
            .into_string()
            .ok_or_else(|| not_constant(expr)),
        _ => Err(not_constant(expr)),
    }
}

fn not_constant(expr: &ast::Expr) -> Trouble {
    Trouble::unsupported(
        expr.to_string(),
        "name the sequence in quotes: nextval('todos_id_seq')",
    )
}

/// A name in quotes, as regclass reads it: folded where it is not quoted.
fn qualified(text: &str) -> (String, String) {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.trim().chars() {
        match (c, parts.last_mut()) {
            ('"', _) => quoted = !quoted,
            ('.', _) if !quoted => parts.push(String::new()),
            (c, Some(part)) => part.push(if quoted { c } else { c.to_ascii_lowercase() }),
            (_, None) => {}
        }
    }
    let name = super::cut(parts.pop().unwrap_or_default());
    (parts.pop().unwrap_or_else(|| "public".to_owned()), name)
}

fn shown((schema, name): &(String, String)) -> String {
    Catalog::file_name(schema, name)
}

/// An identifier, in quotes where it needs them.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}
