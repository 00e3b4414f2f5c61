//! Signing up, in and out, and the account itself.

use crate::support::{App, PASSWORD, claims, refused};
use serde_json::json;

#[tokio::test]
async fn a_sign_up_is_a_session_with_the_claims_clients_expect() {
    let app = App::open().await;
    let body = json!({"email": "Ada@Example.com", "password": PASSWORD, "data": {"name": "Ada"}});
    let session = app.post("/signup", body).ok().await;
    assert_eq!(session["token_type"], "bearer");
    assert_eq!(session["expires_in"], 3_600);
    assert_eq!(session["expires_at"], 1_750_003_600);
    let user = &session["user"];
    assert_eq!(user["email"], "ada@example.com");
    assert_eq!(
        (&user["aud"], &user["role"], &user["phone"]),
        (&json!("authenticated"), &json!("authenticated"), &json!(""))
    );
    assert_eq!(
        user["app_metadata"],
        json!({"provider": "email", "providers": ["email"]})
    );
    assert_eq!(user["user_metadata"], json!({"name": "Ada"}));
    assert_eq!(user["email_confirmed_at"], "2025-06-15T15:06:40Z");
    assert_eq!(user["confirmed_at"], user["email_confirmed_at"]);
    let identity = &user["identities"][0];
    assert_eq!(
        (&identity["provider"], &identity["id"], &identity["email"]),
        (&json!("email"), &user["id"], &user["email"])
    );
    assert_eq!(identity["identity_data"]["email_verified"], true);

    let claims = claims(&session);
    assert_eq!(claims["iss"], "http://api.example.com/auth/v1");
    assert_eq!(claims["sub"], user["id"]);
    assert_eq!(
        (&claims["aud"], &claims["role"], &claims["aal"]),
        (
            &json!("authenticated"),
            &json!("authenticated"),
            &json!("aal1")
        )
    );
    assert_eq!(
        (&claims["iat"], &claims["exp"]),
        (&json!(1_750_000_000), &json!(1_750_003_600))
    );
    assert_eq!(
        claims["amr"],
        json!([{"method": "password", "timestamp": 1_750_000_000}])
    );
    assert_eq!(
        (&claims["email"], &claims["phone"]),
        (&json!("ada@example.com"), &json!(""))
    );
    assert_eq!(claims["user_metadata"], json!({"name": "Ada"}));
    assert_eq!(claims["is_anonymous"], false);
    assert!(claims["session_id"].is_string());

    let own = app.user(&session).await;
    assert_eq!(own.status, 200);
    assert_eq!(&own.json(), user);
    assert_eq!(own.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_taken_address_is_refused_when_accounts_are_confirmed_at_once() {
    let app = App::open().await;
    app.sign_up("ada@x.io").await;
    let again = app
        .post(
            "/signup",
            json!({"email": "ADA@x.io", "password": PASSWORD}),
        )
        .send()
        .await;
    assert_eq!(again.refusal(), refused(422, "user_already_exists"));
}

#[tokio::test]
async fn an_unknown_account_and_a_wrong_password_get_one_answer() {
    let app = App::open().await;
    app.sign_up("ada@x.io").await;
    let (wrong, unknown) = (
        app.sign_in("ada@x.io", "wrong horse").await,
        app.sign_in("bob@x.io", PASSWORD).await,
    );
    assert_eq!(wrong.refusal(), refused(400, "invalid_credentials"));
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    let right = app.sign_in("ADA@X.io", PASSWORD).await;
    assert_eq!(right.status, 200, "{}", right.text);
    assert!(right.json().get("weak_password").is_none());
}

#[tokio::test]
async fn a_bcrypt_hash_is_accepted_and_replaced_at_sign_in() {
    let app = App::open().await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let body = json!({"email": "old@x.io", "password_hash": hash, "email_confirm": true});
    app.admin("POST", "/admin/users").json(body).ok().await;
    assert_eq!(
        app.sign_in("old@x.io", "wrong horse").await.refusal(),
        refused(400, "invalid_credentials")
    );
    assert_eq!(app.sign_in("old@x.io", PASSWORD).await.status, 200);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let kept = app.db.read(deadline, |tx| {
        let rows = tx.query("select encrypted_password from \"auth.users\"", &[])?;
        rows[0].get::<String>(0)
    });
    assert!(
        kept.await
            .unwrap()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
    assert_eq!(app.sign_in("old@x.io", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn an_anonymous_user_becomes_a_permanent_one() {
    let app = App::open().await;
    let session = app
        .post("/signup", json!({"data": {"theme": "dark"}}))
        .ok()
        .await;
    assert_eq!(
        (&session["user"]["is_anonymous"], &session["user"]["email"]),
        (&json!(true), &json!(""))
    );
    assert_eq!(claims(&session)["is_anonymous"], true);
    assert_eq!(claims(&session)["amr"][0]["method"], "anonymous");

    let alone = app
        .ask("PUT", "/user")
        .bearer(&session)
        .json(json!({"password": PASSWORD}))
        .send()
        .await;
    assert_eq!(alone.refusal(), refused(422, "validation_failed"));
    let body = json!({"email": "new@x.io", "password": PASSWORD});
    let user = app
        .ask("PUT", "/user")
        .bearer(&session)
        .json(body)
        .ok()
        .await;
    assert_eq!(
        (&user["id"], &user["email"], &user["is_anonymous"]),
        (&session["user"]["id"], &json!("new@x.io"), &json!(false))
    );
    assert_eq!(user["user_metadata"], json!({"theme": "dark"}));
    assert_eq!(user["identities"].as_array().unwrap().len(), 1);
    let later = app.sign_in("new@x.io", PASSWORD).await.json();
    assert_eq!(
        (&later["user"]["id"], &claims(&later)["is_anonymous"]),
        (&user["id"], &json!(false))
    );

    let closed = App::with(|config| config.anonymous_enabled = false).await;
    let refusal = closed.post("/signup", json!({})).send().await.refusal();
    assert_eq!(refusal, refused(422, "anonymous_provider_disabled"));
}

#[tokio::test]
async fn an_anonymous_user_confirms_the_first_address_where_addresses_are_confirmed() {
    let app = App::confirming().await;
    let session = app.post("/signup", json!({})).ok().await;
    let user = app
        .ask("PUT", "/user")
        .bearer(&session)
        .json(json!({"email": "new@x.io"}))
        .ok()
        .await;
    assert_eq!(
        (&user["email"], &user["new_email"], &user["is_anonymous"]),
        (&json!(""), &json!("new@x.io"), &json!(true))
    );
    let letter = app.letter("new@x.io", 1).await;
    let body = json!({"type": "email_change", "token_hash": letter.token});
    let user = app.post("/verify", body).ok().await["user"].clone();
    assert_eq!(
        (&user["email"], &user["is_anonymous"]),
        (&json!("new@x.io"), &json!(false))
    );
    assert_eq!(user["app_metadata"]["providers"], json!(["email"]));
}

#[tokio::test]
async fn data_is_merged_and_a_null_removes() {
    let app = App::open().await;
    let session = app
        .post(
            "/signup",
            json!({"email": "a@x.io", "password": PASSWORD, "data": {"a": 1, "b": 2}}),
        )
        .ok()
        .await;
    let user = app
        .ask("PUT", "/user")
        .bearer(&session)
        .json(json!({"data": {"a": null, "c": {"d": [1]}}}))
        .ok()
        .await;
    assert_eq!(user["user_metadata"], json!({"b": 2, "c": {"d": [1]}}));
    let refusal = app
        .ask("PUT", "/user")
        .bearer(&session)
        .json(json!({"app_metadata": {"admin": true}}))
        .send()
        .await;
    assert_eq!(refusal.refusal(), refused(403, "not_admin"));
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_must_be_new() {
    let app = App::open().await;
    let here = app.sign_up("a@x.io").await;
    let there = app.sign_in("a@x.io", PASSWORD).await.json();
    let change = |password: &str| {
        app.ask("PUT", "/user")
            .bearer(&here)
            .json(json!({"password": password}))
    };
    assert_eq!(
        change(PASSWORD).send().await.refusal(),
        refused(422, "same_password")
    );
    assert_eq!(
        change("short").send().await.refusal(),
        refused(422, "weak_password")
    );
    assert_eq!(change("battery staple").send().await.status, 200);
    assert_eq!(app.user(&here).await.status, 200);
    assert_eq!(
        app.user(&there).await.refusal(),
        refused(403, "session_not_found")
    );
    assert_eq!(app.sign_in("a@x.io", PASSWORD).await.status, 400);
    assert_eq!(app.sign_in("a@x.io", "battery staple").await.status, 200);
}

#[tokio::test]
async fn signing_out_has_three_scopes() {
    for (scope, here_lives, there_lives) in [
        ("?scope=local", false, true),
        ("?scope=others", true, false),
        ("?scope=global", false, false),
        ("", false, false),
    ] {
        let app = App::open().await;
        let here = app.sign_up("a@x.io").await;
        let there = app.sign_in("a@x.io", PASSWORD).await.json();
        let out = app
            .ask("POST", &format!("/logout{scope}"))
            .bearer(&here)
            .send()
            .await;
        assert_eq!((out.status, out.text.as_str()), (204, ""), "{scope}");
        for (session, lives) in [(&here, here_lives), (&there, there_lives)] {
            let expected = if lives { 200 } else { 403 };
            assert_eq!(app.user(session).await.status, expected, "{scope}");
            let expected = if lives { 200 } else { 400 };
            assert_eq!(
                app.refresh(&session["refresh_token"]).await.status,
                expected,
                "{scope}"
            );
        }
        if !here_lives {
            assert_eq!(
                app.refresh(&here["refresh_token"]).await.refusal(),
                refused(400, "refresh_token_not_found")
            );
        }
    }
    let app = App::open().await;
    let session = app.sign_up("a@x.io").await;
    let odd = app
        .ask("POST", "/logout?scope=some")
        .bearer(&session)
        .send()
        .await;
    assert_eq!(odd.refusal(), refused(400, "validation_failed"));
}

#[tokio::test]
async fn what_the_service_says_about_itself_is_true() {
    let app = App::confirming().await;
    let settings = app.ask("GET", "/settings").ok().await;
    assert_eq!(
        (&settings["mailer_autoconfirm"], &settings["disable_signup"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        (
            &settings["external"]["email"],
            &settings["external"]["google"]
        ),
        (&json!(true), &json!(false))
    );
    assert_eq!(app.ask("GET", "/health").ok().await["name"], "Pando Auth");
    let keys = app
        .ask("GET", "/.well-known/jwks.json")
        .without("apikey")
        .ok()
        .await;
    assert_eq!(
        (&keys["keys"][0]["alg"], &keys["keys"][0]["kty"]),
        (&json!("ES256"), &json!("EC"))
    );
    assert!(keys["keys"][0].get("d").is_none());
    let discovery = app
        .ask("GET", "/.well-known/openid-configuration")
        .without("apikey")
        .ok()
        .await;
    assert_eq!(
        discovery["jwks_uri"],
        "http://api.example.com/auth/v1/.well-known/jwks.json"
    );

    let closed = App::with(|config| config.disable_signup = true).await;
    let refusal = closed
        .post("/signup", json!({"email": "a@x.io", "password": PASSWORD}))
        .send()
        .await
        .refusal();
    assert_eq!(refusal, refused(422, "signup_disabled"));
}
