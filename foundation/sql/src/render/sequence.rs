//! Calls of sequences. A call carries the definition, so that whoever counts needs to know nothing but where a sequence stands.

use super::Renderer;
use crate::catalog::{Catalog, Sequence};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::value::Value;

/// The functions of the engine that count.
pub const NEXT_VALUE: &str = "pando_nextval";
/// `currval`
pub const CURRENT_VALUE: &str = "pando_currval";
/// `setval`
pub const SET_VALUE: &str = "pando_setval";
/// `lastval`
pub const LAST_VALUE: &str = "pando_lastval";

impl Renderer<'_> {
    pub(super) fn sequence(&mut self, function: Function, args: &[Expr]) -> Result<(), SqlError> {
        if function == Function::LastVal {
            self.out.push(LAST_VALUE).push("()");
            return Ok(());
        }
        let Some(Expr::Literal {
            value: Value::Text(name),
            ..
        }) = args.first()
        else {
            return Err(SqlError::new("XX000", "a sequence without a name"));
        };
        let sequence = find(self.catalog, name)
            .ok_or_else(|| SqlError::new("42P01", format!("relation \"{name}\" does not exist")))?;
        self.out
            .push(match function {
                Function::CurrVal => CURRENT_VALUE,
                Function::SetVal => SET_VALUE,
                _ => NEXT_VALUE,
            })
            .push("('")
            .push(&name.replace('\'', "''"))
            .push("'");
        for arg in &args[1..] {
            self.out.push(", ");
            self.expr(arg)?;
        }
        let Sequence {
            start,
            increment,
            min,
            max,
            cycle,
            ..
        } = sequence;
        if function == Function::SetVal {
            self.out.push(&format!(", {min}, {max}"));
        } else if function == Function::NextVal {
            let plain = Sequence::default();
            let numbers = |of: &Sequence| (of.start, of.increment, of.min, of.max, of.cycle);
            if numbers(sequence) != numbers(&plain) {
                let cycle = i32::from(*cycle);
                self.out
                    .push(&format!(", {start}, {increment}, {min}, {max}, {cycle}"));
            }
        }
        self.out.push(")");
        Ok(())
    }
}

/// A sequence by its name in the file.
fn find<'a>(catalog: &'a Catalog, file_name: &str) -> Option<&'a Sequence> {
    let (schema, name) = file_name.split_once('.').unwrap_or(("public", file_name));
    catalog.sequences.get(&(schema.to_owned(), name.to_owned()))
}
