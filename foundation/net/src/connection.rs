//! One request as a connection hands it over, until its answer goes back.
//!
//! In this order, and why: the request's id first, so that every answer has one; health next, which must answer while
//! everything else is refused; preflights, which carry no key; the limits of URL and headers, before anything reads them;
//! then admission, which bounds the work in hand; then the router.

use crate::admission::Admission;
use crate::answer;
use crate::client_address::{self, Network};
use crate::cors;
use crate::guard::{Cause, ClientAddr, Shared, Taken, method_label};
use crate::head::RequestHead;
use crate::health::{self, Readiness};
use crate::routes::{Render, is_under};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};
use hyper::body::Incoming;
use pando_kernel::ids::RequestId;
use pando_kernel::{ApiError, ErrorKind};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower::ServiceExt as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A request that takes longer is worth a line in the log even when it succeeded.
const SLOW: Duration = Duration::from_millis(1_000);

/// Everything a request needs, shared by all connections.
pub(crate) struct Entrance {
    pub router: Router,
    pub prefixes: Vec<(&'static str, Render)>,
    pub shared: Arc<Shared>,
    pub readiness: Readiness,
    pub trusted_proxies: Vec<Network>,
    pub admission: Admission,
}

/// Shows a request in the metrics as long as it lives.
struct InFlight<'a>(&'a Shared);

impl<'a> InFlight<'a> {
    fn of(shared: &'a Shared) -> InFlight<'a> {
        shared.metrics.in_flight.inc();
        InFlight(shared)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.metrics.in_flight.dec();
    }
}

impl Entrance {
    /// Answers a request of the peer at this address.
    pub async fn answer(
        &self,
        request: http::Request<Incoming>,
        peer: IpAddr,
    ) -> Result<Response, Infallible> {
        let began = Instant::now();
        let mut request = request.map(Body::new);
        let (id, id_header) = request_id(&request);
        let method = method_label(request.method());
        let cross_origin = cors::is_cross_origin(request.headers());
        let client = client_address::client(peer, &self.trusted_proxies, request.headers());
        request.extensions_mut().insert(id);
        request.extensions_mut().insert(ClientAddr(client));

        let mut response = self.dispatch(request).await;

        let shed = matches!(
            response.status(),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id_header);
        // Also where a handler rendered the refusal itself: without it clients try again at once.
        if shed && !headers.contains_key(RETRY_AFTER) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if cross_origin {
            cors::allow(&mut response);
        }
        let taken = response
            .extensions_mut()
            .remove::<Taken>()
            .unwrap_or(Taken {
                method,
                route: "none",
            });
        let (status, latency) = (response.status().as_u16(), began.elapsed());
        self.shared
            .metrics
            .record(taken.method, taken.route, status, latency);
        let cause = response.extensions_mut().remove::<Cause>();
        log(taken, status, latency, id, client, cause);
        Ok(response)
    }

    async fn dispatch(&self, request: Request) -> Response {
        if let Some((mut response, route)) =
            health::answer(&self.readiness, request.method(), request.uri().path())
        {
            response.extensions_mut().insert(Taken {
                method: method_label(request.method()),
                route,
            });
            return response;
        }
        if let Some(response) = cors::preflight(request.method(), request.headers()) {
            return response;
        }
        if let Err(error) = self.check_sizes(&request) {
            return self.refuse(&error, request);
        }
        let path = request.uri().path();
        let Some(_admitted) = self.admission.enter(request.method(), path) else {
            self.shared.metrics.shed.inc();
            let error = ApiError::new(
                ErrorKind::Overloaded,
                "overloaded",
                "the server is busy, try again shortly",
            );
            return self.refuse(&error, request);
        };
        let _in_flight = InFlight::of(&self.shared);
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn check_sizes(&self, request: &Request) -> Result<(), ApiError> {
        let limits = &self.shared.limits;
        let url = request
            .uri()
            .path_and_query()
            .map_or(0, |text| text.as_str().len());
        if url > limits.url_bytes_max {
            return Err(
                ApiError::new(ErrorKind::TooLarge, "url-too-long", "the URL is too long")
                    .detail(format!("at most {} bytes are read", limits.url_bytes_max)),
            );
        }
        let headers: usize = request
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        if headers > limits.header_bytes_max {
            return Err(ApiError::new(
                ErrorKind::TooLarge,
                "headers-too-large",
                "the request headers are too large",
            )
            .detail(format!(
                "at most {} bytes are read",
                limits.header_bytes_max
            )));
        }
        Ok(())
    }

    /// An error in the shape of the service whose prefix the path has.
    pub fn refuse(&self, error: &ApiError, request: Request) -> Response {
        refuse(
            &self.prefixes,
            error,
            RequestHead::of(request.into_parts().0),
        )
    }
}

/// An error in the shape of the service whose prefix the path has, else as problem details.
pub(crate) fn refuse(
    prefixes: &[(&'static str, Render)],
    error: &ApiError,
    head: RequestHead,
) -> Response {
    let path = head.uri.path();
    let render = prefixes
        .iter()
        .find(|(prefix, _)| !prefix.is_empty() && is_under(path, prefix))
        .map(|(_, render)| *render);
    let mut response = render.unwrap_or(answer::problem)(error, &head);
    // A limit of HTTP's own has a status of HTTP's own, whatever the wire calls it.
    if matches!(error.code.as_str(), "url-too-long" | "headers-too-large") {
        *response.status_mut() = answer::status(error);
    }
    answer::complete(&mut response, error);
    response
}

/// The id a proxy gave the request, if it is one of ours or of that form, else a new one.
fn request_id(request: &Request) -> (RequestId, HeaderValue) {
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let id = given
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(RequestId::generate);
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = id.0.hyphenated().encode_lower(&mut text);
    (
        id,
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("")),
    )
}

/// One line a request: by its route, never its path or query, which hold what is not ours to write down.
fn log(
    taken: Taken,
    status: u16,
    latency: Duration,
    id: RequestId,
    client: IpAddr,
    cause: Option<Cause>,
) {
    let Taken { method, route } = taken;
    let latency_us = latency.as_micros() as u64;
    let error = cause.map(|cause| cause.0);
    if status == 500 {
        tracing::error!(method, route, status, latency_us, request.id = %id, client.address = %client, error, "failed");
    } else if status > 500 {
        tracing::warn!(method, route, status, latency_us, request.id = %id, client.address = %client, error, "not served");
    } else if latency > SLOW {
        tracing::info!(method, route, status, latency_us, request.id = %id, client.address = %client, "served slowly");
    } else {
        tracing::debug!(method, route, status, latency_us, request.id = %id, client.address = %client, "served");
    }
}
