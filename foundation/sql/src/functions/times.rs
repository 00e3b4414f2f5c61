//! Dates, times and intervals.

mod arithmetic;
mod extract;
mod format;
mod make;
mod truncate;

use super::registry::Row;
use crate::error::SqlError;
use crate::types::time::interval::Interval;
use crate::types::time::{Micros, stored};
use crate::value::Value;

pub(super) fn rows() -> Vec<Row> {
    [
        arithmetic::rows(),
        extract::rows(),
        format::rows(),
        make::rows(),
        truncate::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn moment(value: &Value) -> Result<Micros, SqlError> {
    stored(value.as_str().unwrap_or_default())
}

fn span(value: &Value) -> Result<Interval, SqlError> {
    Interval::stored(value.as_str().unwrap_or_default())
}
