//! Whatever is sent, the answer is a clear 4xx in the wire's shape, and the server lives on.

use pando_testkit::{Client, Keys, Pando, Response, Setup};
use serde_json::{Value, json};

fn start() -> (Pando, Keys) {
    let pando = Setup::new()
        .migration("0001_library", include_str!("../schema/library.sql"))
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    (pando, keys)
}

fn service(pando: &Pando, keys: &Keys) -> Client {
    pando.client().keyed(&keys.secret, None)
}

fn post(pando: &Pando, keys: &Keys, path: &str, body: &[u8]) -> Response {
    service(pando, keys)
        .send(
            "POST",
            path,
            &[("content-type", "application/json")],
            Some(body),
        )
        .unwrap()
}

/// The shape of PostgREST's errors: four members, all there.
fn rest_error(response: &Response) -> Value {
    let json = response.json();
    for member in ["code", "message", "details", "hint"] {
        assert!(
            json.get(member).is_some(),
            "{member} is missing in {}: {}",
            response.status,
            response.text()
        );
    }
    assert_eq!(
        response.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    json
}

fn no_panic(pando: &Pando) {
    let log = pando.log();
    assert!(!log.contains("panic"), "{log}");
    assert_eq!(pando.client().get("/ready").unwrap().status, 200);
}

#[test]
fn bodies_that_are_no_json_or_not_ours() {
    let (pando, keys) = start();
    let deep = format!(
        "{{\"title\":\"x\",\"meta\":{}{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let cases: &[(&[u8], &[u16])] = &[
        (b"{", &[400]),
        (b"{\"title\":\"x\"} trailing", &[400]),
        (b"\xff\xfe\xfd", &[400]),
        (b"{\"title\":\"\xff\"}", &[400]),
        (b"{\"title\":\"\\ud800\"}", &[400]),
        (b"{\"title\":\"nul \\u0000\"}", &[400]),
        (b"{\"title\":\"x\",\"pages\":1e400}", &[400]),
        (b"{\"title\":\"x\",\"pages\":\"many\"}", &[400]),
        (b"{\"title\":\"x\",\"ref\":\"1\"}", &[400]),
        (b"{\"title\":\"x\",\"published\":\"yesterdayish\"}", &[400]),
        (b"{\"title\":\"x\",\"tags\":\"{unclosed\"}", &[400]),
        (b"{\"title\":{\"a\":1},\"pages\":[]}", &[400]),
        (b"[{\"title\":\"x\"},1]", &[400]),
        (deep.as_bytes(), &[400, 413]),
    ];
    for (body, statuses) in cases {
        let response = post(&pando, &keys, "/rest/v1/books", body);
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert!(
            statuses.contains(&response.status),
            "{shown}: {} {}",
            response.status,
            response.text()
        );
        rest_error(&response);
    }
    // The others are good JSON, and without an address a sign-up is an anonymous sign-in.
    for body in [
        &b"{"[..],
        b"{\"email\":\"a@b.example\"} trailing",
        b"\xff\xfe",
        b"{\"email\":\"\xff@b.example\"}",
    ] {
        let mut client = pando.client().keyed(&keys.publishable, None);
        let headers = [("content-type", "application/json")];
        let response = client
            .send("POST", "/auth/v1/signup", &headers, Some(body))
            .unwrap();
        assert_eq!(response.status, 400, "{}", String::from_utf8_lossy(body));
        assert_eq!(
            response.header("x-sb-error-code"),
            Some("bad_json"),
            "{}",
            response.text()
        );
    }
    no_panic(&pando);
}

#[test]
fn sign_up_with_the_wrong_types() {
    let (pando, keys) = start();
    for body in [
        json!({"email": 1, "password": "long enough"}),
        json!({"email": "a@b.example", "password": 12345678}),
        json!({"email": "not an address", "password": "long enough"}),
        json!({"email": "a@b.example\r\nBcc: c@d.example", "password": "long enough"}),
        json!({"email": format!("{}@b.example", "a".repeat(10_000)), "password": "long enough"}),
        json!({"email": "a@b.example", "password": "p".repeat(100_000)}),
        json!({"email": "a@b.example", "password": "long enough", "data": "text"}),
        json!([]),
        json!(null),
    ] {
        let response = pando
            .client()
            .keyed(&keys.publishable, None)
            .post("/auth/v1/signup", &body)
            .unwrap();
        let shown: String = body.to_string().chars().take(80).collect();
        assert!(
            (400..500).contains(&response.status),
            "{shown}: {} {}",
            response.status,
            response.text()
        );
        assert!(
            response.header("x-sb-error-code").is_some(),
            "{shown}: {}",
            response.text()
        );
    }
    no_panic(&pando);
}

#[test]
fn requests_over_their_limits() {
    let (pando, keys) = start();
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(11 << 20));
    let response = post(&pando, &keys, "/rest/v1/books", large.as_bytes());
    assert_eq!(response.status, 413, "{}", response.text());
    rest_error(&response);

    let long = format!("/rest/v1/books?title=eq.{}", "x".repeat(40_000));
    let response = service(&pando, &keys).get(&long).unwrap();
    assert_eq!(response.status, 414, "{}", response.text());

    let header = "x".repeat(40_000);
    let response = service(&pando, &keys)
        .send("GET", "/rest/v1/books", &[("x-long", &header)], None)
        .unwrap();
    assert_eq!(response.status, 431, "{}", response.text());

    let nested = format!(
        "/rest/v1/books?select={}id{}",
        "authors(books(".repeat(20),
        "))".repeat(20)
    );
    let response = service(&pando, &keys).get(&nested).unwrap();
    assert_eq!(response.status, 400, "{}", response.text());
    rest_error(&response);

    let logic = format!(
        "/rest/v1/books?or=({}id.eq.1{})",
        "and(".repeat(2_000),
        ")".repeat(2_000)
    );
    let response = service(&pando, &keys).get(&logic).unwrap();
    assert_eq!(response.status, 400, "{}", response.text());

    let chunked = b"POST /rest/v1/books HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n";
    let response = pando.client().send_raw(chunked, false);
    assert!(
        response.is_err() || response.is_ok_and(|response| (400..500).contains(&response.status))
    );
    no_panic(&pando);
}

