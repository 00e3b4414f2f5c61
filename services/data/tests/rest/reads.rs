//! Reading one table: what is selected, filtered, ordered, paged and counted, and how it is written.

use crate::support::Rest;
use http::Method;

#[tokio::test]
async fn select_names_casts_renames_and_reaches_into_json() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    for (path, body) in [
        (
            "/authors?id=eq.1",
            r#"[{"id":1,"name":"Ada","born":"1815-12-10","mentor_id":null}]"#,
        ),
        ("/authors?id=eq.1&select=name", r#"[{"name":"Ada"}]"#),
        (
            "/authors?id=eq.1&select=who:name,id",
            r#"[{"who":"Ada","id":1}]"#,
        ),
        (
            "/books?id=eq.1&select=id::text,price,weight,in_print,state",
            r#"[{"id":"1","price":12.50,"weight":0.5,"in_print":true,"state":"new"}]"#,
        ),
        (
            "/books?id=eq.2&select=weight,tags",
            r#"[{"weight":1,"tags":["code"]}]"#,
        ),
        ("/books?id=eq.1&select=data->>isbn", r#"[{"isbn":"111"}]"#),
        ("/books?id=eq.1&select=data->dims->w", r#"[{"w":10}]"#),
        (
            "/books?id=eq.1&select=lang:data->langs->>-1",
            r#"[{"lang":"fr"}]"#,
        ),
        ("/books?id=eq.1&select=data->missing->x", r#"[{"x":null}]"#),
        (
            "/books?id=eq.1&select=added_at",
            r#"[{"added_at":"2024-01-01T00:00:00+00:00"}]"#,
        ),
        (
            "/books?id=eq.1&select=id,title,id",
            r#"[{"id":1,"title":"Notes on the Engine","id":1}]"#,
        ),
        ("/books?id=eq.99", "[]"),
    ] {
        anon.get(path).expect(200, body).await;
    }
    let answer = anon.get("/books?id=eq.1&select=data").send().await;
    assert_eq!(
        answer.text,
        r#"[{"data":{"dims": {"h": 20, "w": 10}, "isbn": "111", "langs": ["en", "fr"]}}]"#
    );
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
}

#[tokio::test]
async fn filters_choose_rows() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    for (filter, ids) in [
        ("id=eq.2", "2"),
        ("id=neq.2", "1 3 4"),
        ("id=gt.2", "3 4"),
        ("id=gte.2&id=lt.4", "2 3"),
        ("id=in.(1,3,77)", "1 3"),
        ("id=not.in.(1,3)", "2 4"),
        ("id=in.()", ""),
        ("id=eq(any).{1,4}", "1 4"),
        ("id=gt(all).{1,3}", "4"),
        ("title=like.*the*", "1 2"),
        ("title=like.c*", ""),
        ("title=ilike.c*", "2"),
        ("title=not.ilike.*e*", "3"),
        (r"title=like.*100\%", "3"),
        ("title=match.^C", "2"),
        ("title=imatch.^n", "1"),
        (r#"title=in.("C, the language",x)"#, "2"),
        ("title=eq.C, the language", "2"),
        ("author_id=is.null", "4"),
        ("author_id=not.is.null", "1 2 3"),
        ("author_id=is.not_null", "1 2 3"),
        ("author_id=isdistinct.2", "1 4"),
        ("in_print=is.true", "1 2 4"),
        ("in_print=is.false", "3"),
        ("in_print=eq.false", "3"),
        ("price=gt.12.5", "2 3"),
        ("price=eq.12.5", "1"),
        ("price=gt.9", "1 2 3"),
        ("weight=lte.0.5", "1 4"),
        ("state=eq.good", "2 4"),
        ("state=gte.good", "1 2 4"),
        ("tags=cs.{code}", "2 3"),
        ("tags=cd.{code,history}", "2 3 4"),
        ("tags=ov.{maths,code}", "1 2 3"),
        ("data=cs.{\"dims\":{\"w\":15}}", "2"),
        ("data->>isbn=eq.111", "1"),
        ("data->dims->w=eq.15", "2"),
        ("data->>isbn=is.null", "3 4"),
        ("added_at=gte.2024-01-01", "1 2 3 4"),
        ("added_at=lt.2024-01-01T00:00:00%2B00:00", ""),
        ("or=(id.eq.1,title.like.Unix*)", "1 3"),
        ("and=(id.gt.1,or(state.eq.poor,pages.gt.100))", "2 3"),
        ("not.or=(id.eq.1,id.eq.2)", "3 4"),
        ("or=(id.eq.1,not.and(in_print.is.true,id.gt.0))", "1 3"),
        ("or=(pages.is.null,id.in.(1,2))&id=lt.3", "1 2"),
    ] {
        let answer = anon
            .get(&format!("/books?select=id&order=id&{filter}"))
            .send()
            .await;
        assert_eq!(answer.status, 200, "{filter}: {}", answer.text);
        let rows = answer.json();
        let found: Vec<String> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].to_string())
            .collect();
        assert_eq!(found.join(" "), ids, "{filter}");
    }
}

#[tokio::test]
async fn orders_follow_types_and_nulls_sort_highest() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    for (order, ids) in [
        ("price", "1 3 2 4"),
        ("price.desc", "4 2 3 1"),
        ("price.desc.nullslast", "2 3 1 4"),
        ("price.nullsfirst", "4 1 3 2"),
        ("state.desc,id.desc", "1 4 2 3"),
        ("in_print,title.desc", "3 1 2 4"),
        ("data->dims->>h.desc.nullslast,id", "2 1 3 4"),
        ("data->>isbn.nullsfirst,id", "3 4 1 2"),
        ("data->dims->h.desc.nullslast,id", "2 1 3 4"),
    ] {
        let answer = anon
            .get(&format!("/books?select=id&order={order}"))
            .send()
            .await;
        assert_eq!(answer.status, 200, "{order}: {}", answer.text);
        let rows = answer.json();
        let found: Vec<String> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].to_string())
            .collect();
        assert_eq!(found.join(" "), ids, "{order}");
    }
}

