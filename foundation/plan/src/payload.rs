//! A row of a payload, read by the types of the columns it is written to.

use pando_sql::catalog::Table;
use pando_sql::{SqlError, Type, Value};
use serde_json::value::RawValue;

/// A column of the payload.
#[derive(Clone, Debug)]
pub(crate) struct PayloadColumn {
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// Whether the row also says if the cell was there: an absent one takes the column's default.
    pub(crate) says_given: bool,
    /// SQLite would number a null by itself.
    pub(crate) refuses_null: bool,
}

/// The values of a row: one a column, then for the columns that say so whether their cell was there.
pub(crate) fn read_row(
    columns: &[PayloadColumn],
    table: &Table,
    cells: &[Option<&RawValue>],
) -> Result<Vec<Value>, SqlError> {
    if cells.len() != columns.len() {
        return Err(SqlError::new(
            "22023",
            format!(
                "a row has {} values for {} columns",
                cells.len(),
                columns.len()
            ),
        ));
    }
    let mut row = Vec::with_capacity(columns.len() + 2);
    for (column, cell) in columns.iter().zip(cells) {
        let value = match cell {
            Some(json) if json.get() != "null" => column.ty.read_json(json)?,
            _ => Value::Null,
        };
        if column.refuses_null && value.is_null() && (cell.is_some() || !column.says_given) {
            return Err(null_in(&column.name, &table.name));
        }
        row.push(value);
    }
    for (column, cell) in columns.iter().zip(cells) {
        if column.says_given {
            row.push(Value::from(cell.is_some()));
        }
    }
    Ok(row)
}

/// Where a column's "was it there" stands in the row.
pub(crate) fn given_position(columns: &[PayloadColumn], index: usize) -> Option<usize> {
    columns.get(index).filter(|column| column.says_given)?;
    Some(
        columns.len()
            + columns[..index]
                .iter()
                .filter(|column| column.says_given)
                .count(),
    )
}

/// A null where there must be none.
pub(crate) fn null_in(column: &str, table: &str) -> SqlError {
    SqlError::new(
        "23502",
        format!(
            "null value in column \"{column}\" of relation \"{table}\" violates not-null constraint"
        ),
    )
}
