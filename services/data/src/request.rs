//! What every handler needs of a request: who asks, of which table, in which form, by when.

use crate::config::Config;
use crate::error::RestError;
use crate::media::Media;
use crate::prefer::{Applies, PREFERENCE_APPLIED, Prefer};
use crate::query::{self, Query, echo};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use pando_db::Changed;
use pando_kernel::Caller;
use pando_net::Deadline;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use std::time::Instant;

/// Where the service's tables are.
pub(crate) const PREFIX: &str = "/rest/v1/";

const ACCEPT_PROFILE: HeaderName = HeaderName::from_static("accept-profile");
const CONTENT_PROFILE: HeaderName = HeaderName::from_static("content-profile");
/// The response header that carries the page.
pub(crate) const CONTENT_RANGE: HeaderName = http::header::CONTENT_RANGE;

/// A request for a table, with everything read but its body.
pub(crate) struct TableRequest<'c> {
    pub(crate) caller: Arc<Caller>,
    pub(crate) deadline: Instant,
    pub(crate) schema: &'c str,
    pub(crate) table: String,
    pub(crate) media: Media,
    pub(crate) prefer: Prefer,
    pub(crate) query: Query,
}

impl<'c> TableRequest<'c> {
    /// Reads the path, the query string and the headers.
    pub(crate) fn read(parts: &Parts, config: &'c Config) -> Result<TableRequest<'c>, RestError> {
        let (caller, deadline) = identity(parts)?;
        Ok(TableRequest {
            caller,
            deadline,
            schema: schema(parts, config)?,
            table: table(parts)?,
            media: Media::read(&parts.headers)?,
            prefer: Prefer::read(&parts.headers)?,
            query: query::parse(
                parts.uri.query().unwrap_or(""),
                config.limits.embed_depth_max,
            )?,
        })
    }

    /// An answer with the headers all answers have.
    pub(crate) fn respond(
        &self,
        status: StatusCode,
        body: Option<Bytes>,
        applies: Applies,
        config: &Config,
    ) -> Response {
        let has_body = body.is_some();
        let mut response = Response::new(body.map_or_else(axum::body::Body::empty, Into::into));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if has_body {
            headers.insert(CONTENT_TYPE, self.media.content_type());
        }
        if let Some(applied) = self.prefer.applied(applies) {
            headers.insert(PREFERENCE_APPLIED, applied);
        }
        if config.schemas.len() > 1
            && let Ok(schema) = HeaderValue::from_str(self.schema)
        {
            headers.insert(CONTENT_PROFILE, schema);
        }
        response
    }
}

/// Who asks, and by when the answer has to be there. `net` puts both beside every request it lets through.
pub(crate) fn identity(parts: &Parts) -> Result<(Arc<Caller>, Instant), RestError> {
    let caller = parts
        .extensions
        .get::<Arc<Caller>>()
        .ok_or_else(|| RestError::internal("a request without a caller"))?;
    let deadline = parts
        .extensions
        .get::<Deadline>()
        .ok_or_else(|| RestError::internal("a request without a deadline"))?;
    Ok((caller.clone(), deadline.0))
}

/// The schema the profile header names; the first exposed one without it.
pub(crate) fn schema<'c>(parts: &Parts, config: &'c Config) -> Result<&'c str, RestError> {
    let header = if parts.method == http::Method::GET || parts.method == http::Method::HEAD {
        ACCEPT_PROFILE
    } else {
        CONTENT_PROFILE
    };
    exposed(&parts.headers, &header, config)
}

fn exposed<'c>(
    headers: &HeaderMap,
    header: &HeaderName,
    config: &'c Config,
) -> Result<&'c str, RestError> {
    let asked = match headers.get(header) {
        Some(value) => value.to_str().unwrap_or(""),
        None => {
            return config
                .schemas
                .first()
                .map(String::as_str)
                .ok_or_else(|| not_exposed("", config));
        }
    };
    config
        .schemas
        .iter()
        .map(String::as_str)
        .find(|schema| *schema == asked)
        .ok_or_else(|| not_exposed(asked, config))
}

fn not_exposed(asked: &str, config: &Config) -> RestError {
    RestError::new(
        StatusCode::NOT_ACCEPTABLE,
        "PGRST106",
        format!("Invalid schema: {}", echo(asked)),
    )
    .hint(format!(
        "Only the following schemas are exposed: {}",
        config.schemas.join(", ")
    ))
}

/// The table's name in the path.
fn table(parts: &Parts) -> Result<String, RestError> {
    let raw = parts
        .uri
        .path()
        .strip_prefix(PREFIX)
        .unwrap_or("")
        .trim_end_matches('/');
    // In a path `+` is a plus, unlike in a query.
    let name = percent_encoding::percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| invalid_path())?;
    if name.is_empty() || name.contains('\0') {
        return Err(invalid_path());
    }
    Ok(name.into_owned())
}

fn invalid_path() -> RestError {
    RestError::new(
        StatusCode::NOT_FOUND,
        "PGRST125",
        "Invalid path specified in request URL",
    )
}

/// All but what a path and a query string hold as it stands (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where the one new row is, when its key was asked for: `/notes?id=eq.5`.
pub(crate) fn location(table: &str, changed: &Changed) -> Option<HeaderValue> {
    if changed.location.is_empty() {
        return None;
    }
    let mut text = format!("/{}", utf8_percent_encode(table, ESCAPED));
    for (place, (column, value)) in changed.location.iter().enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.extend(utf8_percent_encode(column, ESCAPED));
        text.push_str("=eq.");
        text.extend(utf8_percent_encode(value, ESCAPED));
    }
    HeaderValue::try_from(text).ok()
}
