//! Inserting, updating and deleting, by the service key: what is written, and what is answered.

use crate::support::Rest;

#[tokio::test]
async fn an_insert_answers_as_preferred() {
    let rest = Rest::open().await;
    let service = rest.service();
    let answer = service
        .post("/authors", r#"{"name":"Grace"}"#)
        .expect(201, "")
        .await;
    assert_eq!((answer.range(), answer.header("location")), ("*/*", ""));

    let answer = service
        .post("/authors", r#"{"name":"Hedy"}"#)
        .prefer("return=headers-only")
        .expect(201, "")
        .await;
    assert_eq!(answer.header("location"), "/authors?id=eq.5");

    let answer = service
        .post("/authors?select=id,name", r#"{"name":"Ida"}"#)
        .prefer("return=representation, count=exact")
        .expect(201, r#"[{"id":6,"name":"Ida"}]"#)
        .await;
    assert_eq!(
        answer.header("preference-applied"),
        "return=representation, count=exact"
    );
    assert_eq!(answer.range(), "*/1");

    let answer = service
        .post(
            "/loans",
            r#"{"book_id":3,"reader_id":"aaaaaaaa-0000-4000-8000-000000000001"}"#,
        )
        .prefer("return=headers-only")
        .expect(201, "")
        .await;
    assert_eq!(
        answer.header("location"),
        "/loans?book_id=eq.3&reader_id=eq.aaaaaaaa-0000-4000-8000-000000000001"
    );
}

#[tokio::test]
async fn values_come_back_as_postgres_would_print_them() {
    let rest = Rest::open().await;
    let payload = r#"{"title":"T","price":12345678.9,"pages":7,"weight":1e3,"tags":["a b","c"],
        "data":{"b":1,"a":{"z":12345678901234567890.123}},"state":"new","added_at":"2024-05-06 07:08:09.5+02"}"#;
    let select = "title,author_id,price,pages,weight,tags,data,state,in_print,added_at";
    rest.service()
        .post(&format!("/books?select={select}"), payload)
        .prefer("return=representation")
        .single()
        .expect(
            201,
            r#"{"title":"T","author_id":null,"price":12345678.90,"pages":7,"weight":1000,"tags":["a b","c"],"data":{"a": {"z": 12345678901234567890.123}, "b": 1},"state":"new","in_print":true,"added_at":"2024-05-06T05:08:09.5+00:00"}"#,
        )
        .await;
}

#[tokio::test]
async fn many_rows_are_inserted_in_the_payloads_order_or_not_at_all() {
    let rest = Rest::open().await;
    let service = rest.service();
    let rows = r#"[{"id":12,"name":"z"},{"id":10,"name":"y"},{"name":"x","id":11}]"#;
    service
        .post("/authors?select=id,name", rows)
        .prefer("return=representation")
        .expect(
            201,
            r#"[{"id":12,"name":"z"},{"id":10,"name":"y"},{"id":11,"name":"x"}]"#,
        )
        .await;
    let answer = service
        .post(
            "/authors",
            r#"[{"id":20,"name":"a"},{"id":1,"name":"taken"}]"#,
        )
        .refused(409, "23505")
        .await;
    assert_eq!(
        answer.message(),
        "duplicate key value violates unique constraint \"authors_pkey\""
    );
    assert_eq!(answer.details(), "Key (id)=(1) already exists.");
    service.get("/authors?id=eq.20").expect(200, "[]").await;
    service.post("/authors", "[]").expect(201, "").await;
    service
        .post("/authors", "[]")
        .prefer("return=representation")
        .expect(201, "[]")
        .await;
}

#[tokio::test]
async fn absent_keys_are_null_or_the_default_as_preferred() {
    let rest = Rest::open().await;
    let service = rest.service();
    // Without `columns=` an absent key takes the default, as an insert that does not name the column does.
    service
        .post("/books?select=state,tags", r#"{"title":"one"}"#)
        .prefer("return=representation")
        .expect(201, r#"[{"state":"good","tags":[]}]"#)
        .await;
    // With it, the column is named, and null is what a row lacks.
    let rows = r#"[{"title":"two","pages":1},{"title":"three"}]"#;
    service
        .post(r#"/books?columns="title","pages"&select=title,pages"#, rows)
        .prefer("return=representation")
        .expect(
            201,
            r#"[{"title":"two","pages":1},{"title":"three","pages":null}]"#,
        )
        .await;
    let rows = r#"[{"title":"four","state":"new"},{"title":"five"}]"#;
    let columns = r#"columns="title","state""#;
    service
        .post(&format!("/books?{columns}"), rows)
        .refused(400, "23502")
        .await;
    let answer = service
        .post(&format!("/books?{columns}&select=title,state"), rows)
        .prefer("return=representation, missing=default")
        .expect(
            201,
            r#"[{"title":"four","state":"new"},{"title":"five","state":"good"}]"#,
        )
        .await;
    assert_eq!(
        answer.header("preference-applied"),
        "missing=default, return=representation"
    );
    // Keys that `columns=` does not name are left out.
    service
        .post(
            "/books?columns=title&select=title,pages",
            r#"[{"title":"six","pages":9,"nonsense":1}]"#,
        )
        .prefer("return=representation")
        .expect(201, r#"[{"title":"six","pages":null}]"#)
        .await;
}

#[tokio::test]
async fn a_representation_may_embed() {
    let rest = Rest::open().await;
    rest.service()
        .post(
            "/books?select=title,authors(name)",
            r#"{"title":"New","author_id":1}"#,
        )
        .prefer("return=representation")
        .expect(201, r#"[{"title":"New","authors":{"name":"Ada"}}]"#)
        .await;
    rest.service()
        .patch(
            "/books?id=eq.4&select=title,authors(name)",
            r#"{"author_id":2}"#,
        )
        .prefer("return=representation")
        .expect(
            200,
            r#"[{"title":"Anonymous tales","authors":{"name":"Brian"}}]"#,
        )
        .await;
    rest.service()
        .delete("/books?id=eq.4&select=title,authors(name)")
        .prefer("return=representation")
        .expect(
            200,
            r#"[{"title":"Anonymous tales","authors":{"name":"Brian"}}]"#,
        )
        .await;
}

#[tokio::test]
async fn an_update_changes_what_its_filters_choose() {
    let rest = Rest::open().await;
    let service = rest.service();
    let answer = service
        .patch("/books?author_id=eq.2", r#"{"pages":1}"#)
        .prefer("count=exact")
        .expect(204, "")
        .await;
    assert_eq!(answer.range(), "0-1/2");
    service
        .get("/books?select=id&pages=eq.1&order=id")
        .expect(200, r#"[{"id":2},{"id":3}]"#)
        .await;
    let answer = service
        .patch("/books?id=eq.2&select=id,pages", r#"{"pages":null}"#)
        .prefer("return=representation")
        .expect(200, r#"[{"id":2,"pages":null}]"#)
        .await;
    assert_eq!(answer.range(), "0-0/*");
    let answer = service
        .patch("/books?id=eq.99", r#"{"pages":2}"#)
        .prefer("return=representation")
        .expect(200, "[]")
        .await;
    assert_eq!(answer.range(), "*/*");
    service.patch("/books?id=eq.1", "{}").expect(204, "").await;
    service
        .patch("/books?id=eq.1", "{}")
        .prefer("return=representation")
        .expect(200, "[]")
        .await;
    // The filter may no longer hold after the change.
    service
        .patch(
            "/books?title=eq.Unix 100%25&select=title",
            r#"{"title":"Plan 9"}"#,
        )
        .prefer("return=representation")
        .expect(200, r#"[{"title":"Plan 9"}]"#)
        .await;
}

#[tokio::test]
async fn a_delete_removes_what_its_filters_choose() {
    let rest = Rest::open().await;
    let service = rest.service();
    let answer = service
        .delete("/loans?book_id=eq.1")
        .prefer("count=exact")
        .expect(204, "")
        .await;
    assert_eq!(answer.range(), "*/2");
    service
        .delete("/loans?book_id=eq.2&select=book_id")
        .prefer("return=representation")
        .expect(200, r#"[{"book_id":2}]"#)
        .await;
    service.get("/loans").expect(200, "[]").await;
    let answer = service
        .delete("/readers?id=eq.aaaaaaaa-0000-4000-8000-000000000001")
        .expect(204, "")
        .await;
    assert_eq!(answer.range(), "*/*");
}

#[tokio::test]
async fn without_a_filter_nothing_is_updated_or_deleted() {
    let rest = Rest::open().await;
    let answer = rest.service().delete("/loans").refused(400, "21000").await;
    assert_eq!(answer.message(), "DELETE requires a WHERE clause");
    let answer = rest
        .service()
        .patch("/loans", r#"{"due":null}"#)
        .refused(400, "21000")
        .await;
    assert_eq!(answer.message(), "UPDATE requires a WHERE clause");
    rest.service()
        .delete("/loans?book_id=not.is.null")
        .expect(204, "")
        .await;
}

#[tokio::test]
async fn a_change_of_another_number_of_rows_than_allowed_is_undone() {
    let rest = Rest::open().await;
    let service = rest.service();
    let strict = "handling=strict, max-affected=1";
    let answer = service
        .delete("/loans?book_id=eq.1")
        .prefer(strict)
        .refused(400, "PGRST124")
        .await;
    assert_eq!(
        answer.message(),
        "Query result exceeds max-affected preference constraint"
    );
    assert_eq!(answer.details(), "The query affects 2 rows");
    let answer = service
        .get("/loans?book_id=eq.1")
        .prefer("count=exact")
        .send()
        .await;
    assert_eq!(answer.range(), "0-1/2");
    let answer = service
        .patch("/loans?book_id=eq.2", r#"{"due":"2030-01-01"}"#)
        .prefer(strict)
        .expect(204, "")
        .await;
    assert_eq!(
        answer.header("preference-applied"),
        "handling=strict, max-affected=1"
    );

    let object = service
        .patch("/books?author_id=eq.2", r#"{"pages":5}"#)
        .prefer("return=representation")
        .single();
    assert_eq!(
        object.refused(406, "PGRST116").await.details(),
        "The result contains 2 rows"
    );
    service.get("/books?pages=eq.5").expect(200, "[]").await;
    service
        .patch("/books?id=eq.99", r#"{"pages":5}"#)
        .prefer("return=representation")
        .single()
        .refused(406, "PGRST116")
        .await;
}

#[tokio::test]
async fn constraints_speak_as_postgres_does() {
    let rest = Rest::open().await;
    let service = rest.service();
    for (payload, status, code, message, details) in [
        (
            r#"{"title":"Unix 100%"}"#,
            409,
            "23505",
            "duplicate key value violates unique constraint \"books_title_key\"",
            "Key (title)=(Unix 100%) already exists.",
        ),
        (
            r#"{"title":"x","author_id":99}"#,
            409,
            "23503",
            "insert or update on table \"books\" violates foreign key constraint \"books_author_id_fkey\"",
            "Key (author_id)=(99) is not present in table \"authors\".",
        ),
        (
            r#"{"title":"x","price":-1}"#,
            400,
            "23514",
            "new row for relation \"books\" violates check constraint \"books_price_check\"",
            "",
        ),
        (
            r#"{"title":null}"#,
            400,
            "23502",
            "null value in column \"title\" of relation \"books\" violates not-null constraint",
            "",
        ),
    ] {
        let answer = service.post("/books", payload).refused(status, code).await;
        assert_eq!(answer.message(), message);
        if !details.is_empty() {
            assert_eq!(answer.details(), details);
        }
    }
    let answer = service
        .delete("/authors?id=eq.1")
        .refused(409, "23503")
        .await;
    assert!(
        answer
            .message()
            .starts_with("update or delete on table \"authors\" violates foreign key constraint")
    );
}

#[tokio::test]
async fn csv_and_forms_are_inserted_too() {
    let rest = Rest::open().await;
    rest.service()
        .post(
            "/authors?select=name,born",
            "name,born\n\"Comma, Inc.\",2000-01-01\nNone,NULL\n",
        )
        .header("content-type", "text/csv")
        .prefer("return=representation")
        .expect(
            201,
            r#"[{"name":"Comma, Inc.","born":"2000-01-01"},{"name":"None","born":null}]"#,
        )
        .await;
    rest.service()
        .post("/authors?select=id,name", "id=77&name=Form+Er")
        .header("content-type", "application/x-www-form-urlencoded")
        .prefer("return=representation")
        .expect(201, r#"[{"id":77,"name":"Form Er"}]"#)
        .await;
}
