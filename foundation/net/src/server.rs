//! Listening, accepting, draining.

use crate::access::Gate;
use crate::admission::Admission;
use crate::client_address::Network;
use crate::connection::{self, Entrance};
use crate::guard::{Guarded, Shared};
use crate::head::RequestHead;
use crate::health::Readiness;
use crate::metrics::HttpMetrics;
use crate::routes::{Render, Routes};
use crate::tls::{self, TlsError, TlsFiles};
use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodFilter, MethodRouter};
use http::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use pando_kernel::{ApiError, ErrorKind, Limits};
use pando_keys::Keys;
use pando_telemetry::Registry;
use pando_telemetry::prometheus_client::metrics::gauge::Gauge;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// A client has this long to send a request's head, and an idle connection to send another.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// A client has this long for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// Every bound.
    pub limits: Limits,
    /// With it, TLS is spoken.
    pub tls: Option<TlsFiles>,
    /// Whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<Network>,
    /// From the wish to stop to the end of accepting: the time a load balancer needs to see that `/ready` says no.
    pub drain_notice: Duration,
}

/// Serves the routes until `shutdown` comes and everything accepted is answered (at most for the request deadline).
pub async fn serve(
    listener: TcpListener,
    routes: Vec<Routes>,
    keys: Arc<Keys>,
    config: NetConfig,
    metrics: HttpMetrics,
    shutdown: impl Future<Output = ()>,
) -> Result<(), TlsError> {
    let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let limits = config.limits.clone();
    let drain_notice = config.drain_notice;
    let entrance = Arc::new(entrance(routes, keys, config, metrics));
    let builder = Arc::new(http_builder(&limits));
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();

    entrance.readiness.set(true);
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener) => open(accepted, &entrance, &builder, &connections, &graceful, acceptor.as_ref()),
        }
    }

    entrance.readiness.set(false);
    tracing::info!("stopping: answering what was accepted");
    let mut notice = pin!(tokio::time::sleep(drain_notice));
    loop {
        tokio::select! {
            () = &mut notice => break,
            accepted = accept(&listener) => open(accepted, &entrance, &builder, &connections, &graceful, acceptor.as_ref()),
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.request_deadline, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some connections did not finish in time and are cut");
    }
    Ok(())
}

