//! Where a level's rows come from: its table, the joins to it, and the conditions its rows meet.
//!
//! Every occurrence of a table, junctions included, carries its select policies.

use crate::error::PlanError;
use crate::level::{Child, Level};
use crate::planner::{Conditions, Planner, push_column};
use crate::relation::Join;
use pando_sql::catalog::Command;
use pando_sql::{Statement, policy};

impl<'a> Planner<'a> {
    /// Appends `EXISTS (..)`: whether a row has at least one row of a child.
    pub(crate) fn exists(
        &mut self,
        parent: &Level<'a>,
        child: &Child<'a>,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        out.push("EXISTS (SELECT 1");
        self.join(parent, child, out)?;
        out.push(")");
        Ok(())
    }

    /// Appends ` FROM .. WHERE ..` for a child's rows that belong to the parent's row.
    pub(crate) fn join(
        &mut self,
        parent: &Level<'a>,
        child: &Child<'a>,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        out.push(" FROM ");
        if let Join::Through { junction, .. } = &child.relation.join {
            self.push_source(junction, out)?;
            out.push(" AS ").ident(&child.junction).push(" JOIN ");
        }
        self.push_source(child.level.table, out)?;
        out.push(" AS ").ident(&child.level.alias);
        self.spread_joins(&child.level, out)?;
        let mut conditions = Conditions::after(" WHERE ");
        self.match_keys(parent, child, &mut conditions, out)?;
        self.conditions(&child.level, &mut conditions, out)
    }

    /// Appends the equalities of a relation, and the junction's policies.
    fn match_keys(
        &mut self,
        parent: &Level<'a>,
        child: &Child<'a>,
        conditions: &mut Conditions,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let (parent, target) = (&parent.alias, &child.level.alias);
        match &child.relation.join {
            Join::Forward(key) => equate(
                conditions,
                target,
                &key.foreign_columns,
                parent,
                &key.columns,
                out,
            ),
            Join::Backward(key) => equate(
                conditions,
                target,
                &key.columns,
                parent,
                &key.foreign_columns,
                out,
            ),
            Join::Through {
                junction,
                near,
                far,
            } => {
                let between = &child.junction;
                let (near, referred) = (&near.columns, &near.foreign_columns);
                let (far, foreign) = (&far.columns, &far.foreign_columns);
                equate(conditions, between, near, parent, referred, out)?;
                equate(conditions, target, foreign, between, far, out)?;
                conditions.push(out, |out| {
                    Ok(policy::render_using(
                        self.catalog,
                        junction,
                        Command::Select,
                        self.role,
                        between,
                        out,
                    )?)
                })
            }
        }
    }

    /// Appends ` FROM table AS alias` with the to-one resources spread into it.
    pub(crate) fn from(&mut self, level: &Level<'a>, out: &mut Statement) -> Result<(), PlanError> {
        out.push(" FROM ");
        self.push_source(level.table, out)?;
        out.push(" AS ").ident(&level.alias);
        self.spread_joins(level, out)
    }

    pub(crate) fn spread_joins(
        &mut self,
        level: &Level<'a>,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        for child in &level.children {
            if child.embed.spread && child.relation.cardinality.is_to_one() {
                out.push(" LEFT JOIN ");
                self.push_source(child.level.table, out)?;
                out.push(" AS ").ident(&child.level.alias);
                let mut conditions = Conditions::after(" ON ");
                self.match_keys(level, child, &mut conditions, out)?;
                self.conditions(&child.level, &mut conditions, out)?;
                self.spread_joins(&child.level, out)?;
            }
        }
        Ok(())
    }

    /// Appends what rows of a level must meet: its select policies, its filters, its inner resources.
    pub(crate) fn conditions(
        &mut self,
        level: &Level<'a>,
        conditions: &mut Conditions,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        self.using(level, Command::Select, conditions, out)?;
        self.filters(level, conditions, out)?;
        self.inner(level, conditions, out)
    }

    /// Appends the `using` policies of a command.
    pub(crate) fn using(
        &mut self,
        level: &Level<'a>,
        command: Command,
        conditions: &mut Conditions,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        conditions.push(out, |out| {
            Ok(policy::render_using(
                self.catalog,
                level.table,
                command,
                self.role,
                &level.alias,
                out,
            )?)
        })
    }

    /// Appends a level's filters.
    pub(crate) fn filters(
        &mut self,
        level: &Level<'a>,
        conditions: &mut Conditions,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        for filter in &level.node.filters {
            conditions.push(out, |out| self.filter(level, filter, out))?;
        }
        Ok(())
    }

    /// Appends that the rows have their inner resources.
    pub(crate) fn inner(
        &mut self,
        level: &Level<'a>,
        conditions: &mut Conditions,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        for child in level.children.iter().filter(|child| child.embed.inner) {
            conditions.push(out, |out| self.exists(level, child, out))?;
        }
        Ok(())
    }
}

fn equate(
    conditions: &mut Conditions,
    left: &str,
    left_columns: &[String],
    right: &str,
    right_columns: &[String],
    out: &mut Statement,
) -> Result<(), PlanError> {
    for (left_column, right_column) in left_columns.iter().zip(right_columns) {
        conditions.push(out, |out| {
            push_column(left, left_column, out);
            out.push(" = ");
            push_column(right, right_column, out);
            Ok(())
        })?;
    }
    Ok(())
}
