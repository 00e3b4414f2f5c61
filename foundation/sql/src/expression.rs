//! One expression from its text: what a test or a tool asks, without a statement around it.

use crate::catalog::{Catalog, Table};
use crate::error::Refusal;
use crate::expr::Expr;
use crate::lower::Lowering;
use crate::parse;

/// Reads an expression, over the columns of a table if there is one.
pub fn read_expression(
    catalog: &Catalog,
    table: Option<&Table>,
    text: &str,
) -> Result<Expr, Refusal> {
    let mut lowering = match table {
        Some(table) => Lowering::over(catalog, table),
        None => Lowering::bare(catalog),
    };
    parse::expression(text)
        .and_then(|parsed| lowering.value(&parsed))
        .map_err(|trouble| trouble.refusal("expression", 1))
}
