//! What is wrong is refused clearly, and never becomes SQL.

use crate::support::Rest;

/// Texts that end strings, statements and comments in SQL, JSON and LIKE.
const SPELLS: [&str; 10] = [
    "'; drop table books; --",
    "\" or 1=1 --",
    "x') or ('1'='1",
    "%' or '%'='",
    "\\'; delete from books; --",
    "1; attach database '/tmp/x' as y",
    "?1",
    ":a @b $c",
    "/* */ union select * from \"auth.users\"",
    "\u{202e}'☕",
];

#[tokio::test]
async fn sql_in_every_string_stays_text() {
    let rest = Rest::open().await;
    let service = rest.service();
    for spell in SPELLS {
        let quoted = spell.replace('\\', "\\\\").replace('"', "\\\"");
        let encoded: String = spell.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let encoded_quoted: String = format!("\"{quoted}\"")
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();

        // As a value, in every place a value may stand.
        for query in [
            format!("title=eq.{encoded}"),
            format!("title=in.({encoded_quoted})"),
            format!("or=(title.eq.{encoded_quoted},id.eq.99)"),
            format!("title=like.{encoded}"),
            format!("data->>{encoded_quoted}=eq.{encoded}"),
        ] {
            let answer = service
                .get(&format!("/books?select=id&{query}"))
                .send()
                .await;
            assert!(
                answer.text == "[]" || answer.status == 400,
                "{query}: {answer:?}"
            );
        }
        // As a name, where there is none such.
        for query in [
            format!("select={encoded_quoted}"),
            format!("select=id:{encoded_quoted}"),
            format!("order={encoded_quoted}"),
            format!("{encoded_quoted}=eq.1"),
            format!("select=id::{encoded_quoted}"),
            format!("select={encoded_quoted}(id)"),
            format!("select=authors!{encoded_quoted}(id)"),
        ] {
            let answer = service.get(&format!("/books?{query}")).send().await;
            assert_eq!(answer.status, 400, "{query}: {answer:?}");
        }
        service
            .get(&format!("/{encoded}"))
            .refused(404, "PGRST205")
            .await;
        // As the key of an answer, which is the client's to choose.
        let answer = service
            .get(&format!("/books?id=eq.1&select={encoded_quoted}:id"))
            .send()
            .await;
        assert_eq!(answer.json(), serde_json::json!([{ spell: 1 }]), "{spell}");
        // As a stored value, which comes back as it was.
        let payload =
            serde_json::json!({"title": spell, "data": {spell: [spell]}, "tags": [spell]})
                .to_string();
        let answer = service
            .post("/books?select=title,data,tags", payload.clone())
            .prefer("return=representation")
            .single()
            .send()
            .await;
        assert_eq!(answer.status, 201, "{spell}: {answer:?}");
        assert_eq!(
            answer.json(),
            serde_json::from_str::<serde_json::Value>(&payload).unwrap(),
            "{spell}"
        );
        service
            .delete(&format!("/books?title=eq.{encoded}"))
            .expect(204, "")
            .await;
        // As a column of a payload.
        let payload = serde_json::json!({ spell: 1 }).to_string();
        service
            .post("/books", payload.clone())
            .refused(400, "PGRST204")
            .await;
        service
            .patch("/books?id=eq.1", payload)
            .refused(400, "PGRST204")
            .await;
        service
            .post(&format!("/books?columns={encoded_quoted}"), "[]")
            .refused(400, "PGRST204")
            .await;
        service
            .post(
                &format!("/books?on_conflict={encoded_quoted}"),
                r#"{"title":"x"}"#,
            )
            .prefer("resolution=merge-duplicates")
            .send()
            .await;
    }
    let answer = service
        .get("/books?select=id")
        .prefer("count=exact")
        .send()
        .await;
    assert_eq!(
        answer.range(),
        "0-3/4",
        "the books are all there, and no other"
    );
}

