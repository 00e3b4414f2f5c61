//! Views that are written: their rows with the handles of the table's rows, and what `with check option` asks of a row.

use super::{Alias, Renderer, Scope};
use crate::catalog::{Catalog, CheckOption, Table};
use crate::error::SqlError;
use crate::query::{Of, Select};
use crate::statement::Statement;
use crate::writable::simple;
use pando_kernel::Role;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Appends a writable view as a sub-select in parentheses whose last column, `rowid`, is the handle of the table's row. `filtered`: only
/// the rows the view shows; otherwise every row of the table. Policies of the table are not part of it.
///
/// Errors: 42P17 when policies of the tables that the view's condition asks are without end.
pub fn render_handles(
    catalog: &Catalog,
    view: &Table,
    role: Role,
    filtered: bool,
    out: &mut Statement,
) -> Result<(), SqlError> {
    Renderer::new(catalog, role, &Scope::default(), out).handles(view, filtered)
}

/// Appends the conditions that `with check option` puts on a row of the table behind a writable view, ` AND ` between them; nothing if
/// there are none. They raise 44000 where they do not hold.
///
/// Errors: as [`render_handles`].
pub fn render_check_option(
    catalog: &Catalog,
    view: &Table,
    role: Role,
    alias: &str,
    out: &mut Statement,
) -> Result<(), SqlError> {
    let row = Alias::Name(alias.to_owned());
    let mut renderer = Renderer::new(catalog, role, &Scope::default(), out);
    let checks = renderer.checks(view, &row, false)?;
    renderer.out.push(&checks.join(" AND "));
    Ok(())
}

impl Renderer<'_> {
    fn handles(&mut self, table: &Table, filtered: bool) -> Result<(), SqlError> {
        let Some((select, inner)) = self.written(table)? else {
            self.out.ident(&table.file_name());
            return Ok(());
        };
        let alias = format!("p{}_0", self.levels.len());
        self.out.push("(SELECT ");
        self.deeper(|renderer| {
            renderer.isolated(vec![Alias::Name(alias.clone())], |renderer| {
                let names: Vec<String> = table
                    .columns
                    .iter()
                    .map(|column| column.name.clone())
                    .collect();
                renderer.outputs(&select.columns, Some(&names))?;
                renderer
                    .out
                    .push(", ")
                    .ident(&alias)
                    .push(".rowid AS rowid FROM ");
                renderer.handles(&inner, filtered)?;
                renderer.out.push(" AS ").ident(&alias);
                if let Some(filter) = select.filter.as_ref().filter(|_| filtered) {
                    renderer.out.push(" WHERE ");
                    renderer.expr(filter)?;
                }
                Ok(())
            })
        })?;
        self.out.push(")");
        Ok(())
    }

    /// The select of a writable view, and what it selects from; nothing for a table.
    fn written(&self, table: &Table) -> Result<Option<(Select, Arc<Table>)>, SqlError> {
        let Some(view) = &table.view else {
            return Ok(None);
        };
        let select = simple(view).map_err(|why| SqlError::new("55000", why))?;
        let Some(Of::Table { schema, name }) = select.from.first().map(|source| &source.of) else {
            return Ok(None);
        };
        Ok(Some((select.clone(), self.table_of(schema, name)?)))
    }

    /// A row of the table behind a view as the view shows it.
    fn shown(&mut self, table: &Table, row: &Alias) -> Result<Alias, SqlError> {
        let Some((select, inner)) = self.written(table)? else {
            return Ok(row.clone());
        };
        let below = self.shown(&inner, row)?;
        let mut texts = BTreeMap::new();
        for (column, output) in table.columns.iter().zip(&select.columns) {
            let text = self.apart(|renderer| {
                renderer.isolated(vec![below.clone()], |renderer| renderer.expr(&output.expr))
            })?;
            texts.insert(column.name.clone(), format!("({text})"));
        }
        Ok(Alias::Texts(Arc::new(texts)))
    }

    fn checks(&mut self, table: &Table, row: &Alias, asked: bool) -> Result<Vec<String>, SqlError> {
        let Some((select, inner)) = self.written(table)? else {
            return Ok(Vec::new());
        };
        let option = table.view.as_ref().and_then(|view| view.check);
        let below = asked || option == Some(CheckOption::Cascaded);
        // The innermost condition is the first to complain.
        let mut checks = self.checks(&inner, row, below)?;
        if let Some(filter) = select.filter.as_ref().filter(|_| asked || option.is_some()) {
            let seen = self.shown(&inner, row)?;
            let text = self.apart(|renderer| {
                renderer.isolated(vec![seen], |renderer| renderer.expr(filter))
            })?;
            let name = self.apart(|renderer| {
                renderer.value(&table.name.as_str().into());
                Ok(())
            })?;
            checks.push(format!("pg_check_option(coalesce({text}, 0), {name})"));
        }
        Ok(checks)
    }
}
