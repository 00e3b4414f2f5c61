//! The order of a level's rows, and its page.

use crate::error::PlanError;
use crate::input::InputType;
use crate::level::Level;
use crate::operand;
use crate::planner::Planner;
use crate::predicate::push_rank;
use crate::request::Order;
use pando_sql::{SqlError, Statement, Type};

impl<'a> Planner<'a> {
    /// Appends ` ORDER BY ..`, if the level has an order.
    pub(crate) fn order(
        &mut self,
        level: &Level<'a>,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        for (index, term) in level.node.order.iter().enumerate() {
            out.push(if index == 0 { " ORDER BY " } else { ", " });
            let not_null = self.order_key(level, term, out)?;
            if term.descending {
                out.push(" DESC");
            }
            // Nulls sort highest in Postgres and lowest in SQLite. Saying nothing where there are none lets SQLite
            // walk an index.
            if !not_null {
                let first = term.nulls_first.unwrap_or(term.descending);
                if first == term.descending {
                    out.push(if first { " NULLS FIRST" } else { " NULLS LAST" });
                }
            }
        }
        Ok(())
    }

    fn order_key(
        &mut self,
        level: &Level<'a>,
        term: &Order,
        out: &mut Statement,
    ) -> Result<bool, PlanError> {
        let Some(relation) = &term.relation else {
            let operand = operand::resolve(level.table, &term.path)?;
            orderable(&operand.ty)?;
            push_rank(&operand.ty, out, |out| operand.render(&level.alias, out));
            operand.collate(out);
            return Ok(operand.not_null);
        };
        let child = level.child(relation)?;
        if !child.relation.cardinality.is_to_one() {
            return Err(PlanError::RelatedOrder {
                origin: level.table.name.clone(),
                target: relation.clone(),
            });
        }
        let operand = operand::resolve(child.level.table, &term.path)?;
        orderable(&operand.ty)?;
        out.push("(SELECT ");
        push_rank(&operand.ty, out, |out| {
            operand.render(&child.level.alias, out)
        });
        self.join(level, child, out)?;
        out.push(")");
        if let Some(collation) = operand.ty.collation() {
            // A sub-select has no collation of its own.
            out.push(" COLLATE ").push(collation);
        }
        Ok(false)
    }

    /// Appends ` LIMIT .. OFFSET ..`, never without a bound where one is asked for.
    pub(crate) fn page(&mut self, level: &Level<'a>, bounded: bool, out: &mut Statement) {
        let max = self.limits.page_rows_max;
        match level.node.limit {
            Some(slot) => {
                out.push(" LIMIT ");
                self.bind_input(slot, InputType::Limit { max }, out);
            }
            None if bounded || level.node.offset.is_some() => {
                out.push(&format!(
                    " LIMIT {}",
                    i64::try_from(max).unwrap_or(i64::MAX)
                ));
            }
            None => {}
        }
        if let Some(slot) = level.node.offset {
            out.push(" OFFSET ");
            self.bind_input(slot, InputType::Rows, out);
        }
    }
}

/// json and its like have no order in Postgres, or none that we have.
fn orderable(ty: &Type) -> Result<(), SqlError> {
    match ty {
        Type::Json => Err(SqlError::new(
            "42883",
            "could not identify an ordering operator for type json",
        )
        .hint("Use an explicit ordering operator or modify the query.")),
        Type::Array(item) if matches!(**item, Type::Json | Type::Enum(_)) => Err(SqlError::new(
            "0A000",
            format!(
                "ordering by {} is not supported by the embedded engine",
                ty.name()
            ),
        )),
        _ => Ok(()),
    }
}
