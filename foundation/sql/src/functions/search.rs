//! Text search as functions of our own statements: see [`crate::search`]. There are no values of its types here, so a text and a query
//! meet in one call.

use super::registry::{Row, strict};
use super::text;
use crate::search::{Config, Mode, holds, read_query};

pub(super) fn rows() -> Vec<Row> {
    vec![
        // A text, its configuration, and a query as `.tsquery` gives it.
        strict(".fts(text, text, text) boolean as pg_fts", |a| {
            let config = Config::read(&text(&a[1]))?;
            Ok(holds(&text(&a[0]), config, &text(&a[2]))?.into())
        }),
        // A query as written, its configuration, and the function that reads it.
        strict(".tsquery(text, text, text) text as pg_tsquery", |a| {
            let config = Config::read(&text(&a[1]))?;
            let mode = Mode::of_function(&text(&a[2])).unwrap_or(Mode::Plain);
            Ok(read_query(&text(&a[0]), config, mode)?.into())
        }),
    ]
}
