//! Pages: the `Range` header combined with `limit=` and `offset=`, and `Content-Range` with its status.

use crate::error::RestError;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::fmt::Write;

/// The rows a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// How many at most; the server's own bound holds besides.
    pub limit: Option<u64>,
    /// How many are passed over.
    pub offset: u64,
}

impl Page {
    /// The page that both the header and the parameters allow.
    ///
    /// # Errors
    /// PGRST103 for a range whose end is before its start.
    pub fn read(
        headers: &HeaderMap,
        limit: Option<u64>,
        offset: Option<u64>,
    ) -> Result<Page, RestError> {
        let asked = Page {
            limit,
            offset: offset.unwrap_or(0),
        };
        let Some((first, last)) = headers.get(header::RANGE).and_then(parse) else {
            return Ok(asked);
        };
        if last.is_some_and(|last| last < first) {
            return Err(unsatisfiable().detail(
                "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
            ));
        }
        let offset = asked.offset.max(first);
        let ends = [
            asked.limit.map(|limit| asked.offset.saturating_add(limit)),
            last.map(|last| last.saturating_add(1)),
        ];
        let limit = ends
            .into_iter()
            .flatten()
            .min()
            .map(|end| end.saturating_sub(offset));
        Ok(Page { limit, offset })
    }
}

/// PGRST103, 416.
pub fn unsatisfiable() -> RestError {
    RestError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "PGRST103",
        "Requested range not satisfiable",
    )
}

/// `first-last` or `first-`; other ranges, such as of bytes, are not about rows.
fn parse(value: &HeaderValue) -> Option<(u64, Option<u64>)> {
    let text = value.to_str().ok()?.trim();
    let text = text.strip_prefix("items=").unwrap_or(text);
    let (first, last) = text.split_once('-')?;
    let bound = |text: &str| {
        text.parse::<u64>()
            .ok()
            .filter(|rows| i64::try_from(*rows).is_ok())
    };
    Some((
        bound(first)?,
        if last.is_empty() {
            None
        } else {
            Some(bound(last)?)
        },
    ))
}

/// The status of a page of `rows` from `offset`, of `total` rows if they were counted.
///
/// # Errors
/// PGRST103 when the page begins after the last row.
pub fn status(offset: u64, rows: u64, total: Option<u64>) -> Result<StatusCode, RestError> {
    match total {
        Some(total) if offset > total => Err(unsatisfiable().detail(format!(
            "An offset of {offset} was requested, but there are only {total} rows."
        ))),
        Some(total) if rows < total => Ok(StatusCode::PARTIAL_CONTENT),
        _ => Ok(StatusCode::OK),
    }
}

/// `Content-Range`: `0-19/100`, `*/0`, `0-19/*`.
pub fn content_range(offset: u64, rows: u64, total: Option<u64>) -> HeaderValue {
    let mut text = String::with_capacity(24);
    // Writing to a String can't fail.
    let _ = match rows {
        0 => text.write_char('*'),
        _ => write!(text, "{offset}-{}", offset + rows - 1),
    };
    let _ = match total {
        Some(total) => write!(text, "/{total}"),
        None => text.write_str("/*"),
    };
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static("*/*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(range: &str, limit: Option<u64>, offset: Option<u64>) -> Page {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        Page::read(&headers, limit, offset).unwrap()
    }

    #[test]
    fn the_header_and_the_parameters_narrow_each_other() {
        assert_eq!(
            page("0-9", None, None),
            Page {
                limit: Some(10),
                offset: 0
            }
        );
        assert_eq!(
            page("5-", None, None),
            Page {
                limit: None,
                offset: 5
            }
        );
        assert_eq!(
            page("0-9", Some(3), None),
            Page {
                limit: Some(3),
                offset: 0
            }
        );
        assert_eq!(
            page("2-9", Some(5), Some(4)),
            Page {
                limit: Some(5),
                offset: 4
            }
        );
        assert_eq!(
            page("0-3", Some(5), Some(9)),
            Page {
                limit: Some(0),
                offset: 9
            }
        );
        assert_eq!(page("bytes=0-9", None, None), Page::default());
        assert_eq!(
            page("x-9", Some(1), None),
            Page {
                limit: Some(1),
                offset: 0
            }
        );
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("9-0"));
        let error = Page::read(&headers, None, None).unwrap_err();
        assert_eq!(
            (error.code(), error.status()),
            ("PGRST103", StatusCode::RANGE_NOT_SATISFIABLE)
        );
    }

    #[test]
    fn content_range_and_status_say_what_part_this_is() {
        for (offset, rows, total, range, code) in [
            (0, 20, Some(100), "0-19/100", 206),
            (0, 20, None, "0-19/*", 200),
            (0, 3, Some(3), "0-2/3", 200),
            (0, 0, Some(0), "*/0", 200),
            (0, 0, None, "*/*", 200),
            (5, 0, Some(5), "*/5", 206),
            (4, 1, Some(5), "4-4/5", 206),
        ] {
            assert_eq!(content_range(offset, rows, total), range);
            assert_eq!(status(offset, rows, total).unwrap().as_u16(), code);
        }
        let error = status(6, 0, Some(5)).unwrap_err();
        assert_eq!(
            error.detail_text(),
            Some("An offset of 6 was requested, but there are only 5 rows.")
        );
    }
}
