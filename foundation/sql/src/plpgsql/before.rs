//! A function before a row is written: the values of its columns, and whether it is written at all.

use super::fold::all;
use super::scope::{Effects, Place, Run, Setting};
use super::{Function, Returned};
use crate::expr::Expr;
use crate::operation::Operation;
use crate::query::Query;
use crate::trigger::{Effect, Event};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;

/// The old row, and the row as proposed.
const OLD: u32 = 1;
const PROPOSED: u32 = 2;

/// What a function comes to before a row of the table is written.
pub(crate) fn before(setting: Setting<'_>, function: &Function) -> Result<Effect> {
    let columns = setting.table.columns.iter();
    let columns: Vec<(String, Type)> = columns
        .map(|column| (column.name.clone(), column.ty.clone()))
        .collect();
    let written: Vec<String> = setting
        .table
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .map(|column| column.name.clone())
        .collect();
    let proposed = columns
        .iter()
        .map(|(name, ty)| (name.clone(), column(PROPOSED, name, ty)))
        .collect();
    let effects = Row {
        event: setting.event,
        columns,
        written,
        row: proposed,
        variables: Vec::new(),
        verdicts: Vec::new(),
    };
    let mut run = Run::new(setting, effects);
    run.function(function)?;
    let Row {
        columns,
        row,
        verdicts,
        ..
    } = run.effects;
    let assignments = columns
        .iter()
        .zip(row)
        .filter(|((name, ty), (_, value))| *value != column(PROPOSED, name, ty))
        .map(|(_, assigned)| assigned)
        .collect();
    let verdict = (!verdicts.is_empty()).then(|| Expr::Case {
        branches: verdicts,
        otherwise: Some(Box::new(Expr::Literal {
            value: true.into(),
            ty: Type::Bool,
        })),
        ty: Type::Bool,
    });
    Ok(Effect::Before {
        assignments,
        verdict,
    })
}

fn column(source: u32, name: &str, ty: &Type) -> Expr {
    Expr::Column {
        level: 0,
        source,
        name: name.to_owned(),
        ty: ty.clone(),
    }
}

struct Row {
    event: Event,
    columns: Vec<(String, Type)>,
    /// Those that are not generated.
    written: Vec<String>,
    /// Each column as it is by now.
    row: Vec<(String, Expr)>,
    variables: Vec<Expr>,
    /// The first that holds decides.
    verdicts: Vec<(Expr, Expr)>,
}

impl Row {
    /// Puts what columns and variables are by now in their places.
    fn settled(&self, mut expr: Expr) -> Expr {
        expr.walk_mut(&mut Vec::new(), &mut |scope, expr| {
            let depth = scope.len();
            let now = match expr {
                Expr::Column {
                    level,
                    source: 0,
                    name,
                    ..
                } if *level as usize == depth => self
                    .row
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value),
                Expr::Param { index, .. } => self.variables.get(*index as usize),
                _ => None,
            };
            if let Some(now) = now {
                *expr = deeper(now.clone(), depth);
            }
        });
        expr
    }

    /// A place's value once the path was taken or left.
    fn merged(path: &[Expr], value: Expr, otherwise: &Expr) -> Expr {
        if path.is_empty() || value == *otherwise {
            return value;
        }
        let ty = otherwise.ty();
        Expr::Case {
            branches: vec![(all(path), value)],
            otherwise: Some(Box::new(otherwise.clone())),
            ty,
        }
    }
}

/// An expression over the row, some queries further in.
fn deeper(mut expr: Expr, by: usize) -> Expr {
    if by == 0 {
        return expr;
    }
    expr.walk_mut(&mut Vec::new(), &mut |scope, expr| {
        if let Expr::Column { level, .. } = expr
            && *level as usize >= scope.len()
        {
            *level += u32::try_from(by).unwrap_or(0);
        }
    });
    expr
}

impl Effects for Row {
    fn condition(&mut self, _: &[Expr], condition: Expr) -> Result<Expr> {
        Ok(self.settled(condition))
    }

    fn assign(&mut self, path: &[Expr], place: Place, value: Expr) -> Result<()> {
        let value = self.settled(value);
        let known = match &place {
            Place::New(name) => self
                .row
                .iter_mut()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
            Place::Slot(slot) => self.variables.get_mut(*slot as usize),
        };
        if let Some(known) = known {
            *known = Row::merged(path, value, known);
        }
        Ok(())
    }

    fn change(&mut self, _: &[Expr], operation: Operation) -> Result<()> {
        let what = match operation {
            Operation::Insert(_) => "insert",
            Operation::Update(_) => "update",
            Operation::Delete(_) => "delete",
            Operation::Select(_) => "select",
            Operation::Call(_) => "call of a function that changes rows",
        };
        Err(Trouble::unsupported(
            format!("{what} in a before trigger"),
            "change other rows in a trigger that runs after",
        ))
    }

    fn perform(&mut self, _: &[Expr], _: Query) -> Result<()> {
        Err(Trouble::unsupported(
            "perform in a before trigger",
            "do it in a trigger that runs after",
        ))
    }

    fn raise(&mut self, path: &[Expr], raise: Expr) -> Result<()> {
        let raise = self.settled(raise);
        self.verdicts.push((all(path), raise));
        Ok(())
    }

    fn returned(&mut self, path: &[Expr], returned: Returned) -> Result<()> {
        match (self.event, returned) {
            (Event::Insert | Event::Update, Returned::New) | (Event::Delete, Returned::Old) => {}
            (Event::Update, Returned::Old) => {
                let written = &self.written;
                let columns = self.columns.iter().zip(&mut self.row);
                for ((name, ty), (_, value)) in
                    columns.filter(|((name, _), _)| written.contains(name))
                {
                    *value = Row::merged(path, column(OLD, name, ty), value);
                }
            }
            // The row that is not there in this event is null, and so is what is returned.
            _ => self.verdicts.push((
                all(path),
                Expr::Literal {
                    value: false.into(),
                    ty: Type::Bool,
                },
            )),
        }
        Ok(())
    }

    fn slot(&mut self, ty: &Type) -> u32 {
        self.variables.push(Expr::Literal {
            value: Value::Null,
            ty: ty.clone(),
        });
        u32::try_from(self.variables.len() - 1).unwrap_or(u32::MAX)
    }
}
