//! Calls of functions that migrations made: the body takes the place of the call, its parameters that of the arguments.

use super::Renderer;
use crate::error::SqlError;
use crate::expr::Expr;
use crate::query::Query;
use crate::routine::{Routine, RoutineId};
use pando_kernel::Role;
use std::sync::Arc;

impl Renderer<'_> {
    pub(super) fn routine(&self, id: &RoutineId) -> Result<Arc<Routine>, SqlError> {
        let routine = self.catalog.routine(id).cloned().ok_or_else(|| {
            SqlError::new(
                "42883",
                format!(
                    "function {}({}) does not exist",
                    id.name,
                    id.params.join(", ")
                ),
            )
        })?;
        if self.role != Role::Service
            && !self.looking
            && routine.revoked.iter().any(|role| role == self.role.name())
        {
            return Err(SqlError::new(
                "42501",
                format!("permission denied for function {}", id.name),
            ));
        }
        Ok(routine)
    }

    /// A call as a value: the first row's one column.
    pub(super) fn apply(&mut self, id: &RoutineId, args: &[Expr]) -> Result<(), SqlError> {
        let routine = self.routine(id)?;
        let texts = self.arguments(args)?;
        let strict = routine.strict && !texts.is_empty();
        if strict {
            self.out.push("CASE WHEN ");
            for (index, text) in texts.iter().enumerate() {
                self.out.push(if index > 0 { " OR " } else { "" });
                self.out.push(text).push(" IS NULL");
            }
            self.out.push(" THEN NULL ELSE ");
        }
        self.out.push("(");
        self.within(&routine, texts, |renderer, query| {
            let mut first = query.clone();
            if first.limit.is_none() {
                first.limit = Some(Expr::Literal {
                    value: crate::value::Value::Int(1),
                    ty: crate::types::Type::Int8,
                });
            }
            renderer.query(&first, None)
        })?;
        self.out.push(")");
        self.out.push(if strict { " END" } else { "" });
        Ok(())
    }

    /// A call as a source: its rows, their columns by `names`.
    pub(super) fn routine_rows(
        &mut self,
        id: &RoutineId,
        args: &[Expr],
        names: &[String],
    ) -> Result<(), SqlError> {
        let routine = self.routine(id)?;
        let texts = self.arguments(args)?;
        let strict: Vec<String> = texts
            .iter()
            .filter(|_| routine.strict)
            .map(|text| format!("{text} IS NOT NULL"))
            .collect();
        let plain = routine.set && strict.is_empty();
        self.out.push(if plain { "" } else { "SELECT * FROM (" });
        self.within(&routine, texts, |renderer, query| {
            renderer.query(query, Some(names))
        })?;
        if plain {
            return Ok(());
        }
        self.out.push(")");
        if !strict.is_empty() {
            // No rows for a null argument.
            self.out.push(" WHERE ").push(&strict.join(" AND "));
        }
        self.out.push(if routine.set { "" } else { " LIMIT 1" });
        Ok(())
    }

    /// Arguments as texts that can stand anywhere in an expression.
    fn arguments(&mut self, args: &[Expr]) -> Result<Vec<String>, SqlError> {
        args.iter()
            .map(|arg| {
                let simple = matches!(arg, Expr::Column { .. } | Expr::Literal { .. });
                let text = self.apart(|renderer| renderer.expr(arg))?;
                Ok(if simple { text } else { format!("({text})") })
            })
            .collect()
    }

    fn within(
        &mut self,
        routine: &Routine,
        args: Vec<String>,
        render: impl FnOnce(&mut Self, &Query) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let query = routine.query().ok_or_else(|| {
            SqlError::new(
                "0A000",
                format!(
                    "function {} does more than one query, and is called by itself",
                    routine.name
                ),
            )
        })?;
        let role = self.role;
        if routine.definer {
            self.role = Role::Service;
        }
        let rendered = self.deeper(|renderer| {
            renderer.isolated(Vec::new(), |renderer| {
                renderer.frames.push(args);
                let rendered = render(renderer, query);
                renderer.frames.pop();
                rendered
            })
        });
        self.role = role;
        rendered
    }
}