#[test]
fn queries_with_odd_bytes() {
    let (pando, keys) = start();
    for path in [
        "/rest/v1/books?title=eq.%ff%fe",
        "/rest/v1/books?title=eq.%00",
        "/rest/v1/books?%zz=eq.1",
        "/rest/v1/%ff",
        "/rest/v1/books?select=%27%3B%20drop%20table%20books%3B--",
        "/rest/v1/books?order=id%3B%20drop%20table%20books",
        "/rest/v1/books?limit=-1",
        "/rest/v1/books?limit=99999999999999999999",
        "/rest/v1/books?offset=abc",
        "/rest/v1/books?id=in.(1,2",
        "/rest/v1/books?id=eq",
        "/rest/v1/books?and=()",
        "/rest/v1/books?title=match.(((",
        "/rest/v1/books?title=fts(klingon).word",
        "/rest/v1/sqlite_master",
        "/rest/v1/pando.keys",
        "/rest/v1/auth.users",
        "/rest/v1/books?select=id,sqlite_version()",
    ] {
        let response = service(&pando, &keys).get(path).unwrap();
        assert!(
            (400..500).contains(&response.status),
            "{path}: {} {}",
            response.status,
            response.text()
        );
        rest_error(&response);
    }
    let still_there = service(&pando, &keys)
        .get("/rest/v1/books?select=id&id=eq.1")
        .unwrap();
    assert_eq!(still_there.json(), json!([{"id": 1}]));
    no_panic(&pando);
}

#[test]
fn sql_in_every_string_stays_a_string() {
    let (pando, keys) = start();
    for evil in [
        "' or 1=1 --",
        "\"; drop table books; --",
        "1); delete from books; --",
        "\\'; --",
        "%' or '%'='",
        "$1",
        "?1",
    ] {
        let encoded: String = evil.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for path in [
            format!("/rest/v1/books?select=id&title=eq.{encoded}"),
            format!("/rest/v1/books?select=id&meta->>{encoded}=eq.x"),
            format!("/rest/v1/books?select=id&or=(title.eq.{encoded})"),
            format!("/rest/v1/books?select={encoded}"),
            format!("/rest/v1/books?order={encoded}"),
            format!("/rest/v1/{encoded}"),
            format!("/rest/v1/books?on_conflict={encoded}"),
        ] {
            let response = service(&pando, &keys).get(&path).unwrap();
            assert!(
                response.status < 500,
                "{path}: {} {}",
                response.status,
                response.text()
            );
            if response.status == 200 && path.contains("title=eq") {
                assert_eq!(response.json(), json!([]), "{path}");
            }
        }
    }
    let count = service(&pando, &keys)
        .get("/rest/v1/books?select=id")
        .unwrap()
        .json();
    assert_eq!(count.as_array().map(Vec::len), Some(4));
    no_panic(&pando);
}

#[test]
fn unknown_routes_and_methods() {
    let (pando, keys) = start();
    for (method, path, status) in [
        ("GET", "/nowhere", 404),
        ("GET", "/", 404),
        ("GET", "/auth/v1/nowhere", 404),
        ("TRACE", "/rest/v1/books", 405),
        ("DELETE", "/auth/v1/signup", 405),
        ("GET", "/rest/v1/books/../../etc/passwd", 404),
    ] {
        let response = service(&pando, &keys)
            .send(method, path, &[], None)
            .unwrap();
        assert_eq!(
            response.status,
            status,
            "{method} {path}: {}",
            response.text()
        );
        assert!(response.header("x-request-id").is_some(), "{method} {path}");
    }
    no_panic(&pando);
}
