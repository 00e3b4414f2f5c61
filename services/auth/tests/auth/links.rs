//! What letters carry: confirmation, recovery, a change of address, and codes for apps.

use crate::support::{App, PASSWORD, SITE, claims, refused};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        VERIFIER.as_bytes(),
    ))
}

#[tokio::test]
async fn a_new_account_waits_for_its_link() {
    let app = App::confirming().await;
    let user = app.sign_up("a@x.io").await;
    assert!(user.get("access_token").is_none());
    assert_eq!(user["email"], "a@x.io");
    assert!(user.get("email_confirmed_at").is_none() && user["confirmation_sent_at"].is_string());
    assert_eq!(
        app.sign_in("a@x.io", PASSWORD).await.refusal(),
        refused(400, "email_not_confirmed")
    );
    assert_eq!(
        app.sign_in("a@x.io", "wrong horse").await.refusal(),
        refused(400, "invalid_credentials")
    );

    let letter = app.letter("a@x.io", 1).await;
    let followed = app.ask("GET", &letter.link).without("apikey").send().await;
    assert_eq!(followed.status, 303);
    assert!(
        followed
            .header("location")
            .unwrap()
            .starts_with(&format!("{SITE}#access_token="))
    );
    assert_eq!(followed.fragment_value("type"), "signup");
    assert_eq!(followed.fragment_value("token_type"), "bearer");
    assert_eq!(followed.fragment_value("expires_in"), "3600");
    let session = json!({"access_token": followed.fragment_value("access_token")});
    let user = app.user(&session).await.json();
    assert!(user["email_confirmed_at"].is_string());
    assert_eq!(
        user["identities"][0]["identity_data"]["email_verified"],
        true
    );
    assert_eq!(claims(&session)["amr"][0]["method"], "otp");
    assert_eq!(
        app.refresh(&followed.fragment_value("refresh_token"))
            .await
            .status,
        200
    );

    let again = app.ask("GET", &letter.link).without("apikey").send().await;
    assert_eq!(
        (again.status, again.fragment_value("error_code")),
        (303, json!("otp_expired"))
    );
    assert_eq!(again.fragment_value("error"), "access_denied");
    assert_eq!(app.sign_in("a@x.io", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn an_account_is_confirmed_by_digits_or_by_the_token() {
    let app = App::confirming().await;
    for (email, by_digits) in [("a@x.io", true), ("b@x.io", false)] {
        app.sign_up(email).await;
        let letter = app.letter(email, 1).await;
        let body = if by_digits {
            json!({"type": "email", "email": email, "token": letter.digits})
        } else {
            json!({"type": "signup", "token_hash": letter.token})
        };
        let session = app.post("/verify", body.clone()).ok().await;
        assert_eq!(session["user"]["email"], email);
        assert_eq!(
            app.post("/verify", body).send().await.refusal(),
            refused(403, "otp_expired")
        );
    }
}

#[tokio::test]
async fn a_taken_address_is_answered_as_a_new_one_and_gets_no_letter() {
    let app = App::confirming().await;
    let user = app.sign_up("a@x.io").await;
    let letter = app.letter("a@x.io", 1).await;
    app.post(
        "/verify",
        json!({"type": "signup", "token_hash": letter.token}),
    )
    .ok()
    .await;
    app.clock.advance_seconds(61);
    let body = json!({"email": "a@x.io", "password": "another one", "data": {"name": "Eve"}});
    let fake = app.post("/signup", body).ok().await;
    assert_ne!(fake["id"], user["id"]);
    assert_eq!(
        (&fake["identities"], &fake["user_metadata"]),
        (&json!([]), &json!({"name": "Eve"}))
    );
    let members = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(members(&fake), members(&user));
    app.auth.close().await;
    assert_eq!(app.letters("a@x.io").len(), 1);
}

#[tokio::test]
async fn wrong_digits_are_counted_and_the_token_dropped() {
    let app = App::confirming().await;
    app.sign_up("a@x.io").await;
    let letter = app.letter("a@x.io", 1).await;
    let wrong = if letter.digits == "000000" {
        "000001"
    } else {
        "000000"
    };
    for _ in 0..5 {
        let body = json!({"type": "signup", "email": "a@x.io", "token": wrong});
        assert_eq!(
            app.post("/verify", body).send().await.refusal(),
            refused(403, "otp_expired")
        );
    }
    let body = json!({"type": "signup", "email": "a@x.io", "token": letter.digits});
    assert_eq!(
        app.post("/verify", body).send().await.refusal(),
        refused(403, "otp_expired")
    );
}

#[tokio::test]
async fn a_token_is_good_for_its_own_purpose_and_time() {
    let app = App::confirming().await;
    app.sign_up("a@x.io").await;
    let letter = app.letter("a@x.io", 1).await;
    for kind in ["recovery", "magiclink", "email_change"] {
        let body = json!({"type": kind, "token_hash": letter.token});
        assert_eq!(
            app.post("/verify", body).send().await.refusal(),
            refused(403, "otp_expired"),
            "{kind}"
        );
    }
    app.clock.advance_seconds(3_600);
    let body = json!({"type": "signup", "token_hash": letter.token});
    assert_eq!(
        app.post("/verify", body).send().await.refusal(),
        refused(403, "otp_expired")
    );

    app.post("/resend", json!({"type": "signup", "email": "a@x.io"}))
        .ok()
        .await;
    let fresh = app.letter("a@x.io", 2).await;
    assert_ne!(fresh.token, letter.token);
    app.post(
        "/verify",
        json!({"type": "signup", "token_hash": fresh.token}),
    )
    .ok()
    .await;
}

#[tokio::test]
async fn a_lost_password_is_replaced_by_way_of_a_letter() {
    let app = App::open().await;
    let old = app.sign_up("a@x.io").await;
    let redirect = "notes%3A%2F%2Fcallback";
    let asked = app
        .post(
            &format!("/recover?redirect_to={redirect}"),
            json!({"email": "A@x.io"}),
        )
        .ok()
        .await;
    assert_eq!(asked, json!({}));
    let letter = app.letter("a@x.io", 1).await;
    let followed = app.ask("GET", &letter.link).without("apikey").send().await;
    assert!(
        followed
            .header("location")
            .unwrap()
            .starts_with("notes://callback#access_token=")
    );
    assert_eq!(followed.fragment_value("type"), "recovery");
    let session = json!({"access_token": followed.fragment_value("access_token")});
    app.ask("PUT", "/user")
        .bearer(&session)
        .json(json!({"password": "battery staple"}))
        .ok()
        .await;
    assert_eq!(app.sign_in("a@x.io", "battery staple").await.status, 200);
    assert_eq!(
        app.user(&old).await.refusal(),
        refused(403, "session_not_found")
    );
}

#[tokio::test]
async fn asking_for_letters_tells_nothing_about_accounts() {
    let app = App::confirming().await;
    for (path, body) in [
        ("/recover", json!({"email": "nobody@x.io"})),
        ("/resend", json!({"type": "signup", "email": "nobody@x.io"})),
        (
            "/resend",
            json!({"type": "email_change", "email": "nobody@x.io"}),
        ),
    ] {
        assert_eq!(app.post(path, body.clone()).ok().await, json!({}), "{path}");
        let again = app.post(path, body).send().await;
        assert_eq!(
            again.refusal(),
            refused(429, "over_email_send_rate_limit"),
            "{path}"
        );
    }
    app.auth.close().await;
    assert!(app.letters("nobody@x.io").is_empty());
}

#[tokio::test]
async fn a_link_never_leads_elsewhere() {
    let app = App::open().await;
    app.sign_up("a@x.io").await;
    app.post(
        "/recover?redirect_to=https%3A%2F%2Fevil.example",
        json!({"email": "a@x.io"}),
    )
    .ok()
    .await;
    let letter = app.letter("a@x.io", 1).await;
    assert!(letter.link.contains("app.example.com") && !letter.link.contains("evil"));
    let changed = format!(
        "/verify?type=recovery&token={}&redirect_to=https%3A%2F%2Fevil.example",
        letter.token
    );
    let followed = app.ask("GET", &changed).send().await;
    assert!(followed.header("location").unwrap().starts_with(SITE));
}

#[tokio::test]
async fn both_addresses_agree_to_a_change() {
    let app = App::confirming().await;
    app.sign_up("old@x.io").await;
    let letter = app.letter("old@x.io", 1).await;
    let session = app
        .post(
            "/verify",
            json!({"type": "signup", "token_hash": letter.token}),
        )
        .ok()
        .await;
    let user = app
        .ask("PUT", "/user")
        .bearer(&session)
        .json(json!({"email": "new@x.io"}))
        .ok()
        .await;
    assert_eq!(
        (&user["email"], &user["new_email"]),
        (&json!("old@x.io"), &json!("new@x.io"))
    );
    let (to_new, to_old) = (
        app.letter("new@x.io", 1).await,
        app.letter("old@x.io", 2).await,
    );

    let half = app
        .post(
            "/verify",
            json!({"type": "email_change", "token_hash": to_new.token}),
        )
        .ok()
        .await;
    assert_eq!(half["code"], "200");
    assert_eq!(app.user(&session).await.json()["email"], "old@x.io");
    let again = app
        .post(
            "/verify",
            json!({"type": "email_change", "token_hash": to_new.token}),
        )
        .send()
        .await;
    assert_eq!(again.refusal(), refused(403, "otp_expired"));
    let body = json!({"type": "email_change", "email": "old@x.io", "token": to_old.digits});
    let done = app.post("/verify", body).ok().await;
    assert_eq!(done["user"]["email"], "new@x.io");
    assert!(done["user"].get("new_email").is_none());
    assert_eq!(done["user"]["identities"][0]["email"], "new@x.io");
    assert_eq!(app.sign_in("new@x.io", PASSWORD).await.status, 200);
    assert_eq!(app.sign_in("old@x.io", PASSWORD).await.status, 400);
}

#[tokio::test]
async fn a_change_to_a_taken_address_is_refused() {
    let app = App::open().await;
    app.sign_up("a@x.io").await;
    let session = app.sign_up("b@x.io").await;
    let refusal = app
        .ask("PUT", "/user")
        .bearer(&session)
        .json(json!({"email": "A@x.io"}))
        .send()
        .await;
    assert_eq!(refusal.refusal(), refused(422, "email_exists"));
}

#[tokio::test]
async fn an_app_with_a_challenge_gets_a_code_and_proves_itself() {
    let app = App::confirming().await;
    let body = json!({"email": "a@x.io", "password": PASSWORD, "code_challenge": challenge(), "code_challenge_method": "s256"});
    app.post("/signup", body).ok().await;
    let letter = app.letter("a@x.io", 1).await;
    assert!(letter.token.starts_with("pkce_"));
    let followed = app.ask("GET", &letter.link).send().await;
    let target = followed.header("location").unwrap();
    let code = target.strip_prefix(&format!("{SITE}?code=")).unwrap();
    assert!(!target.contains("access_token"));

    let exchange = |verifier: &str| {
        app.post(
            "/token?grant_type=pkce",
            json!({"auth_code": code, "code_verifier": verifier}),
        )
    };
    assert_eq!(
        exchange("wrong").send().await.refusal(),
        refused(400, "bad_code_verifier")
    );
    let session = exchange(VERIFIER).ok().await;
    assert_eq!(session["user"]["email"], "a@x.io");
    assert_eq!(
        exchange(VERIFIER).send().await.refusal(),
        refused(404, "flow_state_not_found")
    );
}

#[tokio::test]
async fn a_code_that_is_late_is_refused() {
    let app = App::open().await;
    app.sign_up("a@x.io").await;
    let body =
        json!({"email": "a@x.io", "code_challenge": challenge(), "code_challenge_method": "S256"});
    app.post("/recover", body).ok().await;
    let letter = app.letter("a@x.io", 1).await;
    let followed = app.ask("GET", &letter.link).send().await;
    let code = followed
        .header("location")
        .unwrap()
        .split("code=")
        .nth(1)
        .unwrap()
        .to_owned();
    app.clock.advance_seconds(301);
    let body = json!({"auth_code": code, "code_verifier": VERIFIER});
    let refusal = app
        .post("/token?grant_type=pkce", body)
        .send()
        .await
        .refusal();
    assert_eq!(refusal, refused(422, "flow_state_expired"));
}

#[tokio::test]
async fn a_letter_signs_in_and_makes_the_account_if_asked() {
    let app = App::confirming().await;
    let refusal = app
        .post("/otp", json!({"email": "a@x.io", "create_user": false}))
        .send()
        .await
        .refusal();
    assert_eq!(refusal, refused(422, "otp_disabled"));
    app.clock.advance_seconds(61);
    assert_eq!(
        app.post("/otp", json!({"email": "a@x.io", "data": {"n": 1}}))
            .ok()
            .await,
        json!({})
    );
    let letter = app.letter("a@x.io", 1).await;
    let session = app
        .post(
            "/verify",
            json!({"type": "email", "email": "a@x.io", "token": letter.digits}),
        )
        .ok()
        .await;
    assert_eq!(session["user"]["user_metadata"], json!({"n": 1}));
    assert!(session["user"]["email_confirmed_at"].is_string());
}
