//! Limits on credential routes.

use crate::support::{App, PASSWORD, refused};
use pando_auth::Limit;
use serde_json::json;

#[tokio::test]
async fn guessing_at_one_account_is_limited_exactly_whether_or_not_it_exists() {
    let app = App::with(|config| {
        config.limits.sign_in_by_account = Limit {
            events: 3,
            period_seconds: 60,
        };
    })
    .await;
    app.sign_up("a@x.io").await;
    for email in ["a@x.io", "nobody@x.io"] {
        for guess in 0..3 {
            assert_eq!(
                app.sign_in(email, "wrong horse").await.status,
                400,
                "{email} {guess}"
            );
        }
        let full = app.sign_in(email, PASSWORD).await;
        assert_eq!(
            full.refusal(),
            refused(429, "over_request_rate_limit"),
            "{email}"
        );
        assert_eq!(full.header("retry-after"), Some("20"), "{email}");
    }
    app.clock.advance_seconds(20);
    assert_eq!(app.sign_in("a@x.io", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn guesses_at_once_do_not_slip_past_together() {
    let app = App::with(|config| {
        config.limits.sign_in_by_account = Limit {
            events: 2,
            period_seconds: 60,
        };
    })
    .await;
    let guess = || app.sign_in("a@x.io", "wrong horse");
    let (a, b, c, d, e) = tokio::join!(guess(), guess(), guess(), guess(), guess());
    let mut statuses = [a.status, b.status, c.status, d.status, e.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [400, 400, 429, 429, 429]);
}

#[tokio::test]
async fn signing_in_rightly_is_not_limited() {
    let app = App::with(|config| {
        config.limits.sign_in_by_account = Limit {
            events: 2,
            period_seconds: 60,
        };
        config.limits.sign_in_by_address = Limit {
            events: 2,
            period_seconds: 60,
        };
    })
    .await;
    app.sign_up("a@x.io").await;
    for _ in 0..6 {
        assert_eq!(app.sign_in("a@x.io", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn an_address_is_limited_over_all_accounts_and_version_six_by_its_network() {
    let app = App::with(|config| {
        config.limits.sign_in_by_address = Limit {
            events: 2,
            period_seconds: 60,
        };
    })
    .await;
    let guess = |number: u8, from: &'static str| {
        let body = json!({"email": format!("user{number}@x.io"), "password": "wrong horse"});
        app.post("/token?grant_type=password", body)
            .from(from)
            .send()
    };
    assert_eq!(guess(1, "2001:db8:0:1::1").await.status, 400);
    assert_eq!(guess(2, "2001:db8:0:1::2").await.status, 400);
    assert_eq!(guess(3, "2001:db8:0:1:ffff::3").await.status, 429);
    assert_eq!(guess(4, "2001:db8:0:2::1").await.status, 400);
    assert_eq!(guess(5, "192.0.2.1").await.status, 400);
}

#[tokio::test]
async fn sign_ups_from_one_address_are_limited() {
    let app = App::with(|config| {
        config.limits.sign_up_by_address = Limit {
            events: 1,
            period_seconds: 60,
        };
    })
    .await;
    assert_eq!(
        app.post("/signup", json!({}))
            .from("192.0.2.1")
            .send()
            .await
            .status,
        200
    );
    assert_eq!(
        app.post("/signup", json!({}))
            .from("192.0.2.1")
            .send()
            .await
            .status,
        429
    );
    assert_eq!(
        app.post("/signup", json!({}))
            .from("192.0.2.2")
            .send()
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn one_letter_a_minute_goes_to_an_address() {
    let app = App::open().await;
    app.sign_up("a@x.io").await;
    let recover = || app.post("/recover", json!({"email": "a@x.io"})).send();
    assert_eq!(recover().await.status, 200);
    app.clock.advance_seconds(10);
    let early = recover().await;
    assert_eq!(early.refusal(), refused(429, "over_email_send_rate_limit"));
    assert_eq!(early.header("retry-after"), Some("50"));
    assert_eq!(
        early.json()["message"],
        "For security purposes, you can only request this after 50 seconds."
    );
    app.clock.advance_seconds(50);
    assert_eq!(recover().await.status, 200);
}

#[tokio::test]
async fn a_session_is_not_refreshed_without_end() {
    let app = App::with(|config| {
        config.limits.refresh_by_session = Limit {
            events: 2,
            period_seconds: 60,
        };
    })
    .await;
    let mut token = app.sign_up("a@x.io").await["refresh_token"].clone();
    for _ in 0..2 {
        token = app.refresh(&token).await.json()["refresh_token"].clone();
    }
    assert_eq!(
        app.refresh(&token).await.refusal(),
        refused(429, "over_request_rate_limit")
    );
    app.clock.advance_seconds(30);
    assert_eq!(app.refresh(&token).await.status, 200);
}
