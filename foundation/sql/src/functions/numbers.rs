//! Numbers: arithmetic that raises where Postgres raises, where SQLite would overflow into a float and divide by zero into null.

mod exact;
mod floats;
mod integers;

use super::registry::Row;
use crate::error::SqlError;

pub(super) fn rows() -> Vec<Row> {
    [integers::rows(), exact::rows(), floats::rows()]
        .into_iter()
        .flatten()
        .collect()
}

fn zero() -> SqlError {
    SqlError::new("22012", "division by zero")
}
