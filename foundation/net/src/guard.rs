//! What stands between the router and a handler, one instance a route.
//!
//! In this order, and why: identity first, because nothing may be done for nobody; then the body's limit, before a byte of
//! it is read; then the deadline, which the handler passes down to its statements; then the handler, inside a net that
//! turns a panic into one failed request.

use crate::access::Gate;
use crate::answer;
use crate::compress;
use crate::head::RequestHead;
use crate::metrics::HttpMetrics;
use crate::routes::{Endpoint, Render, Route};
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body_util::Limited;
use pando_kernel::ids::RequestId;
use pando_kernel::{ApiError, ErrorKind, Limits};
use std::any::Any;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tower::{Service, ServiceExt as _};

/// By when a request must be answered; in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Instant);

/// The client's address; in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddr(pub IpAddr);

/// Why a request failed by our fault; in the answer's extensions. It is logged with the request's id, and no client sees
/// it.
#[derive(Clone, Debug)]
pub struct Cause(pub String);

/// The route that was taken; in the answer's extensions, for the metrics and the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub method: &'static str,
    pub route: &'static str,
}

/// What all guards share.
pub(crate) struct Shared {
    pub gate: Gate,
    pub limits: Limits,
    pub metrics: HttpMetrics,
}

/// A route with its guard.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub endpoint: Endpoint,
    pub route: Arc<Route>,
    pub render: Render,
    pub compressed: bool,
    pub shared: Arc<Shared>,
}

impl Service<Request> for Guarded {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let guarded = self.clone();
        Box::pin(async move { Ok(guarded.answer(request).await) })
    }
}

impl Guarded {
    async fn answer(self, request: Request) -> Response {
        let compress = self.compressed && compress::is_accepted(request.headers());
        let taken = Taken {
            method: method_label(&self.route.method),
            route: self.route.path,
        };
        let mut response = match self.admit(request) {
            Ok(request) => self.run(request).await,
            Err(refused) => self.refuse(&refused.0, &refused.1),
        };
        if compress {
            response = compress::gzip(response).await;
        }
        response.extensions_mut().insert(taken);
        response
    }

    /// The request with its caller and deadline, its body bounded.
    fn admit(&self, request: Request) -> Result<Request, Box<(ApiError, RequestHead)>> {
        let (mut parts, body) = request.into_parts();
        let caller = match self
            .shared
            .gate
            .admit(self.route.access, &parts.uri, &parts.headers)
        {
            Ok(caller) => caller,
            Err(error) => return Err(Box::new((error, RequestHead::of(parts)))),
        };
        let body_bytes_max = self.shared.limits.json_body_bytes_max;
        if content_length(&parts).is_some_and(|length| length > body_bytes_max as u64) {
            let error = ApiError::new(
                ErrorKind::TooLarge,
                "body-too-large",
                "the request body is too large",
            )
            .detail(format!("at most {body_bytes_max} bytes are read"));
            return Err(Box::new((error, RequestHead::of(parts))));
        }
        parts.extensions.insert(caller);
        parts.extensions.insert(Deadline(
            Instant::now() + self.shared.limits.request_deadline,
        ));
        let empty = http_body::Body::is_end_stream(&body);
        let body = if empty {
            body
        } else {
            Body::new(Limited::new(body, body_bytes_max))
        };
        Ok(Request::from_parts(parts, body))
    }

    async fn run(&self, request: Request) -> Response {
        let head = RequestHead::short(&request);
        let id = request.extensions().get::<RequestId>().copied();
        let mut handler = pin!(self.endpoint.clone().oneshot(request));
        let caught = poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(context))) {
                Ok(poll) => poll.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        });
        match tokio::time::timeout(self.shared.limits.request_deadline, caught).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(panic)) => {
                self.shared.metrics.panics.inc();
                tracing::error!(
                    request.id = id.map(tracing::field::display),
                    route = self.route.path,
                    panic = message(&*panic),
                    "a handler panicked"
                );
                let error = ApiError::new(ErrorKind::Internal, "internal", "internal server error");
                self.refuse(&error, &head)
            }
            Err(_) => {
                let error = ApiError::new(
                    ErrorKind::DeadlineExceeded,
                    "deadline-exceeded",
                    "the request was not finished by its deadline",
                );
                self.refuse(&error, &head)
            }
        }
    }

    fn refuse(&self, error: &ApiError, head: &RequestHead) -> Response {
        let mut response = (self.render)(error, head);
        answer::complete(&mut response, error);
        response
    }
}

fn content_length(parts: &Parts) -> Option<u64> {
    parts
        .headers
        .get(CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of an unknown sort")
}

/// A method as a label; those nobody knows share one, so that their number is bounded.
pub(crate) fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