#[tokio::test]
async fn pages_say_what_part_of_the_whole_they_are() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    let page = async |query: &str, range: Option<&str>, prefer: &str| {
        let mut ask = anon
            .get(&format!("/books?select=id&order=id{query}"))
            .prefer(prefer);
        if let Some(range) = range {
            ask = ask.header("range-unit", "items").header("range", range);
        }
        let answer = ask.send().await;
        (answer.status, answer.range().to_owned(), answer.text)
    };
    let two = r#"[{"id":1},{"id":2}]"#.to_owned();
    assert_eq!(
        page("&limit=2", None, "").await,
        (200, "0-1/*".to_owned(), two.clone())
    );
    assert_eq!(
        page("&limit=2", None, "count=exact").await,
        (206, "0-1/4".to_owned(), two.clone())
    );
    assert_eq!(
        page("", Some("0-1"), "count=exact").await,
        (206, "0-1/4".to_owned(), two)
    );
    let last = r#"[{"id":4}]"#.to_owned();
    assert_eq!(
        page("&limit=2&offset=3", None, "count=exact").await,
        (206, "3-3/4".to_owned(), last.clone())
    );
    assert_eq!(
        page("", Some("3-"), "count=planned").await,
        (206, "3-3/4".to_owned(), last)
    );
    assert_eq!(
        page("&limit=0", None, "").await,
        (200, "*/*".to_owned(), "[]".to_owned())
    );
    assert_eq!(
        page("&offset=4", None, "count=exact").await,
        (206, "*/4".to_owned(), "[]".to_owned())
    );
    assert_eq!(page("&id=gt.2", None, "count=exact").await.1, "0-1/2");
    assert_eq!(
        page("&id=eq.99", None, "count=exact").await,
        (200, "*/0".to_owned(), "[]".to_owned())
    );

    let answer = anon
        .get("/books?offset=5")
        .prefer("count=exact")
        .refused(416, "PGRST103")
        .await;
    assert_eq!(
        answer.details(),
        "An offset of 5 was requested, but there are only 4 rows."
    );
    anon.get("/books")
        .header("range", "9-3")
        .refused(416, "PGRST103")
        .await;
    anon.get("/books?limit=-1").refused(416, "PGRST103").await;
    let answer = anon
        .get("/books?limit=1")
        .prefer("count=exact")
        .send()
        .await;
    assert_eq!(answer.header("preference-applied"), "count=exact");
}

