//! Conditions that constants decide, as Postgres' planner finds them before it asks for rights.

use super::Renderer;
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::plpgsql::known;
use crate::statement::Statement;

/// What `and`, `or` and `not` come to by constants alone; none if they depend on the row, or are no constant's business.
pub(super) fn logic(expr: &Expr) -> Option<Option<bool>> {
    match expr {
        Expr::Call {
            function: Function::And | Function::Or | Function::Not,
            ..
        } => known(expr),
        _ => None,
    }
}

/// What a condition comes to that takes null for false, as `where` does.
pub(crate) fn decided(expr: &Expr) -> Option<bool> {
    if let Some(value) = known(expr) {
        return Some(value == Some(true));
    }
    let Expr::Call { function, args, .. } = expr else {
        return None;
    };
    let deciding = match function {
        Function::And => false,
        Function::Or => true,
        _ => return None,
    };
    let mut every = true;
    for arg in args {
        match decided(arg) {
            Some(value) if value == deciding => return Some(deciding),
            Some(_) => {}
            None => every = false,
        }
    }
    every.then_some(!deciding)
}

/// Whether a condition is several at once, one of which Postgres makes a join of.
fn joined(expr: &Expr) -> bool {
    let Expr::Call {
        function: Function::And,
        args,
        ..
    } = expr
    else {
        return false;
    };
    args.iter().any(|arg| match arg {
        Expr::Exists(_) | Expr::InQuery { negated: false, .. } => true,
        Expr::Call {
            function: Function::Not,
            args,
            ..
        } => matches!(args[..], [Expr::Exists(_)]),
        arg => joined(arg),
    })
}

impl Renderer<'_> {
    /// What is left out is still looked into for policies that ask for each other without end: Postgres finds that first.
    pub(crate) fn look_into(&mut self, expr: &Expr) -> Result<(), SqlError> {
        if !expr.has_query() {
            return Ok(());
        }
        if let Expr::Call { args, .. } = expr
            && logic(expr).is_some()
        {
            return args.iter().try_for_each(|arg| self.look_into(arg));
        }
        let kept = std::mem::replace(self.out, Statement::new());
        let looked = std::mem::replace(&mut self.looking, true);
        let rendered = self.expr(expr);
        self.looking = looked;
        *self.out = kept;
        match rendered {
            Err(error) if error.state == "42P17" => Err(error),
            _ => Ok(()),
        }
    }

    /// As [`condition`](Self::condition), of `where`: Postgres joins sub-selects that all must meet before it looks at constants.
    pub(crate) fn filter(&mut self, expr: &Expr) -> Result<(), SqlError> {
        match expr {
            Expr::Call { args, .. } if joined(expr) => {
                for (index, arg) in args.iter().enumerate() {
                    self.out.push(if index > 0 { " AND " } else { "(" });
                    self.filter(arg)?;
                }
                self.out.push(")");
                Ok(())
            }
            _ => self.condition(expr),
        }
    }

    /// A condition that takes null for false.
    pub(crate) fn condition(&mut self, expr: &Expr) -> Result<(), SqlError> {
        match decided(expr) {
            Some(value) => {
                self.out.push(if value { "1" } else { "0" });
                self.look_into(expr)
            }
            None => self.expr(expr),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decided;
    use crate::expr::{Expr, Function};
    use crate::lower::call;
    use crate::types::Type;
    use crate::value::Value;

    #[test]
    fn null_in_an_and_is_false_and_in_an_or_is_passed_over() {
        let bool = |value: Value| Expr::Literal {
            value,
            ty: Type::Bool,
        };
        let row = Expr::Column {
            level: 0,
            source: 0,
            name: "open".to_owned(),
            ty: Type::Bool,
        };
        let of = |function, left: &Expr, right: &Expr| {
            call(function, vec![left.clone(), right.clone()], Type::Bool)
        };
        let (null, yes) = (bool(Value::Null), bool(Value::Int(1)));
        assert_eq!(decided(&of(Function::And, &null, &row)), Some(false));
        assert_eq!(decided(&of(Function::Or, &null, &row)), None);
        assert_eq!(decided(&of(Function::Or, &row, &yes)), Some(true));
        assert_eq!(
            decided(&of(Function::Or, &of(Function::And, &row, &null), &null)),
            Some(false)
        );
        assert_eq!(decided(&row), None);
    }
}
