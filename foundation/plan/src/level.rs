//! The request resolved against the catalog: a tree of tables with the relations between them.

use crate::error::PlanError;
use crate::planner::{FILTERS_MAX, Planner, at_most};
use crate::relation::{self, Relation};
use crate::request::{Embed, Item, Node};
use pando_sql::SqlError;
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

    /// Whether an item is `count`, which Postgres reads as `count(*)` of the level's rows where no column is called so.
    /// It is how clients of PostgREST count embedded rows, aggregates being switched off or not.
    pub(crate) fn is_count(&self, item: &Item) -> bool {
        matches!(item, Item::Column { path, cast: None, .. }
            if path.column == "count" && path.steps.is_empty() && self.table.column("count").is_none())
    }

    /// Whether the level's rows are counted instead of shown.
    pub(crate) fn counts(&self) -> bool {
        self.node.items.iter().any(|item| self.is_count(item))
    }

    /// Refuses anything that would have to be grouped by beside a count, as Postgres does.
    pub(crate) fn refuse_beside_count(&self) -> Result<(), PlanError> {
        let first = self.table.columns.first().map(|column| &*column.name);
        let beside = self.node.items.iter().find_map(|item| match item {
            Item::Embed(embed) if embed.node.items.is_empty() => None,
            Item::Embed(embed) => Some(embed.relation.as_str()),
            Item::Star => first,
            Item::Column { .. } if self.is_count(item) => None,
            Item::Column { path, .. } => Some(path.column.as_str()),
        });
        let Some(beside) = beside else { return Ok(()) };
        Err(SqlError::new(
            "42803",
            format!(
                "column \"{}.{beside}\" must appear in the GROUP BY clause or be used in an aggregate function",
                self.table.name
            ),
        )
        .hint("Select count alone.")
        .into())
    }

    /// Whether an embedded resource of this level, or spread into it, may have many rows.
    pub(crate) fn has_to_many(&self) -> bool {
        self.children
            .iter()
            .any(|child| !child.relation.cardinality.is_to_one() || child.level.has_to_many())
    }
}
