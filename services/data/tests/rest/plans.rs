//! Plans are kept by shape, for a role, until the schema changes.

use crate::support::{ANNA, BERT, Rest, SCHEMA};

#[tokio::test]
async fn a_shape_is_planned_once_for_a_role_whatever_the_values() {
    let rest = Rest::open().await;
    let counts = || (rest.metrics.plan_misses.get(), rest.metrics.plan_hits.get());
    for id in 1..=10 {
        rest.user(ANNA)
            .get(&format!("/books?select=id&id=eq.{id}&limit={id}"))
            .send()
            .await;
    }
    assert_eq!(counts(), (1, 9));
    rest.user(BERT)
        .get("/books?select=id&id=eq.3&limit=9")
        .send()
        .await;
    assert_eq!(counts(), (1, 10), "users share their role's plans");
    rest.anon()
        .get("/books?select=id&id=eq.3&limit=9")
        .send()
        .await;
    assert_eq!(counts(), (2, 10), "roles do not");
    for id in 20..30 {
        rest.service()
            .post("/authors", format!(r#"{{"id":{id},"name":"n{id}"}}"#))
            .send()
            .await;
    }
    assert_eq!(counts(), (3, 19));
    rest.anon()
        .get("/books?select=nonsense")
        .refused(400, "42703")
        .await;
    rest.anon()
        .get("/books?select=nonsense")
        .refused(400, "42703")
        .await;
    assert_eq!(counts(), (5, 19), "a failure is not kept");
}

#[tokio::test]
async fn a_changed_schema_is_seen_at_once() {
    let rest = Rest::open().await;
    let path = "/covers?book_id=eq.1";
    rest.anon()
        .get(path)
        .expect(200, r#"[{"book_id":1,"colour":"red"}]"#)
        .await;
    rest.migrate(&[
        SCHEMA,
        "alter table covers add column gloss boolean not null default true;",
    ])
    .await;
    rest.anon()
        .get(path)
        .expect(200, r#"[{"book_id":1,"colour":"red","gloss":true}]"#)
        .await;
    let dropped = "drop policy anyone_reads on covers;";
    let added = "alter table covers add column gloss boolean not null default true;";
    rest.migrate(&[SCHEMA, added, dropped]).await;
    rest.anon().get(path).expect(200, "[]").await;
}

#[tokio::test]
async fn two_schemas_are_told_apart_by_their_profile() {
    let schema = "create schema shop; create table shop.notes (id int primary key, word text); \
                  grant usage on schema shop to anon, authenticated, service_role; \
                  grant all on all tables in schema shop to anon, authenticated, service_role; \
                  create policy all_of_it on shop.notes for all using (true) with check (true); \
                  insert into shop.notes (id, word) values (1, 'shop');";
    let config = pando_data::Config {
        schemas: vec!["public".to_owned(), "shop".to_owned()],
        ..pando_data::Config::default()
    };
    let rest = Rest::with(&format!("{SCHEMA} {schema}"), config).await;
    let answer = rest
        .anon()
        .get("/notes?id=eq.1")
        .header("accept-profile", "shop")
        .expect(200, r#"[{"id":1,"word":"shop"}]"#)
        .await;
    assert_eq!(answer.header("content-profile"), "shop");
    rest.anon()
        .post("/notes", r#"{"id":2,"word":"two"}"#)
        .header("content-profile", "shop")
        .expect(201, "")
        .await;
    let answer = rest
        .anon()
        .get("/notes?select=id")
        .expect(200, r#"[{"id":2}]"#)
        .await;
    assert_eq!(answer.header("content-profile"), "public");
}
