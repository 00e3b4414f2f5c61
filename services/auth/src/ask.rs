//! A request as the handlers see it: who asks, from where, until when, and the body as bytes within its bound.

use crate::error::AuthError;
use crate::limit::network_of;
use axum::body::to_bytes;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use http::{HeaderMap, Uri};
use pando_kernel::Caller;
use pando_net::{ClientAddr, Deadline, RequestId};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest user agent kept with a session, bytes.
const USER_AGENT_MAX: usize = 512;

/// The parts of a request a handler uses.
pub struct Ask {
    /// The caller, on routes that have one.
    pub caller: Option<Arc<Caller>>,
    /// When the answer must be out.
    pub deadline: Instant,
    /// What the log calls it.
    pub id: Option<RequestId>,
    /// Where it comes from, as limits count it.
    pub network: String,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Path and query.
    pub uri: Uri,
    query: BTreeMap<String, String>,
    body: Bytes,
}

impl Ask {
    /// Reads a request to its end.
    ///
    /// # Errors
    /// 413 for a body over the bound, 400 for one that breaks off or a query that can't be read.
    pub async fn read(request: Request, body_bytes_max: usize) -> Result<Ask, AuthError> {
        let (parts, body) = request.into_parts();
        let too_large = || {
            AuthError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request_entity_too_large",
                "Request body is too large",
            )
        };
        if content_length(&parts.headers).is_some_and(|length| length > body_bytes_max as u64) {
            return Err(too_large());
        }
        let body = to_bytes(body, body_bytes_max).await.map_err(|error| {
            if is_length_limit(&error) {
                too_large()
            } else {
                AuthError::bad_request("bad_json", "Could not read the request body")
            }
        })?;
        let query = Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri)
            .map_err(|_| AuthError::validation("Could not read the query string"))?
            .0;
        let address = parts
            .extensions
            .get::<ClientAddr>()
            .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.0);
        let user_agent = parts
            .headers
            .get("user-agent")
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(USER_AGENT_MAX).collect());
        let deadline = parts.extensions.get::<Deadline>().map_or_else(
            || Instant::now() + Duration::from_secs(30),
            |deadline| deadline.0,
        );
        Ok(Ask {
            caller: parts.extensions.get::<Arc<Caller>>().cloned(),
            deadline,
            id: parts.extensions.get::<RequestId>().copied(),
            network: network_of(address),
            user_agent,
            uri: parts.uri,
            query,
            body,
        })
    }

    /// The body as JSON; an empty one reads as `{}`.
    ///
    /// # Errors
    /// 400 `bad_json`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, AuthError> {
        let body: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        serde_json::from_slice(body).map_err(|error| {
            AuthError::bad_request(
                "bad_json",
                format!("Could not parse request body as JSON: {error}"),
            )
        })
    }

    /// A parameter of the query that is not empty.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The last part of the path: the id in `/admin/users/{id}`.
    pub fn last_segment(&self) -> &str {
        self.uri
            .path()
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default()
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get("content-length")?.to_str().ok()?.parse().ok()
}

fn is_length_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}
