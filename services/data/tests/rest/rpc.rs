//! Functions over REST: which is meant, what is passed, what comes back, what is changed.

use crate::support::{ANNA, BERT, Rest, SCHEMA};
use http::Method;

const FUNCTIONS: &str = include_str!("rpc.sql");

async fn open() -> Rest {
    Rest::with(
        &format!("{SCHEMA}\n{FUNCTIONS}"),
        pando_data::Config::default(),
    )
    .await
}

#[tokio::test]
async fn results_have_the_shapes_of_what_is_returned() {
    let rest = open().await;
    let anon = rest.anon();
    for (path, body) in [
        ("/rpc/add?a=1&b=2", "3"),
        ("/rpc/add?a=1", "11"),
        ("/rpc/shout?word=hey there", "\"HEY THERE\""),
        ("/rpc/nothing_found", "null"),
        ("/rpc/prices", "[12.50,45.00,30.99]"),
        ("/rpc/prices?limit=1&offset=1", "[45.00]"),
        ("/rpc/sum_up?list={1,2,3}", "6"),
        ("/rpc/describe?state=poor", "\"poor\""),
        (
            "/rpc/book?wanted=1&select=id,title",
            r#"{"id":1,"title":"Notes on the Engine"}"#,
        ),
        (
            "/rpc/book?wanted=99&select=id,title",
            r#"{"id":null,"title":null}"#,
        ),
        (
            "/rpc/books_of?writer=2&select=id,price&order=price",
            r#"[{"id":3,"price":30.99},{"id":2,"price":45.00}]"#,
        ),
        (
            "/rpc/lengths?least=16&order=letters.desc",
            r#"[{"title":"Notes on the Engine","letters":19}]"#,
        ),
        ("/rpc/strictly?a=1&b=2", "3"),
        ("/rpc/whose", "null"),
    ] {
        let answer = anon.get(path).send().await;
        assert_eq!((answer.status, &*answer.text), (200, body), "{path}");
        assert_eq!(
            answer.header("content-type"),
            "application/json; charset=utf-8"
        );
    }
    anon.post("/rpc/strictly", r#"{"a": null, "b": 2}"#)
        .expect(200, "null")
        .await;
    anon.post("/rpc/strict_rows", r#"{"a": null}"#)
        .expect(200, "[]")
        .await;
    anon.post("/rpc/strict_rows", r#"{"a": 4}"#)
        .expect(200, "[4,5]")
        .await;
}

#[tokio::test]
async fn rows_are_filtered_ordered_paged_counted_and_embedded() {
    let rest = open().await;
    let anon = rest.anon();
    let path = "/rpc/books_of?writer=2";
    anon.get(&format!("{path}&title=like.C*&select=id"))
        .expect(200, r#"[{"id":2}]"#)
        .await;
    anon.get(&format!(
        "{path}&select=title,authors(name),covers(colour)&order=id&limit=1"
    ))
    .expect(
        200,
        r#"[{"title":"C, the language","authors":{"name":"Brian"},"covers":{"colour":"white"}}]"#,
    )
    .await;
    // A key that is a parameter and a column is both.
    anon.get("/rpc/lengths?least=3&letters=gt.15&select=letters&order=letters")
        .expect(200, r#"[{"letters":19}]"#)
        .await;
    let counted = anon
        .post(
            "/rpc/books_of?select=id&order=id&limit=1",
            r#"{"writer": 2}"#,
        )
        .prefer("count=exact");
    let counted = counted.expect(206, r#"[{"id":2}]"#).await;
    assert_eq!(counted.range(), "0-0/2");
    assert_eq!(counted.header("preference-applied"), "count=exact");
    let head = anon
        .ask(Method::HEAD, path)
        .prefer("count=exact")
        .header("range", "1-1");
    let head = head.expect(206, "").await;
    assert_eq!(head.range(), "1-1/2");
    anon.get(&format!("{path}&offset=5"))
        .prefer("count=exact")
        .refused(416, "PGRST103")
        .await;
    anon.get(&format!("{path}&select=title&order=id"))
        .header("accept", "text/csv")
        .expect(200, "title\n\"C, the language\"\nUnix 100%")
        .await;
    anon.get("/rpc/prices?limit=2")
        .header("accept", "text/csv")
        .expect(200, "pgrst_scalar\n12.50\n45.00")
        .await;
    anon.get(&format!("{path}&id=eq.2&select=id"))
        .single()
        .expect(200, r#"{"id":2}"#)
        .await;
    anon.get(path).single().refused(406, "PGRST116").await;
    anon.get("/rpc/add?a=1").single().expect(200, "11").await;
    anon.get(&format!("{path}&nothing=eq.1"))
        .refused(400, "42703")
        .await;
    anon.get("/rpc/lengths?select=title,books(id)")
        .refused(400, "PGRST200")
        .await;
}

#[tokio::test]
async fn arguments_are_read_by_the_types_of_their_parameters() {
    let rest = open().await;
    let anon = rest.anon();
    anon.post("/rpc/add", r#"{"a": "4", "b": 5}"#)
        .expect(200, "9")
        .await;
    anon.post("/rpc/add", r#"{"b": 5, "a": 4}"#)
        .expect(200, "9")
        .await;
    anon.post("/rpc/sum_up", r#"{"list": [1, 2]}"#)
        .expect(200, "3")
        .await;
    anon.post("/rpc/shout", r#"{"word": 5}"#)
        .expect(200, "\"5\"")
        .await;
    anon.post("/rpc/add?columns=a", r#"{"a": 4, "c": 5}"#)
        .expect(200, "14")
        .await;
    anon.post("/rpc/add", "a=3&b=4")
        .header("content-type", "application/x-www-form-urlencoded")
        .expect(200, "7")
        .await;
    anon.post("/rpc/nothing_found", "")
        .expect(200, "null")
        .await;
    // What looks like a filter is an argument where nothing else can be meant.
    anon.get("/rpc/shout?word=in.the.box")
        .expect(200, "\"IN.THE.BOX\"")
        .await;
    anon.get("/rpc/add?a=x").refused(400, "22P02").await;
    anon.post("/rpc/add", r#"{"a": 3000000000}"#)
        .refused(400, "22003")
        .await;
    anon.post("/rpc/describe", r#"{"state": "odd"}"#)
        .refused(400, "22P02")
        .await;
    anon.post("/rpc/add", r#"{"a": 1"#)
        .refused(400, "PGRST102")
        .await;
    // A single parameter without a name takes the whole body.
    anon.post("/rpc/echo", r#"{"x": [1, null]}"#)
        .expect(200, r#"{"x": [1, null]}"#)
        .await;
    anon.post("/rpc/echo", "[1,2]").expect(200, "[1,2]").await;
    anon.post("/rpc/raw_text", "five!")
        .header("content-type", "text/plain")
        .expect(200, "5")
        .await;
    anon.post("/rpc/raw_bytes", [0_u8, 255].to_vec())
        .header("content-type", "application/octet-stream")
        .expect(200, r#""\\x00ff""#)
        .await;
}

#[tokio::test]
async fn the_names_of_the_arguments_choose_the_function() {
    let rest = open().await;
    let anon = rest.anon();
    anon.get("/rpc/over?a=1").expect(200, "\"int\"").await;
    anon.get("/rpc/over?b=1").expect(200, "\"text\"").await;
    let vague = anon.get("/rpc/vague?a=1").refused(300, "PGRST203").await;
    assert_eq!(
        vague.message(),
        "Could not choose the best candidate function between: public.vague(a => integer, b => integer), public.vague(a => integer, c => text)"
    );
    anon.get("/rpc/vague?a=1&b=2").expect(200, "1").await;
    let missing = anon
        .post("/rpc/ad", r#"{"a": 1}"#)
        .refused(404, "PGRST202")
        .await;
    assert_eq!(
        missing.message(),
        "Could not find the function public.ad(a) in the schema cache"
    );
    assert_eq!(
        missing.details(),
        "Searched for the function public.ad with parameter a or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache."
    );
    assert_eq!(
        missing.hint(),
        "Perhaps you meant to call the function public.add"
    );
    let missing = anon.get("/rpc/add?b=1&c=2").refused(404, "PGRST202").await;
    assert_eq!(
        missing.details(),
        "Searched for the function public.add with parameters b, c, but no matches were found in the schema cache."
    );
    assert_eq!(
        missing.hint(),
        "Perhaps you meant to call the function public.add(a, b)"
    );
    let missing = anon.get("/rpc/secret").refused(404, "PGRST202").await;
    assert_eq!(
        missing.message(),
        "Could not find the function public.secret without parameters in the schema cache"
    );
    let config = pando_data::Config {
        schemas: vec!["public".to_owned(), "inner_things".to_owned()],
        ..pando_data::Config::default()
    };
    let rest = Rest::with(&format!("{SCHEMA}\n{FUNCTIONS}"), config).await;
    rest.anon()
        .get("/rpc/secret")
        .header("accept-profile", "inner_things")
        .expect(200, "1")
        .await;
    rest.anon()
        .post("/rpc/secret", "{}")
        .header("content-profile", "inner_things")
        .expect(200, "1")
        .await;
}

#[tokio::test]
async fn a_function_sees_what_its_caller_or_its_owner_sees() {
    let rest = open().await;
    rest.anon().get("/rpc/seen").expect(200, "1").await;
    rest.user(ANNA).get("/rpc/seen").expect(200, "2").await;
    rest.anon().get("/rpc/all_of_them").expect(200, "3").await;
    rest.user(BERT)
        .get("/rpc/whose")
        .expect(200, &format!("\"{BERT}\""))
        .await;
}

#[tokio::test]
async fn who_may_not_execute_a_function_is_told() {
    let rest = open().await;
    let refused = rest
        .user(ANNA)
        .get("/rpc/sealed")
        .refused(403, "42501")
        .await;
    assert_eq!(refused.message(), "permission denied for function sealed");
    rest.anon()
        .post("/rpc/sealed", "{}")
        .refused(401, "42501")
        .await;
}

#[tokio::test]
async fn triggers_know_who_called_the_function() {
    let rest = open().await;
    let (anna, bert) = (rest.user(ANNA), rest.user(BERT));
    anna.post(
        "/rpc/write_note?select=id",
        r#"{"note_id": 10, "note": "x"}"#,
    )
    .expect(200, r#"[{"id":10}]"#)
    .await;
    bert.post("/rpc/write_and_count", r#"{"first": 20}"#)
        .expect(200, "4")
        .await;
    rest.service()
        .get("/note_log?select=note_id,who&order=id")
        .expect(
            200,
            &format!(
                r#"[{{"note_id":10,"who":"{ANNA}"}},{{"note_id":20,"who":"{BERT}"}},{{"note_id":21,"who":"{BERT}"}}]"#
            ),
        )
        .await;
    let refused = anna
        .post("/rpc/link", r#"{"note": 99}"#)
        .refused(409, "23503")
        .await;
    assert_eq!(
        refused.message(),
        "insert or update on table \"note_links\" violates foreign key constraint \"note_links_note_id_fkey\""
    );
}

#[tokio::test]
async fn functions_change_rows_under_the_policies() {
    let rest = open().await;
    let anna = rest.user(ANNA);
    anna.post(
        "/rpc/write_note?select=id,body,public",
        r#"{"note_id": 10, "note": "ten"}"#,
    )
    .expect(200, r#"[{"id":10,"body":"ten","public":false}]"#)
    .await;
    anna.post("/rpc/write_two", r#"{"first": 11}"#)
        .expect(200, "5")
        .await;
    anna.post(
        "/rpc/rename_note?select=id,body,note_links(url)",
        r#"{"note_id": 1, "note": "one"}"#,
    )
    .expect(200, r#"{"id":1,"body":"one","note_links":[{"url":"a"}]}"#)
    .await;
    anna.post(
        "/rpc/rename_note?select=id",
        r#"{"note_id": 99, "note": "x"}"#,
    )
    .expect(200, r#"{"id":null}"#)
    .await;
    anna.post("/rpc/strict_write", r#"{"note_id": 30, "note": null}"#)
        .expect(200, "null")
        .await;
    let gone = anna
        .post("/rpc/forget", r#"{"note_id": 11}"#)
        .expect(204, "")
        .await;
    assert_eq!(gone.header("content-type"), "");
    // Another's note is not there to be forgotten, and what is not allowed undoes all of it.
    anna.post("/rpc/forget", r#"{"note_id": 3}"#)
        .expect(204, "")
        .await;
    rest.anon()
        .post("/rpc/write_two", r#"{"first": 40}"#)
        .refused(401, "42501")
        .await;
    anna.post("/rpc/write_two", r#"{"first": 9}"#)
        .refused(409, "23505")
        .await;
    rest.service()
        .get("/notes?select=id&order=id")
        .expect(200, r#"[{"id":1},{"id":2},{"id":3},{"id":10},{"id":12}]"#)
        .await;
    rest.anon()
        .post("/rpc/touch_all", "{}")
        .expect(200, "1")
        .await;
    rest.anon()
        .get("/notes?select=id&order=id&limit=2")
        .prefer("count=exact")
        .expect(206, r#"[{"id":1},{"id":2}]"#)
        .await;
}

#[tokio::test]
async fn rows_of_changes_keep_their_types_and_take_filters() {
    let rest = open().await;
    let service = rest.service();
    service
        .post("/rpc/loans_made", r#"{"book": 1}"#)
        .expect(200, "[12.50]")
        .await;
    let fresh = service.post("/rpc/fresh", "{}").send().await.json();
    assert_eq!(fresh[0]["id"], fresh[0]["name"]);
    // A filter is on what came of the change, not on what is changed.
    let anna = rest.user(ANNA);
    anna.post(
        "/rpc/write_note?body=eq.a&select=id",
        r#"{"note_id": 50, "note": "b"}"#,
    )
    .prefer("count=exact")
    .expect(200, "[]")
    .await;
    anna.get("/notes?id=eq.50&select=body")
        .expect(200, r#"[{"body":"b"}]"#)
        .await;
    // One row was wanted, and another number undoes the change.
    service
        .post("/rpc/loans_made", r#"{"book": 99}"#)
        .single()
        .refused(406, "PGRST116")
        .await;
}

#[tokio::test]
async fn a_bound_on_rows_undoes_what_exceeds_it() {
    let rest = open().await;
    let anna = rest.user(ANNA);
    anna.post("/rpc/write_note", r#"{"note_id": 60, "note": "x"}"#)
        .prefer("handling=strict, max-affected=0")
        .refused(400, "PGRST124")
        .await;
    anna.post(
        "/rpc/write_note?body=eq.y",
        r#"{"note_id": 60, "note": "x"}"#,
    )
    .single()
    .refused(406, "PGRST116")
    .await;
    anna.get("/notes?id=eq.60").expect(200, "[]").await;
    anna.post("/rpc/rename_note", r#"{"note_id": 1, "note": "x"}"#)
        .prefer("handling=strict, max-affected=5")
        .refused(400, "PGRST128")
        .await;
}

#[tokio::test]
async fn reading_methods_change_nothing() {
    let rest = open().await;
    let anna = rest.user(ANNA);
    let refused = anna
        .get("/rpc/write_note?note_id=70&note=x")
        .refused(405, "25006")
        .await;
    assert_eq!(
        refused.message(),
        "cannot execute INSERT in a read-only transaction"
    );
    let head = anna.ask(Method::HEAD, "/rpc/forget?note_id=1").send().await;
    assert_eq!(head.status, 405);
    anna.get("/notes?id=eq.1&select=id")
        .expect(200, r#"[{"id":1}]"#)
        .await;
}

#[tokio::test]
async fn functions_stand_in_the_description() {
    let rest = open().await;
    let document = rest.service().get("/").send().await.json();
    let add = &document["paths"]["/rpc/add"];
    assert_eq!(
        add["post"]["parameters"][0]["schema"]["required"],
        serde_json::json!(["a"])
    );
    assert_eq!(add["get"]["parameters"][1]["format"], "integer");
    assert!(document["paths"]["/rpc/forget"]["get"].is_null());
    assert!(document["paths"]["/rpc/secret"].is_null());
}
