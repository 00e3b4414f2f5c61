//! What is kept of a request to render an error for it.

use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri};

/// A request without its body.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// The headers. Of a request whose handler has begun, only those that decide the shape of an error:
    /// `accept` and `x-supabase-api-version`.
    pub headers: HeaderMap,
}

impl RequestHead {
    /// Everything but the body.
    pub fn of(parts: Parts) -> RequestHead {
        RequestHead {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
        }
    }

    /// The few bytes that an error after the handler's beginning needs; cheap, for every request pays for it.
    pub(crate) fn short<B>(request: &Request<B>) -> RequestHead {
        let mut headers = HeaderMap::new();
        for name in ["x-supabase-api-version", "accept"] {
            if let Some(value) = request.headers().get(name) {
                headers.insert(name, value.clone());
            }
        }
        RequestHead {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers,
        }
    }
}
