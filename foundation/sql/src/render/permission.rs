//! What a change needs to be granted: the columns it writes, and those of its table that it reads.

use super::Renderer;
use crate::catalog::Table;
use crate::error::SqlError;
use crate::expr::Expr;
use crate::operation::{Delete, Insert, Update};
use crate::privilege::Privilege;
use pando_kernel::Role;

/// The table's columns that expressions of its change read; source 0 is the table, and where it has `excluded` that is source 1.
fn read<'e>(exprs: impl Iterator<Item = &'e Expr>, excluded: bool) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for expr in exprs {
        expr.walk(0, &mut |depth, expr| {
            if let Expr::Column {
                level,
                source,
                name,
                ..
            } = expr
                && *level == depth
                && (*source == 0 || excluded && *source == 1)
                && !columns.contains(name)
            {
                columns.push(name.clone());
            }
        });
    }
    columns
}

impl Renderer<'_> {
    fn permit(
        &self,
        table: &Table,
        privilege: Privilege,
        columns: &[String],
    ) -> Result<(), SqlError> {
        // The service role is asked at the door only: here it stands for owners too.
        if self.role == Role::Service {
            return Ok(());
        }
        table.permit(self.role, privilege, columns.iter().map(String::as_str))
    }

    fn permit_read<'e>(
        &self,
        table: &Table,
        exprs: impl Iterator<Item = &'e Expr>,
        excluded: bool,
    ) -> Result<(), SqlError> {
        let columns = read(exprs, excluded);
        if columns.is_empty() {
            return Ok(());
        }
        self.permit(table, Privilege::Select, &columns)
    }

    pub(super) fn permit_insert(&self, table: &Table, insert: &Insert) -> Result<(), SqlError> {
        self.permit(table, Privilege::Insert, &insert.columns)?;
        let returned = insert.returning.iter().map(|output| &output.expr);
        let Some(conflict) = &insert.conflict else {
            return self.permit_read(table, returned, false);
        };
        let mut assigned: Vec<&Expr> = Vec::new();
        if let Some((assignments, filter)) = &conflict.update {
            let columns: Vec<String> = assignments
                .iter()
                .map(|assignment| assignment.column.clone())
                .collect();
            self.permit(table, Privilege::Update, &columns)?;
            assigned.extend(
                assignments
                    .iter()
                    .filter_map(|assignment| assignment.value.as_ref()),
            );
            assigned.extend(filter);
        }
        // Postgres asks for the right to read what of `excluded` is read, too.
        self.permit_read(
            table,
            returned.chain(&conflict.target).chain(assigned),
            true,
        )
    }

    pub(super) fn permit_update(&self, table: &Table, update: &Update) -> Result<(), SqlError> {
        let columns: Vec<String> = update
            .assignments
            .iter()
            .map(|assignment| assignment.column.clone())
            .collect();
        self.permit(table, Privilege::Update, &columns)?;
        let assigned = update
            .assignments
            .iter()
            .filter_map(|assignment| assignment.value.as_ref());
        let returned = update.returning.iter().map(|output| &output.expr);
        let joined = update.from.iter().filter_map(|source| source.on.as_ref());
        self.permit_read(
            table,
            assigned.chain(returned).chain(joined).chain(&update.filter),
            false,
        )
    }

    pub(super) fn permit_delete(&self, table: &Table, delete: &Delete) -> Result<(), SqlError> {
        if self.role != Role::Service
            && !table.privileges.allows(self.role.name(), Privilege::Delete)
        {
            // No column can be deleted by itself.
            table.permit(self.role, Privilege::Delete, [""])?;
        }
        let returned = delete.returning.iter().map(|output| &output.expr);
        let joined = delete.using.iter().filter_map(|source| source.on.as_ref());
        self.permit_read(table, returned.chain(joined).chain(&delete.filter), false)
    }
}
