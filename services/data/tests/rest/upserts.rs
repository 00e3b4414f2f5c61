//! Upserts by `POST` with both resolutions, and by `PUT`.

use crate::support::Rest;

#[tokio::test]
async fn merging_updates_the_row_that_has_the_key() {
    let rest = Rest::open().await;
    let service = rest.service();
    let merge = "resolution=merge-duplicates, return=representation";
    let rows = r#"[{"id":1,"name":"Ada L."},{"id":50,"name":"New"}]"#;
    let answer = service
        .post("/authors?select=id,name,born", rows)
        .prefer(merge)
        .expect(
            201,
            r#"[{"id":1,"name":"Ada L.","born":"1815-12-10"},{"id":50,"name":"New","born":null}]"#,
        )
        .await;
    assert_eq!(
        answer.header("preference-applied"),
        "resolution=merge-duplicates, return=representation"
    );
    // Nothing new was inserted.
    service
        .post("/authors?select=id,name", r#"{"id":50,"name":"Newer"}"#)
        .prefer(merge)
        .expect(200, r#"[{"id":50,"name":"Newer"}]"#)
        .await;
    service
        .post(
            "/books?on_conflict=title&select=id,pages",
            r#"{"title":"Unix 100%","pages":500}"#,
        )
        .prefer(merge)
        .expect(200, r#"[{"id":3,"pages":500}]"#)
        .await;
    service
        .post("/books?on_conflict=pages", r#"{"title":"x"}"#)
        .prefer(merge)
        .refused(400, "42P10")
        .await;
}

#[tokio::test]
async fn ignoring_leaves_the_row_that_has_the_key() {
    let rest = Rest::open().await;
    let service = rest.service();
    service
        .post(
            "/authors?select=id,name",
            r#"[{"id":1,"name":"no"},{"id":60,"name":"yes"}]"#,
        )
        .prefer("resolution=ignore-duplicates, return=representation")
        .expect(201, r#"[{"id":60,"name":"yes"}]"#)
        .await;
    service
        .get("/authors?id=eq.1&select=name")
        .expect(200, r#"[{"name":"Ada"}]"#)
        .await;
}

#[tokio::test]
async fn put_makes_the_row_what_the_body_says() {
    let rest = Rest::open().await;
    let service = rest.service();
    let row = r#"{"id":70,"name":"Put","born":null,"mentor_id":1}"#;
    service.put("/authors?id=eq.70", row).expect(201, "").await;
    service.put("/authors?id=eq.70", row).expect(204, "").await;
    service
        .put(
            "/authors?id=eq.70&select=name",
            r#"{"id":70,"name":"Again","born":null,"mentor_id":null}"#,
        )
        .prefer("return=representation")
        .expect(200, r#"[{"name":"Again"}]"#)
        .await;
    service
        .put("/authors?id=eq.71", row)
        .refused(400, "PGRST115")
        .await;
    service
        .put("/authors?id=eq.70", format!("[{row},{row}]"))
        .refused(400, "PGRST115")
        .await;
    for path in [
        "/authors",
        "/authors?id=gt.70",
        "/authors?id=eq.70&name=eq.x",
        "/authors?name=eq.x",
        "/note_links?note_id=eq.1",
    ] {
        service.put(path, row).refused(405, "PGRST105").await;
    }
    service
        .put("/authors?id=eq.70&limit=1", row)
        .refused(400, "PGRST114")
        .await;
    let loan = r#"{"book_id":4,"reader_id":"AAAAAAAA-0000-4000-8000-000000000001","due":null}"#;
    service
        .put(
            "/loans?book_id=eq.4&reader_id=eq.aaaaaaaa-0000-4000-8000-000000000001",
            loan,
        )
        .expect(201, "")
        .await;
}
