//! What is refused, and in which shape.

use crate::support::{App, PASSWORD, refused};
use serde_json::json;

#[tokio::test]
async fn errors_come_in_the_shape_the_client_reads() {
    let app = App::open().await;
    let wrong = || {
        app.post(
            "/token?grant_type=password",
            json!({"email": "a@x.io", "password": "wrong"}),
        )
    };
    let named = wrong().send().await;
    assert_eq!(
        named.json(),
        json!({"code": "invalid_credentials", "message": "Invalid login credentials"})
    );
    assert_eq!(named.header("x-supabase-api-version"), Some("2024-01-01"));
    assert_eq!(named.header("x-sb-error-code"), Some("invalid_credentials"));
    let old = wrong().without("x-supabase-api-version").send().await;
    assert_eq!(
        old.json(),
        json!({"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"})
    );
    assert_eq!(old.header("x-supabase-api-version"), None);

    let weak = || app.post("/signup", json!({"email": "a@x.io", "password": "12345"}));
    let named = weak().send().await;
    assert_eq!(named.status, 422);
    assert_eq!(named.json()["code"], "weak_password");
    assert_eq!(
        named.json()["weak_password"],
        json!({"reasons": ["length"]})
    );
    let old = weak().without("x-supabase-api-version").send().await;
    assert_eq!(
        (
            &old.json()["error_code"],
            &old.json()["weak_password"]["reasons"]
        ),
        (&json!("weak_password"), &json!(["length"]))
    );
}

#[tokio::test]
async fn what_the_door_refuses_is_in_the_same_words() {
    let app = App::open().await;
    let session = app.sign_up("a@x.io").await;
    assert_eq!(
        app.ask("GET", "/user").send().await.refusal(),
        refused(401, "no_authorization")
    );
    assert_eq!(
        app.ask("GET", "/user")
            .header("authorization", "Bearer nonsense")
            .send()
            .await
            .refusal(),
        refused(403, "bad_jwt")
    );
    assert_eq!(
        app.post("/signup", json!({}))
            .without("apikey")
            .send()
            .await
            .status,
        401
    );
    assert_eq!(app.ask("GET", "/nothing").send().await.status, 404);
    assert_eq!(
        app.ask("DELETE", "/user")
            .bearer(&session)
            .send()
            .await
            .status,
        405
    );
    app.clock.advance_seconds(3_601);
    assert_eq!(app.user(&session).await.refusal(), refused(403, "bad_jwt"));
}

#[tokio::test]
async fn a_token_does_not_outlive_its_account() {
    let app = App::open().await;
    let session = app.sign_up("a@x.io").await;
    let path = format!("/admin/users/{}", session["user"]["id"].as_str().unwrap());
    app.admin("PUT", &path)
        .json(json!({"ban_duration": "1h"}))
        .ok()
        .await;
    assert_eq!(
        app.user(&session).await.refusal(),
        refused(403, "user_banned")
    );
    assert_eq!(
        app.sign_in("a@x.io", PASSWORD).await.refusal(),
        refused(400, "user_banned")
    );
    assert_eq!(
        app.refresh(&session["refresh_token"]).await.refusal(),
        refused(400, "user_banned")
    );
    app.admin("PUT", &path)
        .json(json!({"ban_duration": "none"}))
        .ok()
        .await;
    assert_eq!(app.user(&session).await.status, 200);
    app.admin("DELETE", &path).ok().await;
    assert_eq!(
        app.user(&session).await.refusal(),
        refused(403, "user_not_found")
    );
    assert_eq!(
        app.refresh(&session["refresh_token"]).await.refusal(),
        refused(400, "refresh_token_not_found")
    );
}

#[tokio::test]
async fn bad_bodies_are_clear_refusals() {
    let app = App::open().await;
    let deep = format!("{{\"data\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let long = format!(
        "{{\"email\":\"{}@x.io\",\"password\":\"{PASSWORD}\"}}",
        "a".repeat(300)
    );
    let nul = format!(
        "{{\"email\":\"n@x.io\",\"password\":\"{PASSWORD}\",\"data\":{{\"a\":\"\\u0000\"}}}}"
    );
    // Deeper than a column takes, and not so deep that the reader minds.
    let nested = format!(
        "{{\"email\":\"d@x.io\",\"password\":\"{PASSWORD}\",\"data\":{{\"a\":{}{}}}}}",
        "[".repeat(100),
        "]".repeat(100)
    );
    // A token that holds it would fit into no header.
    let heavy = format!(
        "{{\"email\":\"h@x.io\",\"password\":\"{PASSWORD}\",\"data\":{{\"a\":\"{}\"}}}}",
        "x".repeat(17 << 10)
    );
    for (body, code) in [
        (b"{".as_slice(), "bad_json"),
        (heavy.as_bytes(), "validation_failed"),
        (nested.as_bytes(), "validation_failed"),
        (b"[]", "bad_json"),
        (b"{\"email\":\"\xff\xfe\"}", "bad_json"),
        (b"{\"email\": 7, \"password\": []}", "bad_json"),
        (deep.as_bytes(), "bad_json"),
        (
            b"{\"email\":\"not an address\",\"password\":\"correct horse\"}",
            "validation_failed",
        ),
        (
            b"{\"email\":\"a@x.io' or 1=1 --\",\"password\":\"correct horse\"}",
            "validation_failed",
        ),
        (b"{\"email\":\"a@x.io\"}", "validation_failed"),
        (long.as_bytes(), "validation_failed"),
        (nul.as_bytes(), "validation_failed"),
    ] {
        let answer = app.ask("POST", "/signup").body(body).send().await;
        assert_eq!(
            answer.refusal(),
            refused(400, code),
            "{}",
            String::from_utf8_lossy(&body[..body.len().min(80)])
        );
    }
    let huge = vec![b' '; (1 << 20) + 1];
    let answer = app.ask("POST", "/signup").body(&huge).send().await;
    assert_eq!(answer.refusal(), refused(413, "request_entity_too_large"));
    let long = json!({"email": "a@x.io", "password": "a".repeat(73)});
    assert_eq!(
        app.post("/signup", long).send().await.refusal(),
        refused(400, "validation_failed")
    );
}
