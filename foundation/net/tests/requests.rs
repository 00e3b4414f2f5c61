//! A real server with small handlers, spoken to over sockets: identity, limits, failures, drain.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::body::Bytes;
use axum::extract::{Extension, Path, Request};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::Method;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pando_kernel::{ApiError, Caller, Limits, SystemClock};
use pando_keys::Keys;
use pando_net::{
    Access, ClientAddr, Deadline, HttpMetrics, NetConfig, RequestHead, RequestId, Routes,
};
use pando_telemetry::Registry;
use pando_testkit::Client;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

struct Server {
    runtime: Runtime,
    address: SocketAddr,
    keys: Arc<Keys>,
    registry: Registry,
    stop: Option<oneshot::Sender<()>>,
    done: tokio::task::JoinHandle<()>,
}

fn render(error: &ApiError, head: &RequestHead) -> Response {
    let status = http::StatusCode::from_u16(error.kind.status()).unwrap();
    (status, format!("test {} {}", head.method, error.code)).into_response()
}

async fn who(Extension(caller): Extension<Arc<Caller>>) -> String {
    format!(
        "{} {}",
        caller.role().name(),
        caller.subject().map_or("nobody", |sub| &**sub)
    )
}

async fn extensions(
    Path(name): Path<String>,
    Extension(deadline): Extension<Deadline>,
    Extension(client): Extension<ClientAddr>,
    Extension(id): Extension<RequestId>,
) -> String {
    assert!(deadline.0 > Instant::now());
    format!("{name} {} {id}", client.0)
}

async fn panics() -> String {
    panic!("on purpose");
}

async fn sleeps() -> String {
    tokio::time::sleep(Duration::from_secs(60)).await;
    String::new()
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(300)).await;
    "done"
}

async fn busy() -> http::StatusCode {
    http::StatusCode::SERVICE_UNAVAILABLE
}

async fn length(body: Bytes) -> String {
    body.len().to_string()
}

async fn large(_: Request) -> Response {
    ([("content-type", "application/json")], "[".repeat(100_000)).into_response()
}

fn start(limits: Limits) -> Server {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let keys = Keys::ephemeral(Arc::new(SystemClock)).unwrap();
    let routes = Routes::new(render)
        .route(
            Method::GET,
            "/test/v1/open",
            Access::Open,
            who.with_state(()),
        )
        .route(Method::GET, "/test/v1/key", Access::Key, who.with_state(()))
        .route(
            Method::GET,
            "/test/v1/user",
            Access::User,
            who.with_state(()),
        )
        .route(
            Method::GET,
            "/test/v1/service",
            Access::Service,
            who.with_state(()),
        )
        .route(
            Method::GET,
            "/test/v1/extensions/{name}",
            Access::Open,
            extensions.with_state(()),
        )
        .route(
            Method::GET,
            "/test/v1/panics",
            Access::Open,
            panics.with_state(()),
        )
        .route(
            Method::GET,
            "/test/v1/sleeps",
            Access::Open,
            sleeps.with_state(()),
        )
        .route(
            Method::GET,
            "/test/v1/slow",
            Access::Open,
            slow.with_state(()),
        )
        .route(
            Method::GET,
            "/test/v1/busy",
            Access::Open,
            busy.with_state(()),
        )
        .route(
            Method::GET,
            "/test/v1/large",
            Access::Open,
            large.with_state(()),
        )
        .route(
            Method::POST,
            "/test/v1/length",
            Access::Open,
            length.with_state(()),
        );
    let mut registry = Registry::new();
    let metrics = HttpMetrics::register(&mut registry);
    let listener = runtime
        .block_on(pando_net::bind(SocketAddr::from(([127, 0, 0, 1], 0))))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let config = NetConfig {
        limits,
        tls: None,
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        drain_notice: Duration::ZERO,
    };
    let served = pando_net::serve(
        listener,
        vec![routes],
        keys.clone(),
        config,
        metrics,
        async move {
            drop(stopped.await);
        },
    );
    let done = runtime.spawn(async move { served.await.unwrap() });
    Server {
        runtime,
        address,
        keys,
        registry,
        stop: Some(stop),
        done,
    }
}

impl Server {
    fn client(&self) -> Client {
        Client::new(self.address)
    }
}

