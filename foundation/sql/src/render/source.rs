//! What a query selects from: each table carries its own policies, each view and function its query.

use super::{Alias, Renderer, Scope};
use crate::catalog::{Catalog, Command, Table};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::privilege::Privilege;
use crate::query::{Join, Of, Order, Query, Select, Source};
use crate::statement::Statement;
use pando_kernel::Role;
use std::sync::Arc;

/// Appends a table's name, or a view's query in parentheses as `role` sees it. Policies of a table are not part of it.
///
/// Errors: 42P17 when policies ask for each other without end.
pub fn render_source(
    catalog: &Catalog,
    table: &Table,
    role: Role,
    out: &mut Statement,
) -> Result<(), SqlError> {
    Renderer::new(catalog, role, &Scope::default(), out).relation(table)
}

/// How deep views and functions may stand in one another.
const DEPTH: usize = 32;

impl Renderer<'_> {
    /// Renders something that sees nothing of the queries around it but for one level of its own.
    pub(crate) fn isolated(
        &mut self,
        level: Vec<Alias>,
        render: impl FnOnce(&mut Self) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let depth = self.levels.len();
        let mut levels: Vec<Vec<Alias>> = std::iter::repeat_n(Vec::new(), depth).collect();
        if !level.is_empty() {
            levels.push(level);
        }
        let outer = std::mem::replace(&mut self.levels, levels);
        let frames = std::mem::take(&mut self.frames);
        let rendered = render(self);
        self.levels = outer;
        self.frames = frames;
        rendered
    }

    /// Counts one more view or function around.
    pub(crate) fn deeper(
        &mut self,
        render: impl FnOnce(&mut Self) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        if self.nested >= DEPTH {
            return Err(SqlError::new("54001", "stack depth limit exceeded").hint(format!(
                "Views and functions stand in one another at most {DEPTH} deep on the embedded engine."
            )));
        }
        self.nested += 1;
        let rendered = render(self);
        self.nested -= 1;
        rendered
    }

    /// A table's name, or a view's query.
    pub(crate) fn relation(&mut self, table: &Table) -> Result<(), SqlError> {
        let Some(view) = &table.view else {
            self.out.ident(&table.file_name());
            return Ok(());
        };
        let names: Vec<String> = table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let role = self.role;
        if !view.invoker {
            self.role = Role::Service;
        }
        self.out.push("(");
        let rendered = self.deeper(|renderer| {
            renderer.isolated(Vec::new(), |renderer| {
                renderer.query(&view.query, Some(&names))
            })
        });
        self.role = role;
        self.out.push(")");
        rendered
    }

    pub(crate) fn table_of(&self, schema: &str, name: &str) -> Result<Arc<Table>, SqlError> {
        self.catalog.table(schema, name).cloned().ok_or_else(|| {
            SqlError::new(
                "42P01",
                format!("relation \"{schema}.{name}\" does not exist"),
            )
        })
    }

    /// How the columns of a source are written.
    pub(crate) fn alias_of(source: &Source, name: String) -> Alias {
        match &source.of {
            Of::Rows {
                columns,
                ordinality,
                ..
            } => Alias::Rows {
                alias: name,
                columns: columns.clone(),
                ordinality: *ordinality,
            },
            _ => Alias::Name(name),
        }
    }

    /// Refuses a source the role may not read. The service role is asked at the door only: here it stands for owners too.
    fn may_read(&self, select: &Select, order: &[Order], index: usize) -> Result<(), SqlError> {
        let Of::Table { schema, name } = &select.from[index].of else {
            return Ok(());
        };
        if self.role == Role::Service || self.looking {
            return Ok(());
        }
        let table = self.table_of(schema, name)?;
        if table.privileges.allows(self.role.name(), Privilege::Select) {
            return Ok(());
        }
        let mut columns: Vec<String> = Vec::new();
        // What it is sorted by is read as well.
        let within = Expr::Exists(Box::new(Query {
            order: order.to_vec(),
            ..Query::select(select.clone())
        }));
        within.walk(0, &mut |depth, expr| {
            if let Expr::Column {
                level,
                source,
                name,
                ..
            } = expr
                && level + 1 == depth
                && *source as usize == index
            {
                columns.push(name.clone());
            }
        });
        table.permit(
            self.role,
            Privilege::Select,
            columns.iter().map(String::as_str),
        )
    }

    /// ` FROM ..`, and the policies of the tables that are not part of a join: they belong into `where`.
    pub(super) fn from(
        &mut self,
        select: &Select,
        order: &[Order],
        names: &[String],
    ) -> Result<Vec<(Arc<Table>, String)>, SqlError> {
        let outer = select
            .from
            .iter()
            .any(|source| matches!(source.join, Join::Right | Join::Full));
        let mut secured = Vec::new();
        for (index, (source, name)) in select.from.iter().zip(names).enumerate() {
            self.out.push(match (index, source.join) {
                (0, _) => " FROM ",
                (_, Join::Inner) => " JOIN ",
                (_, Join::Left) => " LEFT JOIN ",
                (_, Join::Right) => " RIGHT JOIN ",
                (_, Join::Full) => " FULL JOIN ",
            });
            self.may_read(select, order, index)?;
            let table = self.source(source, name, outer)?;
            let mut next = " ON ";
            if let Some(on) = &source.on {
                self.out.push(next);
                self.expr(on)?;
                next = " AND ";
            }
            let Some(table) = table else { continue };
            if index == 0 {
                secured.push((table, name.clone()));
            } else {
                // A joined table's policies stand in its `on`: the rows they hide are as if they were not there.
                self.out.push(next);
                self.policies(&table, Command::Select, false, name)?;
            }
        }
        Ok(secured)
    }

    /// One source with its alias; gives the table whose policies are still to be said.
    pub(super) fn source(
        &mut self,
        source: &Source,
        name: &str,
        secure: bool,
    ) -> Result<Option<Arc<Table>>, SqlError> {
        let mut open = None;
        match &source.of {
            Of::Table { schema, name: of } => {
                let table = self.table_of(schema, of)?;
                if table.view.is_some() || self.passes(&table) {
                    self.relation(&table)?;
                } else if secure {
                    // What an outer join fills up with nulls must not bring back rows that are hidden.
                    self.out.push("(SELECT * FROM ").ident(&table.file_name());
                    self.out.push(" AS ").ident(name).push(" WHERE ");
                    self.policies(&table, Command::Select, false, name)?;
                    self.out.push(")");
                } else {
                    self.relation(&table)?;
                    open = Some(table);
                }
            }
            Of::Query(query) => {
                self.out.push("(");
                let level = self.levels.pop();
                let rendered = self.query(query, None);
                self.levels.extend(level);
                rendered?;
                self.out.push(")");
            }
            Of::Cte { name } => {
                self.out.ident(&cte_name(name));
            }
            Of::Rows { function, args, .. } => {
                self.out.push("json_each(").push(function).push("(");
                for (index, arg) in args.iter().enumerate() {
                    self.out.push(if index > 0 { ", " } else { "" });
                    self.expr(arg)?;
                }
                self.out.push("))");
            }
            Of::Routine {
                routine,
                args,
                columns,
            } => {
                self.out.push("(");
                self.routine_rows(routine, args, columns)?;
                self.out.push(")");
            }
        }
        self.out.push(" AS ").ident(name);
        Ok(open)
    }
}

/// The name of a `with` in the file's terms: one no table can have.
pub(super) fn cte_name(name: &str) -> String {
    format!("pando.with.{name}")
}
