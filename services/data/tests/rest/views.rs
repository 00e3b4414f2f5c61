//! Views over REST: read as their reader, embedded by the keys of their tables, written where Postgres writes them.

use crate::support::{ANNA, BERT, Rest, SCHEMA};

const VIEWS: &str = include_str!("views.sql");

async fn open() -> Rest {
    Rest::with(&format!("{SCHEMA}\n{VIEWS}"), pando_data::Config::default()).await
}

#[tokio::test]
async fn a_view_is_read_as_a_table_is() {
    let rest = open().await;
    let anon = rest.anon();
    for (path, body) in [
        (
            "/titles?id=lte.2&order=name",
            r#"[{"id":2,"name":"C, the language","writer":2,"loud":"C, THE LANGUAGE"},{"id":1,"name":"Notes on the Engine","writer":1,"loud":"NOTES ON THE ENGINE"}]"#,
        ),
        ("/titles?loud=eq.UNIX 100%25&select=id", r#"[{"id":3}]"#),
        (
            "/writers?select=name,books&order=books.desc,id&limit=2",
            r#"[{"name":"Brian","books":2},{"name":"Ada","books":1}]"#,
        ),
        (
            "/lent?select=reader,title&order=reader,title&limit=1",
            r#"[{"reader":"Rita","title":"C, the language"}]"#,
        ),
    ] {
        anon.get(path).expect(200, body).await;
    }
    let counted = anon
        .get("/titles?limit=1&order=id&select=id")
        .prefer("count=exact");
    let counted = counted.expect(206, r#"[{"id":1}]"#).await;
    assert_eq!(counted.range(), "0-0/4");
    anon.get("/titles?nmae=eq.x").refused(400, "42703").await;
}

#[tokio::test]
async fn a_view_shows_its_reader_what_the_policies_allow() {
    let rest = open().await;
    let path = "/my_notes?select=id,text,size&order=id";
    rest.anon().get(path).expect(200, "[]").await;
    rest.user(ANNA)
        .get(path)
        .expect(200, r#"[{"id":1,"text":"anna private","size":12}]"#)
        .await;
    rest.user(BERT)
        .get(path)
        .expect(200, r#"[{"id":3,"text":"bert private","size":12}]"#)
        .await;
    // A view of the hidden schema was made to pass the policies, and one that reads it shows what it shows.
    rest.anon()
        .get("/opened?select=id&order=id")
        .expect(200, r#"[{"id":1},{"id":2},{"id":3}]"#)
        .await;
    rest.service()
        .get("/everything")
        .refused(404, "PGRST205")
        .await;
}

#[tokio::test]
async fn what_can_not_be_protected_is_not_opened_by_a_view() {
    let rest = open().await;
    rest.service().get("/bare").refused(404, "PGRST205").await;
    let config = pando_data::Config {
        allow_unprotected: true,
        ..pando_data::Config::default()
    };
    let rest = Rest::with(&format!("{SCHEMA}\n{VIEWS}"), config).await;
    rest.anon()
        .get("/bare")
        .expect(200, r#"[{"id":1,"note_id":1}]"#)
        .await;
}

#[tokio::test]
async fn views_have_the_keys_of_their_tables() {
    let rest = open().await;
    let anon = rest.anon();
    for (path, body) in [
        // The view's key, the key of its table, and both.
        (
            "/titles?id=eq.1&select=name,authors(name)",
            r#"[{"name":"Notes on the Engine","authors":{"name":"Ada"}}]"#,
        ),
        (
            "/titles?id=eq.1&select=name,by:authors!writer(name)",
            r#"[{"name":"Notes on the Engine","by":{"name":"Ada"}}]"#,
        ),
        (
            "/authors?id=eq.2&select=name,titles(name)&titles.order=id",
            r#"[{"name":"Brian","titles":[{"name":"C, the language"},{"name":"Unix 100%"}]}]"#,
        ),
        (
            "/titles?id=eq.1&select=id,writers(name,books)",
            r#"[{"id":1,"writers":{"name":"Ada","books":1}}]"#,
        ),
        (
            "/writers?id=eq.2&select=name,titles(id)&titles.id=eq.3",
            r#"[{"name":"Brian","titles":[{"id":3}]}]"#,
        ),
        // One-to-one, and many-to-many through the table.
        (
            "/titles?id=eq.1&select=id,covers(colour),readers(name)&readers.order=name",
            r#"[{"id":1,"covers":{"colour":"red"},"readers":[{"name":"Rita"},{"name":"Sam"}]}]"#,
        ),
        // Keys shown by joins, by views over views, by sub-selects and with.
        (
            "/lent?select=reader,books(id),readers(name)&book_id=eq.2",
            r#"[{"reader":"Rita","books":{"id":2},"readers":{"name":"Rita"}}]"#,
        ),
        (
            "/names_of_lent?what=eq.2&select=readers(name),titles(name)",
            r#"[{"readers":{"name":"Rita"},"titles":{"name":"C, the language"}}]"#,
        ),
        (
            "/titles?select=id,names_of_lent!inner(who)&id=lte.2&names_of_lent.limit=1&order=id&names_of_lent.order=who",
            r#"[{"id":1,"names_of_lent":[{"who":"aaaaaaaa-0000-4000-8000-000000000001"}]},{"id":2,"names_of_lent":[{"who":"aaaaaaaa-0000-4000-8000-000000000001"}]}]"#,
        ),
        // A view that refers to itself: its name means the children.
        (
            "/staff?id=eq.1&select=name,staff(name)&staff.order=id",
            r#"[{"name":"Ada","staff":[{"name":"Brian"},{"name":"Nobody"}]}]"#,
        ),
    ] {
        let answer = anon.get(path).send().await;
        assert_eq!((answer.status, &*answer.text), (200, body), "{path}");
    }
    // A constraint or column reaches the table alone, as in PostgREST.
    anon.get("/titles?id=eq.1&select=by:books_author_id_fkey(*)")
        .expect(
            200,
            r#"[{"by":{"id":1,"name":"Ada","born":"1815-12-10","mentor_id":null}}]"#,
        )
        .await;
    anon.get("/writers?select=loans(due)")
        .refused(400, "PGRST200")
        .await;
}

#[tokio::test]
async fn writes_to_a_simple_view_are_writes_to_its_table() {
    let rest = open().await;
    let anna = rest.user(ANNA);
    anna.post(
        "/my_notes?select=id,text,size",
        r#"{"id": 10, "text": "new"}"#,
    )
    .prefer("return=representation")
    .expect(201, r#"[{"id":10,"text":"new","size":3}]"#)
    .await;
    let created = anna
        .post("/my_notes", r#"{"id": 11, "text": "other"}"#)
        .prefer("return=headers-only");
    let created = created.expect(201, "").await;
    assert_eq!(created.header("location"), "/my_notes?id=eq.11");
    anna.patch("/my_notes?size=eq.3", r#"{"text": "renewed"}"#)
        .prefer("return=representation")
        .expect(
            200,
            &format!(r#"[{{"id":10,"text":"renewed","user_id":"{ANNA}","size":7}}]"#),
        )
        .await;
    // What the view does not show is not changed through it: the public note, another's, and what a filter leaves out.
    anna.patch("/my_notes?id=in.(2,3)", r#"{"text": "mine"}"#)
        .prefer("return=representation")
        .expect(200, "[]")
        .await;
    anna.delete("/my_notes?id=gte.10&select=id,note_links(url)&order=id.desc")
        .prefer("return=representation")
        .expect(
            200,
            r#"[{"id":11,"note_links":[]},{"id":10,"note_links":[]}]"#,
        )
        .await;
    rest.service()
        .get("/notes?select=id,body&order=id")
        .expect(
            200,
            r#"[{"id":1,"body":"anna private"},{"id":2,"body":"anna public"},{"id":3,"body":"bert private"}]"#,
        )
        .await;
    // Policies are the table's.
    let foreign = format!(r#"{{"id": 12, "text": "x", "user_id": "{BERT}"}}"#);
    let refused = anna.post("/my_notes", foreign).refused(403, "42501").await;
    assert_eq!(
        refused.message(),
        "new row violates row-level security policy for table \"notes\""
    );
}

#[tokio::test]
async fn upserts_and_puts_go_through_a_view() {
    let rest = open().await;
    let service = rest.service();
    service
        .post(
            "/titles?on_conflict=id&select=id,loud",
            r#"[{"id": 1, "name": "Notes"}, {"id": 9, "name": "Nine"}]"#,
        )
        .prefer("resolution=merge-duplicates,return=representation")
        .expect(201, r#"[{"id":1,"loud":"NOTES"},{"id":9,"loud":"NINE"}]"#)
        .await;
    service
        .put("/titles?id=eq.9", r#"{"id": 9, "name": "Neun"}"#)
        .prefer("return=representation")
        .expect(
            200,
            r#"[{"id":9,"name":"Neun","writer":null,"loud":"NEUN"}]"#,
        )
        .await;
    service
        .post(
            "/titles?on_conflict=name",
            r#"{"name": "Neun", "writer": 3}"#,
        )
        .prefer("resolution=merge-duplicates")
        .expect(200, "")
        .await;
    service
        .get("/books?id=eq.9&select=title,author_id")
        .expect(200, r#"[{"title":"Neun","author_id":3}]"#)
        .await;
}

#[tokio::test]
async fn check_options_refuse_rows_the_view_would_not_show() {
    let rest = open().await;
    let anna = rest.user(ANNA);
    anna.post("/short_notes", r#"{"id": 20, "text": "short"}"#)
        .expect(201, "")
        .await;
    let refused = anna
        .post("/short_notes", r#"{"id": 21, "text": "far too long"}"#)
        .refused(400, "44000")
        .await;
    assert_eq!(
        refused.message(),
        "new row violates check option for view \"short_notes\""
    );
    anna.patch("/short_notes?id=eq.20", r#"{"text": "far too long"}"#)
        .refused(400, "44000")
        .await;
    anna.patch("/short_notes?id=eq.20", r#"{"text": "brief"}"#)
        .expect(204, "")
        .await;
    anna.post("/loud_notes", r#"{"id": 22, "body": "quiet"}"#)
        .refused(400, "44000")
        .await;
}

#[tokio::test]
async fn other_views_are_not_written() {
    let rest = open().await;
    let service = rest.service();
    let refused = service
        .post("/writers", r#"{"name": "x"}"#)
        .refused(500, "55000")
        .await;
    assert_eq!(refused.message(), "cannot insert into view \"writers\"");
    assert_eq!(
        refused.details(),
        "Views containing GROUP BY are not automatically updatable."
    );
    let refused = service
        .delete("/lent?book_id=eq.1")
        .refused(500, "55000")
        .await;
    assert_eq!(refused.message(), "cannot delete from view \"lent\"");
    assert_eq!(
        refused.details(),
        "Views that do not select from a single table or view are not automatically updatable."
    );
    let refused = service
        .patch("/titles?id=eq.1", r#"{"loud": "X"}"#)
        .refused(400, "0A000")
        .await;
    assert_eq!(
        refused.message(),
        "cannot update column \"loud\" of view \"titles\""
    );
    service
        .patch("/titles?id=eq.1", r#"{"title": "X"}"#)
        .refused(400, "PGRST204")
        .await;
    service
        .patch("/opened?id=eq.1", r#"{"body": "X"}"#)
        .refused(400, "0A000")
        .await;
}