#[test]
fn a_route_is_open_to_those_it_is_for() {
    let server = start(Limits::default());
    let shown = server.keys.shown();
    let user = server
        .keys
        .sign(&json!({"sub": "ada", "role": "authenticated"}))
        .unwrap();
    let anonymous = server.keys.sign(&json!({"role": "anon"})).unwrap();
    let check =
        |path: &str, apikey: Option<&str>, bearer: Option<&str>, status: u16, text: &str| {
            let mut client = server.client();
            if let Some(apikey) = apikey {
                client = client.with("apikey", apikey);
            }
            if let Some(bearer) = bearer {
                client = client.with("authorization", &format!("Bearer {bearer}"));
            }
            let answer = client.get(path).unwrap();
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (status, text),
                "{path} {apikey:?} {bearer:?}"
            );
            assert!(answer.header("x-request-id").is_some());
            assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
        };
    let publishable = Some(shown.publishable.as_str());
    check("/test/v1/open", None, None, 200, "anon nobody");
    check(
        "/test/v1/open",
        Some("wrong"),
        Some("wrong"),
        200,
        "anon nobody",
    );
    check(
        "/test/v1/open",
        publishable,
        Some(&user),
        200,
        "authenticated ada",
    );
    check("/test/v1/key", None, None, 401, "test GET no-api-key");
    check(
        "/test/v1/key",
        Some("wrong"),
        None,
        401,
        "test GET invalid-api-key",
    );
    check("/test/v1/key", publishable, None, 200, "anon nobody");
    check("/test/v1/key", publishable, publishable, 200, "anon nobody");
    check(
        "/test/v1/key",
        Some(&shown.secret),
        Some(&shown.secret),
        200,
        "service_role nobody",
    );
    check(
        "/test/v1/key",
        publishable,
        Some(&user),
        200,
        "authenticated ada",
    );
    check(
        "/test/v1/key",
        publishable,
        Some("a.b.c"),
        401,
        "test GET bad-jwt",
    );
    let expired = server
        .keys
        .sign(&json!({"sub": "ada", "role": "authenticated", "exp": 1_700_000_000}))
        .unwrap();
    check(
        "/test/v1/key",
        publishable,
        Some(&expired),
        401,
        "test GET jwt-expired",
    );
    let others = Keys::ephemeral(Arc::new(SystemClock)).unwrap();
    let forged = others
        .sign(&json!({"sub": "ada", "role": "service_role"}))
        .unwrap();
    // `{"alg":"none","typ":"JWT"}` and `{"role":"service_role"}`, signed by nobody.
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.";
    for token in [
        forged.as_str(),
        unsigned,
        &others.shown().service_role,
        &"a".repeat(20_000),
    ] {
        check(
            "/test/v1/service",
            publishable,
            Some(token),
            401,
            "test GET bad-jwt",
        );
        check(
            "/test/v1/service",
            Some(token),
            None,
            401,
            "test GET invalid-api-key",
        );
    }
    check(
        "/test/v1/key",
        None,
        Some(&user),
        401,
        "test GET no-api-key",
    );
    check(
        &format!("/test/v1/key?x=1&apikey={}", shown.anon),
        None,
        None,
        200,
        "anon nobody",
    );
    check(
        "/test/v1/user",
        publishable,
        None,
        401,
        "test GET no-authorization",
    );
    check(
        "/test/v1/user",
        publishable,
        Some(&anonymous),
        401,
        "test GET no-authorization",
    );
    check(
        "/test/v1/user",
        publishable,
        Some(&user),
        200,
        "authenticated ada",
    );
    check(
        "/test/v1/service",
        publishable,
        Some(&user),
        403,
        "test GET forbidden-role",
    );
    check(
        "/test/v1/service",
        Some(&shown.secret),
        None,
        200,
        "service_role nobody",
    );
    check(
        "/test/v1/service",
        publishable,
        Some(&shown.service_role),
        200,
        "service_role nobody",
    );
    // A user's token outranks the service key that came with it.
    check(
        "/test/v1/service",
        Some(&shown.secret),
        Some(&user),
        403,
        "test GET forbidden-role",
    );
    check("/test/v1/nowhere", None, None, 404, "test GET not-found");
    check(
        "/test/v1/length",
        None,
        None,
        405,
        "test GET method-not-allowed",
    );

    let mut client = server
        .client()
        .with("apikey", &shown.publishable)
        .with("authorization", "Basic eDp5");
    assert_eq!(client.get("/test/v1/key").unwrap().status, 401);
}