#[tokio::test]
async fn unknown_names_get_the_near_miss() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    let answer = anon.get("/boks").refused(404, "PGRST205").await;
    assert_eq!(
        answer.message(),
        "Could not find the table 'public.boks' in the schema cache"
    );
    assert_eq!(answer.hint(), "Perhaps you meant the table 'public.books'");
    let answer = anon.get("/books?select=titel").refused(400, "42703").await;
    assert_eq!(answer.message(), "column books.titel does not exist");
    assert_eq!(
        answer.hint(),
        "Perhaps you meant to reference the column \"books.title\"."
    );
    anon.get("/books?titel=eq.x").refused(400, "42703").await;
    anon.get("/books?order=titel").refused(400, "42703").await;
    anon.get("/books?or=(titel.eq.x,id.eq.1)")
        .refused(400, "42703")
        .await;
    let answer = rest
        .service()
        .post("/books", r#"{"titel":"x"}"#)
        .refused(400, "PGRST204")
        .await;
    assert_eq!(
        answer.message(),
        "Could not find the 'titel' column of 'books' in the schema cache"
    );
    rest.service()
        .post("/books?columns=title,titel", r#"[{"title":"x"}]"#)
        .refused(400, "PGRST204")
        .await;
}

#[tokio::test]
async fn values_of_the_wrong_type_are_refused_as_postgres_refuses_them() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    for (query, code, message) in [
        (
            "id=eq.abc",
            "22P02",
            "invalid input syntax for type bigint: \"abc\"",
        ),
        (
            "id=eq.99999999999999999999",
            "22003",
            "value \"99999999999999999999\" is out of range for type bigint",
        ),
        (
            "id=in.(1,x)",
            "22P02",
            "invalid input syntax for type bigint: \"x\"",
        ),
        (
            "price=gt.cheap",
            "22P02",
            "invalid input syntax for type numeric: \"cheap\"",
        ),
        (
            "in_print=eq.perhaps",
            "22P02",
            "invalid input syntax for type boolean: \"perhaps\"",
        ),
        (
            "added_at=gt.yesterdayish",
            "22007",
            "invalid input syntax for type timestamp with time zone: \"yesterdayish\"",
        ),
        (
            "state=eq.mouldy",
            "22P02",
            "invalid input value for enum condition: \"mouldy\"",
        ),
        ("tags=cs.{a", "22P02", "malformed array literal: \"{a\""),
    ] {
        let answer = anon
            .get(&format!("/books?{query}"))
            .refused(400, code)
            .await;
        assert_eq!(answer.message(), message, "{query}");
    }
    anon.get("/readers?id=eq.nonsense")
        .refused(400, "22P02")
        .await;
    let service = rest.service();
    for (payload, code) in [
        (r#"{"title":"x","pages":"many"}"#, "22P02"),
        (r#"{"title":"x","pages":3000000000}"#, "22003"),
        (r#"{"title":"x","pages":1.5}"#, "22P02"),
        (r#"{"title":"x","price":123456789012}"#, "22003"),
        (r#"{"title":"x","state":"mouldy"}"#, "22P02"),
        (r#"{"title":"x","added_at":"soon"}"#, "22007"),
        (r#"{"title":"x","tags":"{a"}"#, "22P02"),
        (r#"{"title":"x","in_print":2}"#, "22P02"),
    ] {
        let answer = service.post("/books", payload).send().await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (400, &code.into()),
            "{payload}: {}",
            answer.text
        );
    }
    service
        .post("/notes", r#"{"id":9,"user_id":null,"body":"x"}"#)
        .refused(400, "23502")
        .await;
    service
        .post("/notes", r#"{"id":9,"body":"x","kind":"longer"}"#)
        .refused(400, "22001")
        .await;
}

#[tokio::test]
async fn bodies_that_are_no_rows_are_refused() {
    let rest = Rest::open().await;
    let service = rest.service();
    for body in [
        "",
        "{",
        "[1]",
        "\"x\"",
        "null",
        "{\"title\":}",
        "[{\"title\":\"a\"},{\"pages\":1}]",
        "{\"title\":\"x\"} trailing",
    ] {
        service.post("/books", body).refused(400, "PGRST102").await;
        service
            .patch("/books?id=eq.1", body)
            .refused(400, "PGRST102")
            .await;
    }
    service
        .post("/books", b"{\"title\":\"\xff\xfe\"}".to_vec())
        .refused(400, "PGRST102")
        .await;
    service
        .post("/books", "{}")
        .header("content-type", "application/xml")
        .refused(400, "PGRST102")
        .await;
    service
        .patch("/books?id=eq.1", r#"[{"pages":1},{"pages":2}]"#)
        .refused(400, "PGRST102")
        .await;
    let deep = format!(
        "{{\"title\":\"x\",\"data\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    service.post("/books", deep).refused(400, "54000").await;
    let answer = service
        .post("/books", r#"{"title":"a\u0000b"}"#)
        .send()
        .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.json()["code"].as_str().unwrap().starts_with("22"),
        "{}",
        answer.text
    );
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(11 << 20));
    service.post("/books", large).refused(413, "54000").await;
}

#[tokio::test]
async fn queries_that_cannot_be_read_are_refused() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    for query in [
        "id=5",
        "id=eqq.5",
        "select=id,,title",
        "select=authors(id",
        "or=(id.eq.1",
        "order=id.sideways",
        "limit=x",
        "id=eq.%FF",
    ] {
        let answer = anon
            .get(&format!("/books?{query}"))
            .refused(400, "PGRST100")
            .await;
        assert_eq!(answer.header("proxy-status"), "PostgREST; error=PGRST100");
    }
    anon.get("/books?id=eq.1%00").refused(400, "22021").await;
    anon.get("/books?title=adj.[1,2]")
        .refused(400, "PGRST127")
        .await;
    anon.get("/books?select=pages.sum()")
        .refused(400, "PGRST123")
        .await;
    let nested = format!("/books?select={}id{}", "authors(".repeat(9), ")".repeat(9));
    anon.get(&nested).refused(400, "PGRST100").await;
    anon.get("/books")
        .prefer("handling=strict, nonsense")
        .refused(400, "PGRST122")
        .await;
    anon.get("/books?title=match.(((")
        .refused(400, "2201B")
        .await;
}

#[tokio::test]
async fn long_lists_and_wide_filters_are_answered_or_refused() {
    let rest = Rest::open().await;
    let ids: Vec<String> = (1..=5_000).map(|id| id.to_string()).collect();
    let answer = rest
        .anon()
        .get(&format!("/books?select=id&id=in.({})", ids.join(",")))
        .send()
        .await;
    assert_eq!((answer.status, answer.range()), (200, "0-3/*"));
    let filters: Vec<String> = (0..400).map(|n| format!("id.eq.{n}")).collect();
    let answer = rest
        .anon()
        .get(&format!("/books?select=id&or=({})", filters.join(",")))
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    rest.anon()
        .get(&format!("/books?{}", vec!["id=gt.0"; 600].join("&")))
        .refused(400, "PGRST100")
        .await;
}
