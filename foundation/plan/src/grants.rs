//! What a request needs to be granted: of each table it names, what it does with which columns.
//!
//! Policies' own columns need nothing, as in Postgres; their sub-selects are asked when they are rendered.

use crate::error::PlanError;
use crate::level::{Child, Level};
use crate::mutation::Draft;
use crate::planner::Planner;
use crate::relation::Join;
use crate::request::{Change, Filter, Item};
use pando_sql::catalog::{Command, Table};
use pando_sql::expr::{Expr, Function};
use pando_sql::privilege::Privilege;
use pando_sql::{SqlError, Value};

/// The columns a level reads of its own table.
#[derive(Default)]
struct Columns<'l> {
    all: bool,
    named: Vec<&'l str>,
}

impl<'a> Planner<'a> {
    /// Refuses a schema the role may not use.
    pub(crate) fn permit_schema(&self) -> Result<(), PlanError> {
        if self.catalog.allows_schema(self.schema, self.role) {
            return Ok(());
        }
        Err(SqlError::new(
            "42501",
            format!("permission denied for schema {}", self.schema),
        )
        .into())
    }

    /// Refuses to read what was not granted, at this level and below. `answered` is whether what the level selects is.
    pub(crate) fn permit_read(&self, level: &Level<'a>, answered: bool) -> Result<(), PlanError> {
        let mut columns = Columns::default();
        if answered {
            for item in &level.node.items {
                match item {
                    Item::Star => columns.all = true,
                    Item::Column { path, .. } => columns.named.push(&path.column),
                    _ => {}
                }
            }
        }
        for order in level
            .node
            .order
            .iter()
            .filter(|order| order.relation.is_none())
        {
            columns.named.push(&order.path.column);
        }
        filtered(&level.node.filters, &mut columns);
        self.permit_columns(level, columns)?;
        self.permit_children(level)
    }

    /// As [`permit_read`](Self::permit_read), for a level whose rows a change answers or is about.
    pub(crate) fn permit_children(&self, level: &Level<'a>) -> Result<(), PlanError> {
        for child in &level.children {
            for order in level
                .node
                .order
                .iter()
                .filter(|order| order.relation.as_deref() == Some(child.name()))
            {
                self.permit(child.level.table, Privilege::Select, [&*order.path.column])?;
            }
            self.permit_join(level, child)?;
            self.permit_read(&child.level, true)?;
        }
        Ok(())
    }

    /// The columns that join a child to its parent are read on both sides.
    fn permit_join(&self, parent: &Level<'a>, child: &Child<'a>) -> Result<(), PlanError> {
        let (mine, theirs) = match &child.relation.join {
            Join::Forward(key) => (&key.columns, &key.foreign_columns),
            Join::Backward(key) => (&key.foreign_columns, &key.columns),
            Join::Through {
                junction,
                near,
                far,
            } => {
                let between = near.columns.iter().chain(&far.columns);
                self.permit(junction, Privilege::Select, between.map(String::as_str))?;
                (&near.foreign_columns, &far.foreign_columns)
            }
        };
        self.permit(parent.table, Privilege::Select, names(mine))?;
        self.permit(child.level.table, Privilege::Select, names(theirs))
    }

    fn permit_columns(&self, level: &Level<'a>, columns: Columns<'_>) -> Result<(), PlanError> {
        if columns.all {
            let all = level
                .table
                .columns
                .iter()
                .map(|column| column.name.as_str());
            return self.permit(level.table, Privilege::Select, all);
        }
        self.permit(level.table, Privilege::Select, columns.named)
    }

    /// Refuses to do something with columns of a table, or with the table where none is named.
    pub(crate) fn permit<'l>(
        &self,
        table: &Table,
        privilege: Privilege,
        columns: impl IntoIterator<Item = &'l str>,
    ) -> Result<(), PlanError> {
        Ok(table.permit(self.role, privilege, columns)?)
    }
}