#[test]
fn paths_of_nobody_get_problem_details() {
    let server = start(Limits::default());
    let answer = server.client().get("/elsewhere").unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.json()["code"], "not-found");
}

#[test]
fn a_panic_is_one_requests_failure_and_counted() {
    let server = start(Limits::default());
    let mut client = server.client();
    assert_eq!(
        client.get("/test/v1/panics").unwrap().text(),
        "test GET internal"
    );
    assert_eq!(client.get("/test/v1/open").unwrap().status, 200);
    let metrics = pando_telemetry::encode(&server.registry);
    assert!(metrics.contains("pando_http_panics_total 1"), "{metrics}");
    let requests =
        "pando_http_requests_total{method=\"GET\",route=\"/test/v1/panics\",status=\"500\"} 1";
    assert!(metrics.contains(requests), "{metrics}");
}

#[test]
fn a_request_is_answered_by_its_deadline() {
    let server = start(Limits {
        request_deadline: Duration::from_millis(50),
        ..Limits::default()
    });
    let answer = server.client().get("/test/v1/sleeps").unwrap();
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (504, "test GET deadline-exceeded")
    );
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let limits = Limits {
        json_body_bytes_max: 1_000,
        url_bytes_max: 200,
        header_bytes_max: 2_000,
        ..Limits::default()
    };
    let server = start(limits);
    let post = |body: &[u8]| {
        server
            .client()
            .send("POST", "/test/v1/length", &[], Some(body))
            .unwrap()
    };
    assert_eq!(post(&[b'x'; 1_000]).text(), "1000");
    assert_eq!(post(&[b'x'; 1_001]).text(), "test POST body-too-large");
    let chunked = format!(
        "POST /test/v1/length HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
        "x".repeat(2_000)
    );
    assert_eq!(
        server
            .client()
            .send_raw(chunked.as_bytes(), false)
            .unwrap()
            .status,
        413
    );
    assert_eq!(
        server
            .client()
            .get(&format!("/test/v1/open?{}", "x".repeat(200)))
            .unwrap()
            .status,
        414
    );
    let header = "x".repeat(2_000);
    let answer = server
        .client()
        .send("GET", "/test/v1/open", &[("x-long", &header)], None)
        .unwrap();
    assert_eq!(answer.status, 431);
}

#[test]
fn requests_over_the_bound_are_shed_at_once() {
    let server = start(Limits {
        in_flight_max: 1,
        ..Limits::default()
    });
    let mut busy = server.client();
    std::thread::scope(|scope| {
        let first = scope.spawn(move || busy.get("/test/v1/slow").unwrap());
        std::thread::sleep(Duration::from_millis(100));
        let began = Instant::now();
        let shed = server.client().get("/test/v1/open").unwrap();
        assert_eq!(
            (shed.status, shed.text().as_str()),
            (503, "test GET overloaded")
        );
        assert_eq!(shed.header("retry-after"), Some("1"));
        let change = server.client().post("/test/v1/length", &json!({}));
        assert_eq!(change.unwrap().status, 200, "changes have their own room");
        assert!(began.elapsed() < Duration::from_millis(150));
        assert_eq!(
            server.client().get("/live").unwrap().status,
            200,
            "health is not shed"
        );
        assert_eq!(first.join().unwrap().text(), "done");
    });
}

#[test]
fn handlers_learn_the_path_the_client_and_the_id() {
    let server = start(Limits::default());
    let id = "019a0000-0000-7000-8000-000000000001";
    let mut client = server
        .client()
        .with("x-forwarded-for", "198.51.100.7")
        .with("x-request-id", id);
    let answer = client.get("/test/v1/extensions/a%20b").unwrap();
    assert_eq!(answer.text(), format!("a b 198.51.100.7 {id}"));
    assert_eq!(answer.header("x-request-id"), Some(id));
    let odd = server
        .client()
        .with("x-request-id", "<script>")
        .get("/live")
        .unwrap();
    assert_ne!(odd.header("x-request-id"), Some("<script>"));
}

