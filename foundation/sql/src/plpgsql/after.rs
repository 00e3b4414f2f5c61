//! A function after a row was written: statements in order. Variables, and conditions that may change while statements hang on them, are
//! kept where the engine keeps them for each run of a trigger.

use super::scope::{Effects, Place, Run, Setting};
use super::{Function, Returned};
use crate::expr::{Expr, Function as Known};
use crate::operation::Operation;
use crate::query::Query;
use crate::trigger::{Action, Effect, Step};
use crate::trouble::{Result, Trouble};
use crate::types::Type;

/// What a function comes to after a row of the table was written.
pub(crate) fn after(setting: Setting<'_>, function: &Function) -> Result<Effect> {
    let steps = Steps {
        slots: 0,
        steps: Vec::new(),
    };
    let mut run = Run::new(setting, steps);
    run.function(function)?;
    let Steps { slots, steps } = run.effects;
    Ok(Effect::After { slots, steps })
}

struct Steps {
    slots: u32,
    steps: Vec<Step>,
}

impl Steps {
    fn push(&mut self, path: &[Expr], action: Action) {
        self.steps.push(Step {
            path: path.to_vec(),
            action,
        });
    }
}

/// Whether an expression is the same whenever it is asked while the trigger runs.
fn is_steady(expr: &Expr) -> bool {
    let mut steady = true;
    expr.walk(0, &mut |_, expr| {
        steady &= match expr {
            Expr::Exists(_)
            | Expr::Scalar(_)
            | Expr::InQuery { .. }
            | Expr::Apply { .. }
            | Expr::Param { .. } => false,
            Expr::Call { function, .. } => match function {
                Known::RandomUuid
                | Known::NextVal
                | Known::CurrVal
                | Known::SetVal
                | Known::LastVal => false,
                Known::Builtin(builtin) => builtin.is_deterministic(),
                _ => true,
            },
            _ => true,
        };
    });
    steady
}

impl Effects for Steps {
    fn condition(&mut self, path: &[Expr], condition: Expr) -> Result<Expr> {
        if is_steady(&condition) {
            return Ok(condition);
        }
        let slot = self.slot(&Type::Bool);
        self.assign(path, Place::Slot(slot), condition)?;
        Ok(Expr::Param {
            index: slot,
            ty: Type::Bool,
        })
    }

    fn assign(&mut self, path: &[Expr], place: Place, value: Expr) -> Result<()> {
        match place {
            Place::Slot(slot) => {
                self.push(path, Action::Keep { slot, value });
                Ok(())
            }
            Place::New(column) => Err(Trouble::unsupported(
                format!("new.{column} := .. in an after trigger"),
                "assign in a trigger that runs before: the row is written already",
            )),
        }
    }

    fn change(&mut self, path: &[Expr], mut operation: Operation) -> Result<()> {
        if let Operation::Call(call) = &mut operation {
            // Arguments are asked once, before the function changes anything.
            for arg in &mut call.args {
                let ty = arg.ty();
                let slot = self.slot(&ty);
                let value = std::mem::replace(arg, Expr::Param { index: slot, ty });
                self.push(path, Action::Keep { slot, value });
            }
        }
        self.push(path, Action::Run(operation));
        Ok(())
    }

    fn perform(&mut self, path: &[Expr], query: Query) -> Result<()> {
        self.push(path, Action::Ask(query));
        Ok(())
    }

    fn raise(&mut self, path: &[Expr], raise: Expr) -> Result<()> {
        self.push(path, Action::Raise(raise));
        Ok(())
    }

    fn returned(&mut self, _: &[Expr], _: Returned) -> Result<()> {
        Ok(())
    }

    fn slot(&mut self, _: &Type) -> u32 {
        self.slots += 1;
        self.slots - 1
    }
}
