//! A table made anew with another definition: what SQLite's own `alter table` can not do is done by copying.

use super::{Migration, rendered};
use crate::catalog::Table;
use crate::ddl;
use crate::expr::Expr;
use crate::render::{Scope, render_expr};
use crate::statement::Statement;
use crate::trouble::Result;
use pando_kernel::Role;

/// The name the new table has until the old one is gone.
const TEMPORARY: &str = "pando.rebuild";

impl Migration {
    /// Replaces `old` by `new`: columns of one name are copied, new ones are filled with their defaults. Its indexes are made again.
    ///
    /// The engine runs migrations with foreign keys unenforced and checks them before the commit.
    pub(super) fn rebuild(&mut self, old: &Table, new: Table) -> Result<()> {
        self.rebuild_with(old, new, &[])
    }

    /// As [`rebuild`](Self::rebuild), with expressions over the old table for some columns.
    pub(super) fn rebuild_with(
        &mut self,
        old: &Table,
        new: Table,
        filled: &[(String, Expr)],
    ) -> Result<()> {
        let create = rendered(ddl::create_table(&self.catalog, &new, TEMPORARY))?;
        self.step(create);
        let mut copy = Statement::new();
        let mut select = Statement::new();
        copy.push("INSERT INTO ").ident(TEMPORARY).push(" (");
        let scope = Scope::over("old");
        let mut first = true;
        for column in new
            .columns
            .iter()
            .filter(|column| column.generated.is_none())
        {
            let given = filled
                .iter()
                .find(|(name, _)| *name == column.name)
                .map(|(_, expr)| expr);
            if given.is_none() && old.column(&column.name).is_none() && column.default.is_none() {
                continue;
            }
            if !first {
                copy.push(", ");
                select.push(", ");
            }
            first = false;
            copy.ident(&column.name);
            match (given, old.column(&column.name), &column.default) {
                (Some(expr), ..) | (None, None, Some(expr)) => {
                    render_expr(&self.catalog, Role::Service, expr, &scope, &mut select)?
                }
                _ => {
                    select.ident("old").push(".").ident(&column.name);
                }
            }
        }
        copy.push(") SELECT ")
            .push(&select.sql)
            .push(" FROM ")
            .ident(&old.file_name())
            .push(" AS old");
        copy.binds = select.binds;
        self.step(copy);
        self.run(|out| {
            out.push("DROP TABLE ").ident(&old.file_name());
        });
        self.run(|out| {
            out.push("ALTER TABLE ")
                .ident(TEMPORARY)
                .push(" RENAME TO ")
                .ident(&new.file_name());
        });
        for index in &new.indexes {
            let sql = rendered(ddl::create_index(&self.catalog, &new, index))?;
            self.step(sql);
        }
        self.put(new);
        Ok(())
    }
}
