//! The life of refresh tokens: rotation, the tunnel, the grace, and the thief.

use crate::support::{Answer, App, claims, refused};
use serde_json::Value;

fn next(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["refresh_token"].clone()
}

#[tokio::test]
async fn each_refresh_gives_a_new_token_for_the_same_session() {
    let app = App::open().await;
    let first = app.sign_up("a@x.io").await;
    app.clock.advance_seconds(3_000);
    let second = app.refresh(&first["refresh_token"]).await.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(claims(&second)["session_id"], claims(&first)["session_id"]);
    assert_eq!(claims(&second)["iat"], 1_750_003_000);
    assert_eq!(claims(&second)["amr"], claims(&first)["amr"]);
    assert_eq!(app.user(&second).await.status, 200);
}

#[tokio::test]
async fn the_parent_of_the_active_token_gets_the_same_successor_at_any_time() {
    let app = App::open().await;
    let a = app.sign_up("a@x.io").await["refresh_token"].clone();
    let b = next(&app.refresh(&a).await);
    for seconds in [0, 9, 11, 86_400, 30 * 86_400] {
        app.clock.advance_seconds(seconds);
        assert_eq!(
            next(&app.refresh(&a).await),
            b,
            "after {seconds} more seconds"
        );
    }
    let c = next(&app.refresh(&b).await);
    assert_ne!(c, b);
}

#[tokio::test]
async fn an_older_token_works_within_its_grace_and_kills_the_session_after_it() {
    let app = App::open().await;
    let session = app.sign_up("a@x.io").await;
    let a = session["refresh_token"].clone();
    let b = next(&app.refresh(&a).await);
    app.clock.advance_seconds(2);
    let c = next(&app.refresh(&b).await);
    // Ten seconds after its first use, not its second.
    app.clock.advance_seconds(8);
    assert_eq!(next(&app.refresh(&a).await), c);
    app.clock.advance_seconds(1);
    assert_eq!(
        app.refresh(&a).await.refusal(),
        refused(400, "refresh_token_already_used")
    );
    for token in [&a, &b, &c] {
        assert_eq!(
            app.refresh(token).await.refusal(),
            refused(400, "refresh_token_already_used")
        );
    }
    assert_eq!(
        app.user(&session).await.refusal(),
        refused(403, "session_not_found")
    );
}

#[tokio::test]
async fn a_stolen_token_ends_its_own_session_alone() {
    let app = App::open().await;
    let mine = app.sign_up("a@x.io").await;
    let other = app.sign_in("a@x.io", crate::support::PASSWORD).await.json();
    let a = mine["refresh_token"].clone();
    let b = next(&app.refresh(&a).await);
    let _c = next(&app.refresh(&b).await);
    app.clock.advance_seconds(60);
    assert_eq!(
        app.refresh(&a).await.refusal(),
        refused(400, "refresh_token_already_used")
    );
    assert_eq!(app.user(&other).await.status, 200);
    assert_eq!(app.refresh(&other["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn many_at_once_with_one_token_all_get_the_same_successor() {
    let app = App::open().await;
    let token = app.sign_up("a@x.io").await["refresh_token"].clone();
    let (a, b, c, d) = tokio::join!(
        app.refresh(&token),
        app.refresh(&token),
        app.refresh(&token),
        app.refresh(&token)
    );
    let successor = next(&a);
    assert!([b, c, d].iter().all(|answer| next(answer) == successor));
    assert_eq!(app.refresh(&successor).await.status, 200);
}

#[tokio::test]
async fn the_database_holds_no_token() {
    let app = App::open().await;
    let session = app.sign_up("a@x.io").await;
    let second = app.refresh(&session["refresh_token"]).await.json();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let kept = app.db.read(deadline, |tx| {
        let rows = tx.query("select token_hash from \"auth.refresh_tokens\"", &[])?;
        rows.iter()
            .map(|row| row.get::<String>(0))
            .collect::<Result<Vec<_>, _>>()
    });
    let kept = kept.await.unwrap();
    assert_eq!(kept.len(), 2);
    for token in [&session["refresh_token"], &second["refresh_token"]] {
        assert!(
            !kept
                .iter()
                .any(|hash| Value::String(hash.clone()) == *token)
        );
    }
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let app = App::open().await;
    assert_eq!(
        app.refresh(&Value::from("nonsense")).await.refusal(),
        refused(400, "refresh_token_not_found")
    );
    let none = app.refresh(&Value::Null).await;
    assert_eq!(
        (none.status, &none.json()["error"]),
        (400, &Value::from("invalid_request"))
    );
    let odd = app
        .post("/token?grant_type=magic", Value::Null)
        .json(serde_json::json!({}))
        .send()
        .await;
    assert_eq!(odd.refusal(), refused(400, "invalid_credentials"));
}
