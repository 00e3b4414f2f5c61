//! A request's body, read into columns and cells without looking inside the cells.
//!
//! Invariants: a cell stays the text the client sent, so no number passes through a float; nesting, columns and rows
//! are bounded. A CSV or a form is first written as JSON, so that there is one way to read a payload.

mod csv;
mod form;
mod json;

use crate::error::RestError;
use http::HeaderValue;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Columns of one payload: Postgres' own limit for a table.
pub(crate) const COLUMNS_MAX: usize = 1_600;

/// Bounds of a payload.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Nesting of JSON.
    pub depth_max: usize,
    /// Rows in one request.
    pub rows_max: usize,
}

/// Rows to write. `cells` holds them one after the other, each as long as `columns`.
#[derive(Debug, Default)]
pub struct Payload<'a> {
    /// The columns, in the order of each row's cells.
    pub columns: Vec<String>,
    /// `None` where the row lacks the column.
    pub cells: Vec<Option<&'a RawValue>>,
    /// How many rows.
    pub rows: usize,
    /// Whether the body was one object, not an array.
    pub single: bool,
}

impl<'a> Payload<'a> {
    /// Leaves out the columns that the only row lacks: an update does not touch what `columns=` names in vain.
    pub(crate) fn drop_absent(&mut self) {
        if self.rows == 1 && self.cells.iter().any(Option::is_none) {
            let mut present = self.cells.iter().map(Option::is_some);
            self.columns.retain(|_| present.next().unwrap_or(false));
            self.cells.retain(Option::is_some);
        }
    }

    /// The cells of each row; rows without columns are empty slices.
    pub fn rows(&self) -> impl Iterator<Item = &[Option<&'a RawValue>]> {
        let width = self.columns.len();
        (0..self.rows).map(move |row| &self.cells[row * width..(row + 1) * width])
    }
}

/// The body's media type, as far as payloads come in it.
pub fn as_json<'a>(
    content_type: Option<&HeaderValue>,
    body: &'a [u8],
) -> Result<Cow<'a, str>, RestError> {
    let text = std::str::from_utf8(body).map_err(|error| {
        invalid("The body is not valid UTF-8").detail(format!("at byte {}", error.valid_up_to()))
    })?;
    let given = match content_type {
        None => "application/json",
        Some(value) => value
            .to_str()
            .unwrap_or("")
            .split(';')
            .next()
            .unwrap_or("")
            .trim(),
    };
    if given.eq_ignore_ascii_case("application/json")
        || given.eq_ignore_ascii_case("*/*")
        || given.is_empty()
    {
        Ok(Cow::Borrowed(text))
    } else if given.eq_ignore_ascii_case("text/csv") {
        csv::to_json(text).map(Cow::Owned)
    } else if given.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        form::to_json(text).map(Cow::Owned)
    } else {
        Err(invalid(format!(
            "Content-Type not acceptable: {}",
            crate::query::echo(given)
        ))
        .hint("Send application/json, text/csv or application/x-www-form-urlencoded."))
    }
}

/// Reads JSON text into a payload. `columns` are those of `columns=`: others are then left out.
///
/// # Errors
/// PGRST102 for what isn't an object or an array of objects with equal keys; 54000 over the bounds.
pub fn read<'a>(
    text: &'a str,
    columns: Option<Vec<String>>,
    bounds: Bounds,
) -> Result<Payload<'a>, RestError> {
    json::read(text, columns, bounds)
}

/// An error about the body.
fn invalid(message: impl Into<String>) -> RestError {
    RestError::new(http::StatusCode::BAD_REQUEST, "PGRST102", message)
}

#[cfg(test)]
mod tests;
