//! Compression of larger answers, where the client takes gzip.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body::Body as _;
use std::convert::Infallible;
use tower::{ServiceExt as _, service_fn};
use tower_http::compression::{Compression, CompressionLevel};

/// Below this an answer fits into a packet or two anyway, bytes.
const BODY_BYTES_MIN: u64 = 2_048;

/// Whether the client takes gzip.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip")
            && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// The answer, compressed if it is large enough and of a sort that shrinks.
pub(crate) async fn gzip(response: Response) -> Response {
    let size = response.body().size_hint().exact();
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json") || value.starts_with("text/"));
    if !json
        || size.is_some_and(|size| size < BODY_BYTES_MIN)
        || response.headers().contains_key(CONTENT_ENCODING)
    {
        return response;
    }
    // The compression is written as a layer around a service; this one has its answer ready.
    let mut ready = Some(response);
    let service = service_fn(move |_: Request<Body>| {
        let response = ready.take().unwrap_or_default();
        async { Ok::<_, Infallible>(response) }
    });
    let mut carrier = Request::new(Body::empty());
    carrier
        .headers_mut()
        .insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    match Compression::new(service)
        .quality(CompressionLevel::Fastest)
        .oneshot(carrier)
        .await
    {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
