//! No key, token, password or mail secret is ever written to the log or shown in the metrics.

use pando_testkit::{Setup, mail};
use serde_json::json;
use std::fs;

#[test]
fn neither_the_log_nor_the_metrics_hold_a_secret() {
    let secret = "the-legacy-secret-of-this-test-0123456789";
    let pando = Setup::new()
        .migration("0001_notes", include_str!("../schema/notes.sql"))
        .variable("PANDO_LOG_FILTER", "trace")
        .variable("PANDO_JWT_SECRET", secret)
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    let password = "a-password-only-used-here";
    let email = "secrecy@example.com";
    let mut app = pando.client().keyed(&keys.publishable, None);
    let session = app
        .post(
            "/auth/v1/signup",
            &json!({"email": email, "password": password}),
        )
        .unwrap()
        .json();
    let access = session["access_token"].as_str().unwrap().to_owned();
    let refresh = session["refresh_token"].as_str().unwrap().to_owned();

    app.post(
        "/auth/v1/token?grant_type=password",
        &json!({"email": email, "password": "another-password-of-here"}),
    )
    .unwrap();
    app.post(
        "/auth/v1/token?grant_type=refresh_token",
        &json!({"refresh_token": refresh}),
    )
    .unwrap();
    app.post("/auth/v1/recover", &json!({"email": email}))
        .unwrap();
    let letter = mail::wait_for(&pando.mail(), email, 0)
        .unwrap()
        .replace("=\r\n", "")
        .replace("=3D", "=");
    let token = letter.split_once("token=").unwrap().1;
    let token: String = token
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c))
        .collect();
    assert!(token.len() > 20, "{letter}");
    let mut plain = pando.client();
    plain
        .get(&format!("/auth/v1/verify?token={token}&type=recovery"))
        .unwrap();
    plain
        .get(&format!("/rest/v1/notes?apikey={}", keys.secret))
        .unwrap();
    plain
        .get(&format!(
            "/rest/v1/notes?apikey={}&access_token={access}",
            keys.publishable
        ))
        .unwrap();
    pando
        .client()
        .keyed(&keys.publishable, Some(&access))
        .get("/rest/v1/notes?body=eq.private-value-of-a-row")
        .unwrap();
    pando
        .client()
        .keyed(&keys.publishable, Some("not.a.token-of-ours"))
        .get("/rest/v1/notes")
        .unwrap();

    let places = [
        ("the log", pando.log()),
        ("the metrics", pando.metrics().unwrap()),
        ("what was printed", pando.printed()),
    ];
    let forbidden = [
        ("password", password),
        ("wrong password", "another-password-of-here"),
        ("access token", &access),
        ("refresh token", &refresh),
        ("mail token", &token),
        ("secret key", &keys.secret),
        ("service role token", &keys.service_role),
        ("legacy secret", secret),
        ("value in a query", "private-value-of-a-row"),
        ("bad token", "token-of-ours"),
    ];
    for (place, text) in &places {
        for (what, value) in forbidden {
            assert!(!text.contains(value), "{place} holds the {what}");
        }
    }
    assert!(
        places[0].1.contains("/auth/v1/verify"),
        "the log does name the routes: {}",
        places[0].1
    );

    let master = fs::read_dir(pando.data())
        .unwrap()
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().to_string_lossy().contains("master"));
    let master = master.expect("the master key is a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |metadata: fs::Metadata| metadata.permissions().mode() & 0o777;
        assert_eq!(mode(master.metadata().unwrap()), 0o600);
        assert_eq!(
            mode(fs::metadata(pando.data()).unwrap()),
            0o700,
            "it holds hashes of passwords"
        );
        // A directory that was there before stays as open as it was, so the files are closed themselves.
        for entry in fs::read_dir(pando.data()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                let name = entry.file_name();
                assert_eq!(mode(entry.metadata().unwrap()), 0o600, "{name:?}");
            }
        }
    }
}
