//! `/live` and `/ready`: whether the process runs, and whether it should get requests.

use axum::body::Body;
use axum::response::Response;
use http::{Method, StatusCode};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server wants requests.
#[derive(Debug, Default)]
pub(crate) struct Readiness(AtomicBool);

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The answer and its route, if the request is for one of the two.
pub(crate) fn answer(
    readiness: &Readiness,
    method: &Method,
    path: &str,
) -> Option<(Response, &'static str)> {
    let (route, status) = match path {
        "/live" => ("/live", StatusCode::OK),
        "/ready" if readiness.is_ready() => ("/ready", StatusCode::OK),
        "/ready" => ("/ready", StatusCode::SERVICE_UNAVAILABLE),
        _ => return None,
    };
    if *method != Method::GET && *method != Method::HEAD {
        return None;
    }
    let mut response = Response::new(Body::from(if status == StatusCode::OK {
        "ok\n"
    } else {
        "draining\n"
    }));
    *response.status_mut() = status;
    Some((response, route))
}