impl Draft<'_> {
    /// Refuses a change of what was not granted.
    pub(crate) fn permit_change(&self) -> Result<(), PlanError> {
        let (planner, table) = (&self.planner, self.table);
        planner.permit_schema()?;
        let mut read: Vec<String> = Vec::new();
        match &self.mutation.change {
            Change::Insert {
                columns,
                on_conflict,
                ..
            } => {
                self.permit_written(Privilege::Insert, columns, Command::Insert)?;
                if let Some(on_conflict) = on_conflict {
                    let key = table.primary_key.as_ref().map(|key| &key.columns[..]);
                    read = if on_conflict.columns.is_empty() {
                        key.unwrap_or_default().to_vec()
                    } else {
                        self.written(&on_conflict.columns, Command::Insert)?
                            .into_owned()
                    };
                    if on_conflict.merge && !columns.is_empty() {
                        self.permit_written(Privilege::Update, columns, Command::Update)?;
                        // They are set to what `excluded` has, which has to be readable.
                        read.extend(self.written(columns, Command::Update)?.into_owned());
                    }
                }
                self.permit_draws(columns)?;
            }
            Change::Update { columns } if columns.is_empty() => {}
            Change::Update { columns } => {
                self.permit_written(Privilege::Update, columns, Command::Update)?;
            }
            Change::Delete => {
                for table in [self.root.table, &**table] {
                    if !table
                        .privileges
                        .allows(planner.role.name(), Privilege::Delete)
                    {
                        // No column can be deleted by itself.
                        planner.permit(table, Privilege::Delete, [""])?;
                    }
                }
            }
        }
        if self.mutation.keys && !self.mutation.returning {
            read.extend(table.primary_key.iter().flat_map(|key| key.columns.clone()));
        }
        if !read.is_empty() {
            planner.permit(table, Privilege::Select, read.iter().map(String::as_str))?;
        }
        if self.mutation.returning || !self.mutation.node.filters.is_empty() {
            planner.permit_read(&self.root, self.mutation.returning)?;
        }
        Ok(())
    }

    /// Columns that are written, by their names in the view and in the table behind it.
    fn permit_written(
        &self,
        privilege: Privilege,
        columns: &[String],
        command: Command,
    ) -> Result<(), PlanError> {
        self.planner
            .permit(self.root.table, privilege, names(columns))?;
        let written = self.written(columns, command)?;
        self.planner.permit(self.table, privilege, names(&written))
    }

    /// Numbers of sequences other than those of identity columns are asked for by whoever inserts.
    fn permit_draws(&self, given: &[String]) -> Result<(), PlanError> {
        let Planner { catalog, role, .. } = self.planner;
        for column in &self.table.columns {
            let Some(default) = column
                .default
                .as_ref()
                .filter(|_| column.identity.is_none() && !given.contains(&column.name))
            else {
                continue;
            };
            let mut denied = None;
            default.walk(0, &mut |_, expr| {
                let Expr::Call {
                    function: Function::NextVal,
                    args,
                    ..
                } = expr
                else {
                    return;
                };
                let Some(Expr::Literal {
                    value: Value::Text(name),
                    ..
                }) = args.first()
                else {
                    return;
                };
                let (schema, plain) = name.split_once('.').unwrap_or(("public", name));
                let allowed = catalog
                    .sequences
                    .get(&(schema.to_owned(), plain.to_owned()))
                    .is_some_and(|sequence| {
                        [Privilege::Usage, Privilege::Update]
                            .iter()
                            .any(|privilege| sequence.privileges.allows(role.name(), *privilege))
                    });
                if !allowed {
                    denied = Some(plain.to_owned());
                }
            });
            if let Some(name) = denied {
                return Err(SqlError::new(
                    "42501",
                    format!("permission denied for sequence {name}"),
                )
                .into());
            }
        }
        Ok(())
    }
}

fn names(columns: &[String]) -> impl Iterator<Item = &str> + Clone {
    columns.iter().map(String::as_str)
}

/// The columns that filters read.
fn filtered<'l>(filters: &'l [Filter], columns: &mut Columns<'l>) {
    for filter in filters {
        match filter {
            Filter::Compare { path, .. } => columns.named.push(&path.column),
            Filter::Group { filters, .. } => filtered(filters, columns),
            Filter::Embedded { .. } => {}
        }
    }
}
