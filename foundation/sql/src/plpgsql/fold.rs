//! What is known of a condition before any row is: branches on `tg_op` are taken or left when a trigger is made.

use crate::expr::{Expr, Function};
use crate::lower::call;
use crate::types::Type;
use crate::value::Value;

/// A condition's value, itself perhaps null; none if it depends on the row.
pub(crate) fn known(expr: &Expr) -> Option<Option<bool>> {
    if let Expr::Case {
        branches,
        otherwise,
        ..
    } = expr
    {
        for (condition, result) in branches {
            if known(condition)? == Some(true) {
                return known(result);
            }
        }
        return otherwise.as_deref().map_or(Some(None), known);
    }
    let Expr::Call { function, args, .. } = expr else {
        return match expr {
            Expr::Literal {
                value,
                ty: Type::Bool,
            } => Some(truth(value)),
            _ => None,
        };
    };
    match function {
        Function::And | Function::Or => {
            let decides = *function == Function::Or;
            let values: Vec<_> = args.iter().map(known).collect();
            if values.contains(&Some(Some(decides))) {
                return Some(Some(decides));
            }
            let all: Option<Vec<Option<bool>>> = values.into_iter().collect();
            all.map(|all| (!all.contains(&None)).then_some(!decides))
        }
        Function::Not => known(&args[0]).map(|value| value.map(|value| !value)),
        Function::IsTrue => known(&args[0]).map(|value| Some(value == Some(true))),
        Function::IsNotTrue => known(&args[0]).map(|value| Some(value != Some(true))),
        Function::IsNull => literal(&args[0]).map(|value| Some(value.is_null())),
        Function::IsNotNull => literal(&args[0]).map(|value| Some(!value.is_null())),
        // What is asked of null is null.
        Function::Eq | Function::Ne | Function::Lt | Function::Le | Function::Gt | Function::Ge
            if args
                .iter()
                .any(|arg| literal(arg).is_some_and(Value::is_null)) =>
        {
            Some(None)
        }
        Function::Eq => equal(&args[0], &args[1]),
        Function::Ne => equal(&args[0], &args[1]).map(|value| value.map(|value| !value)),
        Function::In => {
            let found: Option<Vec<Option<bool>>> =
                args[1..].iter().map(|item| equal(&args[0], item)).collect();
            found.map(|found| {
                if found.contains(&Some(true)) {
                    Some(true)
                } else {
                    (!found.contains(&None)).then_some(false)
                }
            })
        }
        _ => None,
    }
}

fn truth(value: &Value) -> Option<bool> {
    value.as_int().map(|int| int == 1)
}

fn literal(expr: &Expr) -> Option<&Value> {
    match expr {
        Expr::Literal { value, .. } => Some(value),
        _ => None,
    }
}

/// Texts are compared here; what else compares by its stored form is left to the row.
fn equal(left: &Expr, right: &Expr) -> Option<Option<bool>> {
    let (a, b) = (literal(left)?, literal(right)?);
    if a.is_null() || b.is_null() {
        return Some(None);
    }
    let textual = |expr: &Expr| matches!(expr.ty(), Type::Text | Type::Varchar(_));
    (textual(left) && textual(right)).then(|| Some(a == b))
}

pub(super) fn is_true(condition: Expr) -> Expr {
    call(Function::IsTrue, vec![condition], Type::Bool)
}

pub(super) fn is_not_true(condition: Expr) -> Expr {
    call(Function::IsNotTrue, vec![condition], Type::Bool)
}

/// All of some conditions.
pub(crate) fn all(conditions: &[Expr]) -> Expr {
    match conditions {
        [] => Expr::Literal {
            value: true.into(),
            ty: Type::Bool,
        },
        [one] => one.clone(),
        _ => call(Function::And, conditions.to_vec(), Type::Bool),
    }
}

/// One of two conditions.
pub(super) fn either(left: Option<Expr>, right: Expr) -> Expr {
    match left {
        None => right,
        Some(left) => call(Function::Or, vec![left, right], Type::Bool),
    }
}
