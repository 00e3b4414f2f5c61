//! The authorisation matrix: every route the executable has, with every kind of credential. A new route is in it by
//! construction, because the list comes from the executable.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pando_testkit::{Pando, Setup};
use serde_json::{Value, json};

struct Route {
    method: String,
    path: String,
    access: String,
}

fn routes(pando: &Pando) -> Vec<Route> {
    let output = pando.run("routes", &["--json"]).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let route = |row: Value| Route {
        method: text(&row["method"]),
        path: text(&row["path"]),
        access: text(&row["access"]),
    };
    listed.into_iter().map(route).collect()
}

/// A path that matches the route, with something harmless for each parameter.
fn concrete(path: &str) -> String {
    let part = |part: &str| match part.starts_with('{') {
        true if part.contains("table") => "notes".to_owned(),
        true => "00000000-0000-4000-8000-000000000000".to_owned(),
        false => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn token(header: &Value, payload: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(payload))
}

#[test]
fn every_route_is_closed_to_those_it_is_not_for() {
    let pando = Setup::new()
        .migration("0001_notes", include_str!("../schema/notes.sql"))
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    let signed_up = pando
        .client()
        .keyed(&keys.publishable, None)
        .post(
            "/auth/v1/signup",
            &json!({"email": "matrix@example.com", "password": "correct horse battery"}),
        )
        .unwrap();
    assert_eq!(signed_up.status, 200, "{}", signed_up.text());
    let user = signed_up.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();

    let claims = json!({"sub": "00000000-0000-4000-8000-000000000001", "role": "service_role", "aud": "authenticated",
        "iat": 1_700_000_000, "exp": 4_102_444_800_u64});
    let old = json!({"sub": "00000000-0000-4000-8000-000000000001", "role": "service_role", "exp": 1_000_000_000});
    let (head, rest) = user.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let mut other_payload: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    other_payload["role"] = json!("service_role");
    let bad_tokens = [
        (
            "alg none",
            token(&json!({"alg": "none", "typ": "JWT"}), &claims, ""),
        ),
        ("no algorithm", token(&json!({"typ": "JWT"}), &claims, "")),
        (
            "forged HS256",
            token(
                &json!({"alg": "HS256", "typ": "JWT"}),
                &claims,
                &"A".repeat(43),
            ),
        ),
        (
            "expired",
            token(
                &json!({"alg": "HS256", "typ": "JWT"}),
                &old,
                &"A".repeat(43),
            ),
        ),
        (
            "other payload",
            format!(
                "{head}.{}.{signature}",
                URL_SAFE_NO_PAD.encode(other_payload.to_string())
            ),
        ),
        ("signature cut", user[..user.len() - 4].to_owned()),
        ("not a token", "a.b.c".to_owned()),
    ];

    let listed = routes(&pando);
    assert!(
        listed.len() >= 15,
        "{} routes are not all of them",
        listed.len()
    );
    let mut wrong = Vec::new();
    for route in &listed {
        let path = concrete(&route.path);
        let ask = |apikey: Option<&str>, bearer: Option<&str>| {
            let mut client = pando.client();
            if let Some(key) = apikey {
                client = client.with("apikey", key);
            }
            if let Some(bearer) = bearer {
                client = client.with("authorization", &format!("Bearer {bearer}"));
            }
            let body = (route.method != "GET" && route.method != "HEAD").then_some(&b"{}"[..]);
            let headers = [("content-type", "application/json")];
            client.send(&route.method, &path, &headers, body).unwrap()
        };
        let mut expect = |who: &str, status: u16, holds: bool| {
            if !holds {
                wrong.push(format!(
                    "{} {} ({}) with {who}: {status}",
                    route.method, route.path, route.access
                ));
            }
        };
        let refused = |status: u16| status == 401 || status == 403;
        let served = |status: u16| !refused(status) && status < 500;

        let open = route.access == "open";
        let without = ask(None, None).status;
        expect(
            "nothing",
            without,
            if open {
                served(without)
            } else {
                without == 401
            },
        );
        let unknown = ask(Some("sb_publishable_unknown"), None).status;
        expect("an unknown key", unknown, open || unknown == 401);
        let publishable = ask(Some(&keys.publishable), None).status;
        let let_in = matches!(route.access.as_str(), "open" | "key");
        expect(
            "a publishable key",
            publishable,
            if let_in {
                publishable < 500
            } else {
                refused(publishable)
            },
        );
        if !open {
            for (what, token) in &bad_tokens {
                let status = ask(Some(&keys.publishable), Some(token)).status;
                expect(what, status, refused(status));
            }
        }
        let signed_in = ask(Some(&keys.publishable), Some(&user)).status;
        expect(
            "a user",
            signed_in,
            if route.access == "service" {
                refused(signed_in)
            } else {
                signed_in < 500
            },
        );
        if route.access == "service" {
            for key in [&keys.secret, &keys.service_role] {
                let status = ask(Some(key), None).status;
                expect("a service key", status, served(status));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "\n{}\n--- log\n{}",
        wrong.join("\n"),
        pando.log()
    );
}
