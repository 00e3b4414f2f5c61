//! Row-level security as clients meet it.

use crate::support::{ANNA, BERT, Rest};

#[tokio::test]
async fn callers_read_what_policies_show_them() {
    let rest = Rest::open().await;
    let ids = "/notes?select=id&order=id";
    rest.anon().get(ids).expect(200, r#"[{"id":2}]"#).await;
    rest.user(ANNA)
        .get(ids)
        .expect(200, r#"[{"id":1},{"id":2}]"#)
        .await;
    rest.user(BERT)
        .get(ids)
        .expect(200, r#"[{"id":2},{"id":3}]"#)
        .await;
    rest.service()
        .get(ids)
        .expect(200, r#"[{"id":1},{"id":2},{"id":3}]"#)
        .await;
    let answer = rest.user(BERT).get(ids).prefer("count=exact").send().await;
    assert_eq!(answer.range(), "0-1/2");
    // A policy's sub-select obeys the policies of its own table.
    rest.user(BERT)
        .get("/note_links?select=url&order=url")
        .expect(200, r#"[{"url":"b"},{"url":"c"}]"#)
        .await;
    // Embedded rows obey too, in both directions.
    rest.anon()
        .get("/notes?select=id,note_links(url)&order=id")
        .expect(200, r#"[{"id":2,"note_links":[{"url":"b"}]}]"#)
        .await;
    // No policy: nobody but the service.
    rest.user(ANNA).get("/locked").expect(200, "[]").await;
    rest.service()
        .get("/locked?select=id")
        .expect(200, r#"[{"id":1}]"#)
        .await;
}

#[tokio::test]
async fn writes_that_a_policy_refuses_are_42501() {
    let rest = Rest::open().await;
    let (anna, bert) = (rest.user(ANNA), rest.user(BERT));
    bert.post("/notes", r#"{"id":10,"body":"mine"}"#)
        .expect(201, "")
        .await;
    let forged = format!(r#"{{"id":11,"body":"x","user_id":"{ANNA}"}}"#);
    let answer = bert
        .post("/notes", forged.clone())
        .refused(403, "42501")
        .await;
    assert_eq!(
        answer.message(),
        "new row violates row-level security policy for table \"notes\""
    );
    let answer = rest
        .anon()
        .post("/notes", forged)
        .refused(401, "42501")
        .await;
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    anna.post("/locked", r#"{"id":5}"#)
        .refused(403, "42501")
        .await;
    // Rows that `using` hides are not there to be changed.
    bert.patch("/notes?id=eq.1&select=id", r#"{"body":"hacked"}"#)
        .prefer("return=representation")
        .expect(200, "[]")
        .await;
    bert.delete("/notes?id=eq.1&select=id")
        .prefer("return=representation")
        .expect(200, "[]")
        .await;
    // Visible is not the same as changeable.
    bert.patch("/notes?id=eq.2&select=id", r#"{"body":"hacked"}"#)
        .prefer("return=representation")
        .expect(200, "[]")
        .await;
    // Giving one's row away fails the check.
    anna.patch("/notes?id=eq.1", format!(r#"{{"user_id":"{BERT}"}}"#))
        .refused(403, "42501")
        .await;
    rest.service()
        .get("/notes?select=id,body&order=id&id=lt.4")
        .expect(200, r#"[{"id":1,"body":"anna private"},{"id":2,"body":"anna public"},{"id":3,"body":"bert private"}]"#)
        .await;
}

#[tokio::test]
async fn upserts_obey_every_policy_they_touch() {
    let rest = Rest::open().await;
    let bert = rest.user(BERT);
    let merge = "resolution=merge-duplicates";
    bert.post("/notes", r#"{"id":3,"body":"changed"}"#)
        .prefer(merge)
        .expect(200, "")
        .await;
    // The key is taken by a row that Bert can't see, or can't change: raised, not skipped.
    bert.post("/notes", r#"{"id":1,"body":"stolen"}"#)
        .prefer(merge)
        .refused(403, "42501")
        .await;
    bert.post("/notes", r#"{"id":2,"body":"stolen"}"#)
        .prefer(merge)
        .refused(403, "42501")
        .await;
    rest.service()
        .get("/notes?id=eq.1&select=body")
        .expect(200, r#"[{"body":"anna private"}]"#)
        .await;
}

#[tokio::test]
async fn error_details_do_not_show_rows_to_callers_under_policies() {
    let rest = Rest::open().await;
    let answer = rest
        .user(BERT)
        .post("/notes", r#"{"id":1,"body":"x"}"#)
        .refused(409, "23505")
        .await;
    assert_eq!(answer.details(), "");
    assert!(answer.json()["details"].is_null());
    let answer = rest
        .service()
        .post(
            "/notes",
            format!(r#"{{"id":1,"body":"x","user_id":"{BERT}"}}"#),
        )
        .refused(409, "23505")
        .await;
    assert_eq!(answer.details(), "Key (id)=(1) already exists.");
}

#[tokio::test]
async fn what_is_not_exposed_is_not_there() {
    let rest = Rest::open().await;
    let service = rest.service();
    for table in [
        "unprotected",
        "auth.users",
        "users",
        "sqlite_master",
        "pando.sequences",
        "pando.keys",
        "pando.migrations",
    ] {
        for client in [&service, &rest.anon()] {
            client
                .get(&format!("/{table}"))
                .refused(404, "PGRST205")
                .await;
            client
                .post(&format!("/{table}"), r#"{"id":1}"#)
                .refused(404, "PGRST205")
                .await;
            client
                .delete(&format!("/{table}?id=eq.1"))
                .refused(404, "PGRST205")
                .await;
        }
    }
    service
        .get("/notes?select=id,unprotected(id)")
        .refused(400, "PGRST200")
        .await;
    for schema in ["auth", "pando", "", "information_schema", "PUBLIC"] {
        let answer = service
            .get("/notes")
            .header("accept-profile", schema)
            .refused(406, "PGRST106")
            .await;
        assert_eq!(
            answer.hint(),
            "Only the following schemas are exposed: public"
        );
        service
            .post("/notes", "{}")
            .header("content-profile", schema)
            .refused(406, "PGRST106")
            .await;
    }
    let open = pando_data::Config {
        allow_unprotected: true,
        ..pando_data::Config::default()
    };
    let rest = Rest::with(include_str!("schema.sql"), open).await;
    rest.anon()
        .get("/unprotected?select=id")
        .expect(200, r#"[{"id":1}]"#)
        .await;
}