fn entrance(
    routes: Vec<Routes>,
    keys: Arc<Keys>,
    config: NetConfig,
    metrics: HttpMetrics,
) -> Entrance {
    let shared = Arc::new(Shared {
        gate: Gate::new(keys),
        limits: config.limits,
        metrics,
    });
    let prefixes: Vec<(&'static str, Render)> = routes
        .iter()
        .map(|routes| (routes.prefix(), routes.render))
        .collect();
    let admission = Admission::new(
        shared.limits.in_flight_max,
        prefixes.iter().map(|(prefix, _)| *prefix),
    );
    let mut by_path: BTreeMap<&'static str, MethodRouter> = BTreeMap::new();
    for routes in routes {
        for (route, endpoint) in routes.endpoints {
            let Ok(filter) = MethodFilter::try_from(route.method.clone()) else {
                continue;
            };
            let path = route.path;
            let guarded = Guarded {
                endpoint,
                route: Arc::new(route),
                render: routes.render,
                compressed: routes.compressed,
                shared: shared.clone(),
            };
            let methods = by_path
                .remove(path)
                .unwrap_or_default()
                .on_service(filter, guarded);
            by_path.insert(path, methods);
        }
    }
    let unknown = |code: &'static str, kind: ErrorKind, message: &'static str| {
        let prefixes = prefixes.clone();
        move |request: Request| {
            let error = ApiError::new(kind, code, message);
            let response =
                connection::refuse(&prefixes, &error, RequestHead::of(request.into_parts().0));
            std::future::ready(response)
        }
    };
    let mut router = Router::new();
    for (path, methods) in by_path {
        router = router.route(path, methods);
    }
    let router = router
        .fallback(unknown(
            "not-found",
            ErrorKind::NotFound,
            "there is nothing at this path",
        ))
        .method_not_allowed_fallback(unknown(
            "method-not-allowed",
            ErrorKind::MethodNotAllowed,
            "this path does not know this method",
        ));
    Entrance {
        router,
        prefixes,
        shared,
        readiness: Readiness::default(),
        trusted_proxies: config.trusted_proxies,
        admission,
    }
}

fn http_builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Room to read a head that is over our limits, so that we, and not the HTTP library, refuse it in the wire's shape.
    let head_bytes_max = (limits.header_bytes_max + limits.url_bytes_max) * 2 + 8_192;
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(head_bytes_max)
        .pipeline_flush(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(256)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// The next connection. A failure to accept (no more descriptors, say) is waited out, never fatal.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn open(
    (stream, peer): (TcpStream, SocketAddr),
    entrance: &Arc<Entrance>,
    builder: &Arc<auto::Builder<TokioExecutor>>,
    connections: &Arc<Semaphore>,
    graceful: &GracefulShutdown,
    acceptor: Option<&TlsAcceptor>,
) {
    // Over the limit the connection is closed at once: whoever is refused knows it immediately.
    let Ok(permit) = connections.clone().try_acquire_owned() else {
        return;
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let (entrance, builder, watcher) = (entrance.clone(), builder.clone(), graceful.watcher());
    let acceptor = acceptor.cloned();
    tokio::spawn(async move {
        let _permit = permit;
        let _open = Open::begin(&entrance.shared.metrics);
        match acceptor {
            None => converse(stream, peer, &entrance, &builder, watcher).await,
            Some(acceptor) => {
                match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => converse(stream, peer, &entrance, &builder, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            }
        }
    });
}

/// Counts a connection as long as it lives, however it ends.
struct Open(Gauge);

impl Open {
    fn begin(metrics: &HttpMetrics) -> Open {
        metrics.connections.inc();
        Open(metrics.connections.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    entrance: &Arc<Entrance>,
    builder: &auto::Builder<TokioExecutor>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let patience = entrance.shared.limits.request_deadline;
    let entrance = entrance.clone();
    let address = peer.ip().to_canonical();
    let asked = Arc::new(AtomicBool::new(false));
    let asks = asked.clone();
    let service = service_fn(move |request| {
        asks.store(true, Ordering::Relaxed);
        let entrance = entrance.clone();
        async move { entrance.answer(request, address).await }
    });
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let mut connection = pin!(watcher.watch(connection));
    // The HTTP library bounds the wait for a head only once it knows the version, so whoever sends nothing, or the beginning
    // of a preface, would hold a connection for ever.
    let ended = match tokio::time::timeout(patience, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) if asked.load(Ordering::Relaxed) => connection.await,
        Err(_) => {
            tracing::debug!("a connection asked nothing and is closed");
            return;
        }
    };
    if let Err(error) = ended {
        // A client that goes away is not our failure.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Serves `/metrics` on a listener of its own until `shutdown` comes.
pub async fn serve_metrics(
    listener: TcpListener,
    registry: Arc<Registry>,
    shutdown: impl Future<Output = ()>,
) {
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, _) = tokio::select! {
            () = &mut shutdown => return,
            accepted = accept(&listener) => accepted,
        };
        let registry = registry.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let registry = registry.clone();
                async move { Ok::<_, Infallible>(metrics_answer(&registry, request.uri().path())) }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "a scrape ended early");
            }
        });
    }
}

fn metrics_answer(registry: &Registry, path: &str) -> http::Response<String> {
    let mut response = http::Response::new(String::new());
    if path == "/metrics" {
        *response.body_mut() = pando_telemetry::encode(registry);
        let kind = http::HeaderValue::from_static(
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        );
        response.headers_mut().insert(CONTENT_TYPE, kind);
    } else {
        *response.status_mut() = http::StatusCode::NOT_FOUND;
    }
    response
}

/// Connections the system holds for us before they are accepted. A phone whose first packet finds no room tries again after a second.
const BACKLOG: u32 = 4_096;

/// Binds a listener; the error names the address.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let listen = |socket: TcpSocket| {
        // A restart takes its port back at once; clients of the old process are no reason to wait.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    socket.and_then(listen).map_err(named)
}
