//! Answers that no service renders: problem details (RFC 9457).

use crate::head::RequestHead;
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use pando_kernel::{ApiError, ErrorKind};
use serde_json::json;

/// The status of an error: its kind's, or the finer one HTTP has for it.
pub(crate) fn status(error: &ApiError) -> StatusCode {
    match error.code.as_str() {
        "url-too-long" => StatusCode::URI_TOO_LONG,
        "headers-too-large" => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        _ => StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The error as problem details.
pub(crate) fn problem(error: &ApiError, _head: &RequestHead) -> Response {
    let status = status(error);
    let mut body = json!({"title": error.message, "status": status.as_u16(), "code": error.code});
    for (name, value) in [("detail", &error.detail), ("hint", &error.hint)] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}

/// Adds what every error of this kind says, whoever rendered it.
pub(crate) fn complete(response: &mut Response, error: &ApiError) {
    let headers = response.headers_mut();
    if let Some(seconds) = error.kind.retry_after_seconds() {
        headers
            .entry(RETRY_AFTER)
            .or_insert_with(|| HeaderValue::from(seconds));
    }
    if error.kind == ErrorKind::Unauthenticated {
        headers
            .entry(WWW_AUTHENTICATE)
            .or_insert(HeaderValue::from_static("Bearer"));
    }
}