#[test]
fn large_answers_are_compressed_for_those_who_take_it() {
    let server = start(Limits::default());
    let plain = server.client().get("/test/v1/large").unwrap();
    assert_eq!(
        (plain.header("content-encoding"), plain.body.len()),
        (None, 100_000)
    );
    let gzip = server
        .client()
        .with("accept-encoding", "br, gzip;q=0.8")
        .get("/test/v1/large")
        .unwrap();
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.body.starts_with(&[0x1f, 0x8b]) && gzip.body.len() < 2_000);
    let refused = server
        .client()
        .with("accept-encoding", "gzip;q=0")
        .get("/test/v1/large")
        .unwrap();
    assert_eq!(refused.header("content-encoding"), None);
}

#[test]
fn browsers_of_every_origin_are_let_in() {
    let server = start(Limits::default());
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "apikey, authorization"),
    ];
    let preflight = server
        .client()
        .send("OPTIONS", "/test/v1/key", &headers, None)
        .unwrap();
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        Some("apikey, authorization")
    );
    let refused = server
        .client()
        .with("origin", "https://app.example")
        .get("/test/v1/key")
        .unwrap();
    assert_eq!(
        refused.header("access-control-allow-origin"),
        Some("*"),
        "errors are to be read too"
    );
}

#[test]
fn a_stopping_server_finishes_what_it_began() {
    let mut server = start(Limits::default());
    let (mut busy, mut idle) = (server.client(), server.client());
    assert_eq!(idle.get("/ready").unwrap().status, 200);
    std::thread::scope(|scope| {
        let slow = scope.spawn(move || busy.get("/test/v1/slow").unwrap());
        std::thread::sleep(Duration::from_millis(100));
        server.stop.take().unwrap().send(()).unwrap();
        assert_eq!(slow.join().unwrap().text(), "done");
    });
    let began = Instant::now();
    server.runtime.block_on(&mut server.done).unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "an idle connection does not hold the end up"
    );
    assert!(Client::new(server.address).get("/live").is_err());
}

#[test]
fn whoever_is_turned_away_for_now_learns_when_to_come_back() {
    let server = start(Limits::default());
    let answer = server.client().get("/test/v1/busy").unwrap();
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1"))
    );
}

#[test]
fn a_wrong_method_learns_the_right_ones() {
    let server = start(Limits::default());
    let answer = server
        .client()
        .send("DELETE", "/test/v1/length", &[], None)
        .unwrap();
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

/// Opens a connection, sends these bytes and nothing more; what comes back until it is closed, and after how long.
fn half_a_request(server: &Server, bytes: &[u8]) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    (
        String::from_utf8_lossy(&answer).into_owned(),
        began.elapsed(),
    )
}

#[test]
fn a_connection_that_asks_nothing_is_closed() {
    let server = start(Limits {
        request_deadline: Duration::from_millis(200),
        ..Limits::default()
    });
    for beginning in [
        "",
        "PRI * HT",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /test",
    ] {
        let (answer, after) = half_a_request(&server, beginning.as_bytes());
        assert!(!answer.starts_with("HTTP/1.1 2"), "{beginning:?}: {answer}");
        assert!(after >= Duration::from_millis(200), "{beginning:?}");
    }
    // Whoever has asked may wait longer before asking again.
    let mut client = server.client();
    assert_eq!(client.get("/live").unwrap().status, 200);
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(client.get("/live").unwrap().status, 200);
    drop(client);
    std::thread::sleep(Duration::from_millis(100));
    let metrics = pando_telemetry::encode(&server.registry);
    assert!(metrics.contains("pando_http_connections 0"), "{metrics}");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = start(Limits {
        request_deadline: Duration::from_millis(200),
        ..Limits::default()
    });
    let head = "POST /test/v1/length HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nconnection: close\r\n\r\nx";
    let (answer, _) = half_a_request(&server, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
}

#[test]
fn http_2_is_spoken_without_being_asked_for() {
    let server = start(Limits::default());
    let (status, body) = server.runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(server.address)
            .await
            .unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(format!("http://{}/test/v1/key", server.address))
            .header("apikey", server.keys.shown().publishable)
            .body(String::new())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let status = response.status().as_u16();
        (
            status,
            response.into_body().collect().await.unwrap().to_bytes(),
        )
    });
    assert_eq!((status, &body[..]), (200, &b"anon nobody"[..]));
}
