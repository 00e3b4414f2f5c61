//! Arithmetic of timestamps.

use super::registry::Row;
use super::{int, strict, text};
use crate::types::time::shift;
use crate::value::Value;

pub(super) fn rows() -> Vec<Row> {
    vec![
        // timestamp, months, days, microseconds: the three parts an interval has.
        strict!("pg_timestamp_add", 4, |a: &[Value]| Ok(shift(
            &text(&a[0]),
            int(&a[1]),
            int(&a[2]),
            int(&a[3])
        )?
        .into())),
    ]
}
