//! Accounts as the team's servers manage them, and nobody else.

use crate::support::{App, PASSWORD, claims, refused};
use pando_net::Access;
use serde_json::{Value, json};

#[tokio::test]
async fn nobody_but_the_service_gets_in() {
    let app = App::open().await;
    let session = app.sign_up("a@x.io").await;
    let routes = pando_auth::routes(&app.auth);
    let mut seen = 0;
    for route in routes
        .list()
        .filter(|route| route.path.contains("/admin/") || route.path.ends_with("/invite"))
    {
        assert_eq!(route.access, Access::Service, "{}", route.path);
        let path = route
            .path
            .trim_start_matches("/auth/v1")
            .replace("{id}", session["user"]["id"].as_str().unwrap());
        let ask = || app.ask(route.method.as_str(), &path).json(json!({}));
        assert_eq!(
            ask().send().await.refusal(),
            refused(403, "not_admin"),
            "{path} with the publishable key"
        );
        assert_eq!(
            ask().bearer(&session).send().await.refusal(),
            refused(403, "not_admin"),
            "{path} with a user's token"
        );
        let under_secret = ask()
            .bearer(&session)
            .header("apikey", &app.keys.secret)
            .send()
            .await;
        assert_eq!(
            under_secret.refusal(),
            refused(403, "not_admin"),
            "{path}: a user's token outranks the key"
        );
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[tokio::test]
async fn an_account_is_made_changed_and_deleted() {
    let app = App::open().await;
    let body = json!({
        "email": "Made@x.io", "password": PASSWORD, "user_metadata": {"a": 1}, "app_metadata": {"plan": "pro"},
    });
    let user = app
        .admin("POST", "/admin/users")
        .json(body.clone())
        .ok()
        .await;
    assert_eq!(
        user["app_metadata"],
        json!({"plan": "pro", "provider": "email", "providers": ["email"]})
    );
    assert!(user.get("email_confirmed_at").is_none());
    assert_eq!(
        app.admin("POST", "/admin/users")
            .json(body)
            .send()
            .await
            .refusal(),
        refused(422, "email_exists")
    );
    assert_eq!(
        app.sign_in("made@x.io", PASSWORD).await.refusal(),
        refused(400, "email_not_confirmed")
    );

    let path = format!("/admin/users/{}", user["id"].as_str().unwrap());
    let body = json!({"email_confirm": true, "app_metadata": {"plan": null, "team": 7}, "email": "moved@x.io"});
    let changed = app.admin("PUT", &path).json(body).ok().await;
    assert_eq!(
        (&changed["email"], &changed["app_metadata"]["team"]),
        (&json!("moved@x.io"), &json!(7))
    );
    assert!(changed["app_metadata"].get("plan").is_none());
    let session = app.sign_in("moved@x.io", PASSWORD).await.json();
    assert_eq!(claims(&session)["app_metadata"]["team"], 7);
    app.admin("PUT", &path)
        .json(json!({"password": "battery staple"}))
        .ok()
        .await;
    assert_eq!(
        app.user(&session).await.refusal(),
        refused(403, "session_not_found")
    );

    assert_eq!(app.admin("GET", &path).ok().await["email"], "moved@x.io");
    app.admin("DELETE", &path)
        .json(json!({"should_soft_delete": true}))
        .ok()
        .await;
    let gone = app.admin("GET", &path).ok().await;
    assert_eq!(
        (&gone["email"], &gone["user_metadata"], &gone["identities"]),
        (&json!(""), &json!({}), &json!([]))
    );
    assert!(gone["deleted_at"].is_string());
    assert_eq!(
        app.sign_in("moved@x.io", "battery staple").await.status,
        400
    );
    app.admin("DELETE", &path).ok().await;
    assert_eq!(
        app.admin("GET", &path).send().await.refusal(),
        refused(404, "user_not_found")
    );
    assert_eq!(
        app.admin("GET", "/admin/users/7").send().await.refusal(),
        refused(404, "validation_failed")
    );
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let app = App::open().await;
    for number in 0..5 {
        app.clock.advance_seconds(1);
        let body = json!({"email": format!("user{number}@x.io")});
        app.admin("POST", "/admin/users").json(body).ok().await;
    }
    let page = app
        .admin("GET", "/admin/users?page=2&per_page=2")
        .send()
        .await;
    let emails: Vec<Value> = page.json()["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["email"].clone())
        .collect();
    assert_eq!(emails, ["user2@x.io", "user1@x.io"]);
    assert_eq!(
        (page.header("x-total-count"), &page.json()["aud"]),
        (Some("5"), &json!("authenticated"))
    );
    let link = page.header("link").unwrap();
    assert!(
        link.contains("?page=3&per_page=2>; rel=\"next\"")
            && link.contains("?page=3&per_page=2>; rel=\"last\""),
        "{link}"
    );
    let found = app.admin("GET", "/admin/users?filter=USER3").ok().await;
    assert_eq!(found["users"].as_array().unwrap().len(), 1);
    let bad = app.admin("GET", "/admin/users?page=0").send().await;
    assert_eq!(bad.refusal(), refused(400, "validation_failed"));
}

#[tokio::test]
async fn what_an_account_is_made_of_is_checked() {
    let app = App::open().await;
    for body in [
        json!({}),
        json!({"email": "nonsense"}),
        json!({"phone": "nonsense"}),
        json!({"email": "a@x.io", "role": "postgres"}),
        json!({"email": "a@x.io", "password": PASSWORD, "password_hash": "$2a$04$x"}),
        json!({"email": "a@x.io", "password_hash": "md5:x"}),
        json!({"email": "a@x.io", "id": "7"}),
        json!({"email": "a@x.io", "ban_duration": "for ever"}),
    ] {
        let answer = app
            .admin("POST", "/admin/users")
            .json(body.clone())
            .send()
            .await;
        assert_eq!(
            answer.refusal(),
            refused(400, "validation_failed"),
            "{body}"
        );
    }
    let id = "11111111-1111-4111-8111-111111111111";
    let body = json!({"phone": "+1 415 555 0100", "id": id, "phone_confirm": true});
    let user = app.admin("POST", "/admin/users").json(body).ok().await;
    assert_eq!(
        (&user["id"], &user["phone"]),
        (&json!(id), &json!("14155550100"))
    );
    assert_eq!(user["app_metadata"]["provider"], "phone");
}

#[tokio::test]
async fn a_generated_link_works_and_is_not_mailed() {
    let app = App::confirming().await;
    app.admin("POST", "/admin/users")
        .json(json!({"email": "a@x.io", "email_confirm": true}))
        .ok()
        .await;
    let body = json!({"type": "recovery", "email": "a@x.io", "redirect_to": "notes://callback"});
    let link = app
        .admin("POST", "/admin/generate_link")
        .json(body)
        .ok()
        .await;
    assert_eq!(
        (&link["verification_type"], &link["redirect_to"]),
        (&json!("recovery"), &json!("notes://callback"))
    );
    let path = link["action_link"]
        .as_str()
        .unwrap()
        .strip_prefix("http://api.example.com/auth/v1")
        .unwrap()
        .to_owned();
    let followed = app.ask("GET", &path).send().await;
    assert!(
        followed
            .header("location")
            .unwrap()
            .starts_with("notes://callback#access_token=")
    );

    let body = json!({"type": "magiclink", "email": "b@x.io"});
    let link = app
        .admin("POST", "/admin/generate_link")
        .json(body)
        .ok()
        .await;
    let body = json!({"type": "email", "email": "b@x.io", "token": link["email_otp"]});
    assert_eq!(
        app.post("/verify", body).ok().await["user"]["email"],
        "b@x.io"
    );
    let body = json!({"type": "recovery", "email": "nobody@x.io"});
    let refusal = app
        .admin("POST", "/admin/generate_link")
        .json(body)
        .send()
        .await
        .refusal();
    assert_eq!(refusal, refused(404, "user_not_found"));
    app.auth.close().await;
    assert!(app.letters("a@x.io").is_empty());
}

#[tokio::test]
async fn an_invitation_is_mailed_and_accepted() {
    let app = App::confirming().await;
    let user = app
        .admin("POST", "/invite")
        .json(json!({"email": "a@x.io", "data": {"team": 1}}))
        .ok()
        .await;
    assert!(user["invited_at"].is_string());
    let letter = app.letter("a@x.io", 1).await;
    let followed = app.ask("GET", &letter.link).send().await;
    assert_eq!(followed.fragment_value("type"), "invite");
    let session = json!({"access_token": followed.fragment_value("access_token")});
    assert_eq!(
        app.user(&session).await.json()["user_metadata"],
        json!({"team": 1})
    );
    let again = app
        .admin("POST", "/invite")
        .json(json!({"email": "a@x.io"}))
        .send()
        .await;
    assert_eq!(again.refusal(), refused(422, "email_exists"));
}
