//! What a service serves.

use crate::access::Access;
use crate::head::RequestHead;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodFilter, on_service};
use http::Method;
use pando_kernel::ApiError;
use std::convert::Infallible;
use tower::Service;
use tower::util::BoxCloneSyncService;

/// Turns an error that was raised before or around a handler into the wire's own shape.
pub type Render = fn(&ApiError, &RequestHead) -> Response;

/// A route as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

pub(crate) type Endpoint = BoxCloneSyncService<Request, Response, Infallible>;

/// Whether a path lies under a service's prefix.
pub(crate) fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The routes of one service, all under one prefix such as `/rest/v1`.
pub struct Routes {
    pub(crate) render: Render,
    pub(crate) endpoints: Vec<(Route, Endpoint)>,
    pub(crate) compressed: bool,
}

impl Routes {
    /// No routes yet. `render` shapes the errors that are raised before a handler runs: a missing key, a bad token, a body
    /// over its limit, an unknown path under the prefix.
    pub fn new(render: Render) -> Routes {
        Routes {
            render,
            endpoints: Vec::new(),
            compressed: true,
        }
    }

    /// Adds a route. `handler` is an axum handler with its state applied (`.with_state(..)`), or any such service.
    pub fn route<S>(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        handler: S,
    ) -> Routes
    where
        S: Service<Request, Response = Response, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.endpoints.push((
            Route {
                method,
                path,
                access,
            },
            BoxCloneSyncService::new(handler),
        ));
        self
    }

    /// Never compresses answers: they hold secrets beside what the client sent, and the size of a compressed answer would
    /// tell about the one by way of the other.
    pub fn uncompressed(mut self) -> Routes {
        self.compressed = false;
        self
    }

    /// The routes without anything of this crate around them, for a service's own tests: they put the caller and the deadline
    /// beside each request themselves.
    pub fn into_router(self) -> Router {
        let mut router = Router::new();
        for (route, endpoint) in self.endpoints {
            match MethodFilter::try_from(route.method) {
                Ok(method) => router = router.route(route.path, on_service(method, endpoint)),
                Err(_) => router = router.route_service(route.path, endpoint),
            }
        }
        router
    }

    /// What is registered.
    pub fn list(&self) -> impl Iterator<Item = &Route> {
        self.endpoints.iter().map(|(route, _)| route)
    }

    /// The first two segments of the paths (`/rest/v1`): what errors for unknown paths are assigned by.
    pub(crate) fn prefix(&self) -> &'static str {
        let Some((route, _)) = self.endpoints.first() else {
            return "";
        };
        let slash = route.path.match_indices('/').nth(2);
        slash.map_or(route.path, |(at, _)| &route.path[..at])
    }
}
