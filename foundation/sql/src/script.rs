//! SQL that is run rather than kept: statements over rows, one after the other.

use crate::catalog::Catalog;
use crate::error::SqlError;
use crate::lower::Lowering;
use crate::operation::Operation;
use crate::parse::split;
use crate::trouble::Trouble;

/// Reads statements over rows: `select`, `insert`, `update`, `delete`.
///
/// Errors: as Postgres' parser and analyser; 0A000 for what the embedded engine does not have.
pub fn operations(catalog: &Catalog, sql: &str) -> Result<Vec<Operation>, SqlError> {
    let read =
        |source: &crate::parse::Source| -> crate::trouble::Result<Operation> {
            let statement = source.statement()?;
            Lowering::bare(catalog).operation(&statement)?.ok_or_else(|| {
            Trouble::unsupported(
                source.text(),
                "write select, insert, update or delete; the schema is changed by migrations",
            )
        })
        };
    let sources = split(sql).map_err(SqlError::from)?;
    sources
        .iter()
        .map(|source| read(source).map_err(SqlError::from))
        .collect()
}
