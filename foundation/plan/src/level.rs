//! The request resolved against the catalog: a tree of tables with the relations between them.

use crate::error::PlanError;
use crate::planner::{FILTERS_MAX, Planner, at_most};
use crate::relation::{self, Relation};
use crate::request::{Embed, Item, Node};
use pando_sql::catalog::Table;

/// The root table or an embedded one.
pub(crate) struct Level<'a> {
    pub(crate) table: &'a Table,
    /// The name of this occurrence in the statement.
    pub(crate) alias: String,
    pub(crate) node: &'a Node,
    /// One for each [`Item::Embed`] of the node, in order.
    pub(crate) children: Vec<Child<'a>>,
}

/// An embedded resource below a level.
pub(crate) struct Child<'a> {
    pub(crate) embed: &'a Embed,
    pub(crate) relation: Relation<'a>,
    /// The name of the junction's occurrence, for many-to-many.
    pub(crate) junction: String,
    pub(crate) level: Level<'a>,
}

impl Child<'_> {
    /// The name it goes by in the answer, in filters and in orders.
    pub(crate) fn name(&self) -> &str {
        self.embed.alias.as_deref().unwrap_or(&self.embed.relation)
    }
}

impl<'a> Level<'a> {
    /// Resolves a node on `table`, whose occurrence is called `alias`.
    pub(crate) fn resolve(
        planner: &mut Planner<'a>,
        table: &'a Table,
        alias: String,
        node: &'a Node,
        depth: usize,
    ) -> Result<Level<'a>, PlanError> {
        at_most(node.filters.len(), FILTERS_MAX, "filters")?;
        let mut children = Vec::new();
        for item in &node.items {
            let Item::Embed(embed) = item else { continue };
            if depth >= planner.limits.embed_depth_max {
                return Err(PlanError::TooDeep {
                    limit: planner.limits.embed_depth_max,
                });
            }
            planner.count_embed()?;
            let relation = relation::find(planner, table, &embed.relation, embed.hint.as_deref())?;
            let junction = planner.alias();
            let alias = planner.alias();
            let level = Level::resolve(planner, relation.table, alias, &embed.node, depth + 1)?;
            children.push(Child {
                embed,
                relation,
                junction,
                level,
            });
        }
        Ok(Level {
            table,
            alias,
            node,
            children,
        })
    }

    /// The embedded resource called `name`.
    pub(crate) fn child(&self, name: &str) -> Result<&Child<'a>, PlanError> {
        self.children
            .iter()
            .find(|child| child.name() == name)
            .or_else(|| {
                self.children
                    .iter()
                    .find(|child| child.embed.relation == name)
            })
            .ok_or_else(|| PlanError::NotEmbedded {
                name: name.to_owned(),
            })
    }

    /// Whether an embedded resource of this level, or spread into it, may have many rows.
    pub(crate) fn has_to_many(&self) -> bool {
        self.children
            .iter()
            .any(|child| !child.relation.cardinality.is_to_one() || child.level.has_to_many())
    }
}
