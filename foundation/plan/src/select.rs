//! What a level selects: its cells in order, and their values as SQL.

use crate::error::PlanError;
use crate::level::{Child, Level};
use crate::operand::{self, Operand};
use crate::planner::{COLUMNS_MAX, Planner, at_most};
use crate::request::Item;
use pando_sql::render::render_cast;
use pando_sql::statement::JsonOut;
use pando_sql::{SqlError, Statement, Type};

/// One key of an answer.
pub(crate) struct Cell<'l, 'a> {
    pub(crate) key: &'l str,
    kind: Kind<'l, 'a>,
}

enum Kind<'l, 'a> {
    Value {
        alias: &'l str,
        operand: Operand<'l>,
        cast: Option<Type>,
        not_null: bool,
    },
    /// The number of the level's rows, which makes one row of them.
    Count,
    Embed {
        parent: &'l Level<'a>,
        child: &'l Child<'a>,
    },
    /// A cell of a to-many resource spread into its parent: an array over the rows.
    Gathered {
        parent: &'l Level<'a>,
        child: &'l Child<'a>,
        cell: Box<Cell<'l, 'a>>,
    },
}

impl<'a> Planner<'a> {
    /// The keys of a level in order. `outer`: its row may be missing, so nothing in it is surely not null.
    pub(crate) fn cells<'l>(
        &self,
        level: &'l Level<'a>,
        outer: bool,
    ) -> Result<Vec<Cell<'l, 'a>>, PlanError> {
        let mut cells = Vec::new();
        let mut children = level.children.iter();
        for item in &level.node.items {
            match item {
                Item::Star => cells.extend(level.table.columns.iter().map(|column| Cell {
                    key: &column.name,
                    kind: Kind::Value {
                        alias: &level.alias,
                        operand: Operand {
                            column: &column.name,
                            steps: &[],
                            ty: column.ty.clone(),
                            not_null: column.not_null,
                        },
                        cast: None,
                        not_null: column.not_null && !outer,
                    },
                })),
                Item::Column { alias, path, .. } if level.is_count(item) => {
                    level.refuse_beside_count()?;
                    cells.push(Cell {
                        key: alias.as_deref().unwrap_or(&path.column),
                        kind: Kind::Count,
                    });
                }
                Item::Column { alias, path, cast } => {
                    let operand = operand::resolve(level.table, path)?;
                    let cast = cast
                        .as_deref()
                        .map(|name| self.named_type(name))
                        .transpose()?;
                    let not_null = operand.not_null && !outer;
                    cells.push(Cell {
                        key: alias
                            .as_deref()
                            .unwrap_or_else(|| operand::default_key(path)),
                        kind: Kind::Value {
                            alias: &level.alias,
                            operand,
                            cast,
                            not_null,
                        },
                    });
                }
                Item::Embed(embed) => {
                    let Some(child) = children.next() else {
                        continue;
                    };
                    let to_one = child.relation.cardinality.is_to_one();
                    match (embed.spread, to_one) {
                        // `rel()` takes part in the join and shows nothing.
                        _ if embed.node.items.is_empty() => {}
                        (false, _) => {
                            cells.push(Cell {
                                key: child.name(),
                                kind: Kind::Embed {
                                    parent: level,
                                    child,
                                },
                            });
                        }
                        (true, true) => cells.extend(self.cells(&child.level, true)?),
                        (true, false) => {
                            cells.extend(self.cells(&child.level, false)?.into_iter().map(|cell| {
                                Cell {
                                    key: cell.key,
                                    kind: Kind::Gathered {
                                        parent: level,
                                        child,
                                        cell: Box::new(cell),
                                    },
                                }
                            }))
                        }
                    }
                }
            }
        }
        at_most(cells.len(), COLUMNS_MAX, "columns")?;
        Ok(cells)
    }

    fn named_type(&self, name: &str) -> Result<Type, SqlError> {
        Type::parse_name(self.catalog, name)
            .ok_or_else(|| SqlError::new("42704", format!("type \"{name}\" does not exist")))
    }

    /// Appends a cell's value in storage form; says how it is written into JSON.
    pub(crate) fn value(
        &mut self,
        cell: &Cell<'_, 'a>,
        out: &mut Statement,
    ) -> Result<JsonOut, PlanError> {
        match &cell.kind {
            Kind::Value {
                alias,
                operand,
                cast: None,
                ..
            } => {
                operand.render(alias, out);
                Ok(operand.ty.json_out())
            }
            Kind::Value {
                alias,
                operand,
                cast: Some(ty),
                ..
            } => {
                let render = |out: &mut Statement| {
                    operand.render(alias, out);
                    Ok(())
                };
                render_cast(&operand.ty, ty, render, out)?;
                Ok(ty.json_out())
            }
            Kind::Count => {
                out.push("count(*)");
                Ok(JsonOut::Int)
            }
            Kind::Embed { parent, child } => {
                if child.relation.cardinality.is_to_one() {
                    out.push("(SELECT ");
                    self.object(&child.level, out)?;
                    self.join(parent, child, out)?;
                    out.push(")");
                } else {
                    self.array(parent, child, out, |planner, out| {
                        planner.object(&child.level, out)
                    })?;
                }
                Ok(JsonOut::Raw)
            }
            Kind::Gathered {
                parent,
                child,
                cell,
            } => {
                self.array(parent, child, out, |planner, out| planner.json(cell, out))?;
                Ok(JsonOut::Raw)
            }
        }
    }
}

impl Cell<'_, '_> {
    pub(crate) fn is_not_null(&self) -> bool {
        match &self.kind {
            Kind::Value { not_null, cast, .. } => *not_null && cast.is_none(),
            Kind::Embed { child, .. } => !child.relation.cardinality.is_to_one(),
            Kind::Count | Kind::Gathered { .. } => true,
        }
    }

    pub(crate) fn is_numeric(&self) -> bool {
        match &self.kind {
            Kind::Value { operand, cast, .. } => {
                matches!(cast.as_ref().unwrap_or(&operand.ty), Type::Numeric(_))
            }
            _ => false,
        }
    }
}
