//! `like`, `similar to` and regular expressions.

mod like;
mod regexes;

use super::registry::Row;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = like::rows();
    rows.extend(regexes::rows());
    rows
}