#[tokio::test]
async fn a_page_never_holds_more_than_the_bound() {
    let mut config = pando_data::Config::default();
    config.limits.page_rows_max = 2;
    let rest = Rest::with(include_str!("schema.sql"), config).await;
    let answer = rest
        .anon()
        .get("/books?select=id&order=id")
        .prefer("count=exact")
        .send()
        .await;
    assert_eq!((answer.status, answer.range()), (206, "0-1/4"));
    let answer = rest
        .anon()
        .get("/books?select=id&order=id&limit=3")
        .send()
        .await;
    assert_eq!(answer.range(), "0-1/*");
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let rest = Rest::open().await;
    let answer = rest
        .anon()
        .ask(Method::HEAD, "/books?select=*&id=lt.4")
        .prefer("count=exact")
        .send()
        .await;
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(
        (answer.status, answer.range(), answer.text.as_str()),
        (200, "0-2/3", "")
    );
}

#[tokio::test]
async fn answers_come_in_the_form_asked_for() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    let answer = anon
        .get("/authors?id=eq.1&select=id,born")
        .single()
        .expect(200, r#"{"id":1,"born":"1815-12-10"}"#)
        .await;
    assert_eq!(
        answer.header("content-type"),
        "application/vnd.pgrst.object+json; charset=utf-8"
    );
    let answer = anon
        .get("/authors?id=eq.99")
        .single()
        .refused(406, "PGRST116")
        .await;
    assert_eq!(
        answer.text,
        r#"{"code":"PGRST116","details":"The result contains 0 rows","hint":null,"message":"Cannot coerce the result to a single JSON object"}"#
    );
    assert_eq!(
        anon.get("/authors")
            .single()
            .refused(406, "PGRST116")
            .await
            .details(),
        "The result contains 3 rows"
    );
    let stripped = "application/vnd.pgrst.object+json;nulls=stripped";
    anon.get("/authors?id=eq.3")
        .header("accept", stripped)
        .expect(200, r#"{"id":3,"name":"Nobody","mentor_id":1}"#)
        .await;
    let csv = "id,title,price,in_print\n2,\"C, the language\",45.00,t\n3,Unix 100%,30.99,f\n4,Anonymous tales,,t";
    let answer = anon
        .get("/books?select=id,title,price,in_print&id=gt.1&order=id")
        .header("accept", "text/csv")
        .expect(200, csv)
        .await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    anon.get("/books")
        .header("accept", "image/png")
        .refused(406, "PGRST107")
        .await;
}

#[tokio::test]
async fn the_root_describes_the_exposed_tables() {
    let rest = Rest::open().await;
    let document = rest.service().get("/").send().await.json();
    assert_eq!(document["swagger"], "2.0");
    assert_eq!(
        document["definitions"]["books"]["properties"]["price"]["type"],
        "number"
    );
    assert_eq!(
        document["definitions"]["books"]["properties"]["state"]["enum"][0],
        "poor"
    );
    assert_eq!(
        document["definitions"]["authors"]["required"],
        serde_json::json!(["name"])
    );
    assert!(document["definitions"].get("unprotected").is_none());
    assert!(document["paths"]["/books"]["get"].is_object());
}

#[tokio::test]
async fn functions_are_told_to_be_missing() {
    let rest = Rest::open().await;
    let answer = rest
        .anon()
        .post("/rpc/add_them", "{}")
        .refused(404, "PGRST202")
        .await;
    assert_eq!(
        answer.message(),
        "Could not find the function public.add_them without parameters in the schema cache"
    );
}
