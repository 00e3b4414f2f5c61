//! Sub-selects: each of their tables carries its own policies.

use super::Renderer;
use crate::catalog::Command;
use crate::error::SqlError;
use crate::expr::Query;

impl Renderer<'_> {
    pub(super) fn query(&mut self, query: &Query) -> Result<(), SqlError> {
        let depth = self.levels.len();
        let aliases: Vec<String> = (0..query.from.len())
            .map(|index| format!("p{depth}_{index}"))
            .collect();
        self.levels.push(aliases.clone());
        self.out.push("SELECT ");
        if query.columns.is_empty() {
            self.out.push("1");
        }
        for (index, column) in query.columns.iter().enumerate() {
            if index > 0 {
                self.out.push(", ");
            }
            self.expr(column)?;
        }
        let mut filters = 0;
        for (index, source) in query.from.iter().enumerate() {
            let table = self
                .catalog
                .table(&source.schema, &source.table)
                .cloned()
                .ok_or_else(|| {
                    SqlError::new(
                        "42P01",
                        format!(
                            "relation \"{}.{}\" does not exist",
                            source.schema, source.table
                        ),
                    )
                })?;
            self.out.push(if index == 0 {
                " FROM "
            } else if source.left {
                " LEFT JOIN "
            } else {
                " JOIN "
            });
            self.out
                .ident(&table.file_name())
                .push(" AS ")
                .ident(&aliases[index]);
            if index > 0 {
                // A joined table's policies stand in its `on`: the rows they hide are as if they were not there.
                self.out.push(" ON ");
                if let Some(on) = &source.on {
                    self.expr(on)?;
                    self.out.push(" AND ");
                }
                self.policies(&table, Command::Select, false, &aliases[index])?;
            }
        }
        if let (Some(first), Some(source)) = (aliases.first(), query.from.first())
            && let Some(table) = self.catalog.table(&source.schema, &source.table).cloned()
            && !self.passes(&table)
        {
            self.out.push(" WHERE ");
            self.policies(&table, Command::Select, false, first)?;
            filters += 1;
        }
        if let Some(filter) = &query.filter {
            self.out
                .push(if filters == 0 { " WHERE " } else { " AND " });
            self.expr(filter)?;
        }
        self.levels.pop();
        Ok(())
    }
}
