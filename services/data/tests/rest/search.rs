//! Text search in columns, and in functions and policies.

use crate::support::{Rest, SCHEMA};

const ARTICLES: &str = "
    create table articles (id int primary key, title text, body varchar(200), data jsonb, readers int);
    create policy anyone_reads on articles for select using (true);
    insert into articles (id, title, body, data) values
      (1, 'The fat cats', 'sat on the mats, quietly', '{\"tag\": \"Pets and mats\"}'),
      (2, 'Running a well-known café', 'Mail me.you@example.com about rats', null),
      (3, null, 'nothing of the kind', null);
    create function found(words text) returns setof articles language sql stable as $$
      select * from articles where to_tsvector('english', coalesce(title, '') || ' ' || body) @@ websearch_to_tsquery('english', words)
    $$;
    create function plain(words text) returns bigint language sql stable as $$
      select count(*) from articles where title @@ plainto_tsquery(words)
    $$;
";

async fn open() -> Rest {
    Rest::with(
        &format!("{SCHEMA}\n{ARTICLES}"),
        pando_data::Config::default(),
    )
    .await
}

#[tokio::test]
async fn texts_are_searched_by_their_words() {
    let rest = open().await;
    let anon = rest.anon();
    for (filter, ids) in [
        ("title=fts.cat", "1"),
        ("title=fts.cat|run", "1,2"),
        ("title=fts(simple).cat", ""),
        ("title=fts(simple).cats", "1"),
        ("title=not.fts.cat", "2"),
        ("title=plfts(english).the fat cat", "1"),
        ("title=phfts(pg_catalog.english).cats fat", ""),
        ("title=phfts.fat cats", "1"),
        ("body=wfts.rat or \"sat on the mat\"", "1,2"),
        ("body=wfts.sat -quietly", ""),
        ("title=fts.kn:*", "2"),
        ("title=wfts.cafe", ""),
        ("title=wfts.caf\u{e9}", "2"),
        ("body=fts.me.you@example.com", "2"),
        ("body=wfts.the", ""),
        ("body=wfts.", ""),
        ("data->>tag=fts.pet", "1"),
        (
            "or=(title.fts.cat,title.wfts(english).\"well-known cafes\")",
            "1",
        ),
        ("and=(title.plfts.fat,body.phfts.sat on)", "1"),
    ] {
        let answer = anon
            .get(&format!("/articles?select=id&order=id&{filter}"))
            .send()
            .await;
        let expected: Vec<String> = ids
            .split(',')
            .filter(|id| !id.is_empty())
            .map(|id| format!("{{\"id\":{id}}}"))
            .collect();
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (200, &*format!("[{}]", expected.join(","))),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn functions_search_too() {
    let rest = open().await;
    let anon = rest.anon();
    anon.get("/rpc/found?words=mat cat&select=id")
        .expect(200, r#"[{"id":1}]"#)
        .await;
    anon.post("/rpc/plain", r#"{"words": "known"}"#)
        .expect(200, "1")
        .await;
}

#[tokio::test]
async fn what_can_not_be_searched_is_told() {
    let rest = open().await;
    let anon = rest.anon();
    let refused = anon
        .get("/articles?title=fts.fat cats")
        .refused(400, "42601")
        .await;
    assert_eq!(refused.message(), "syntax error in tsquery: \"fat cats\"");
    let refused = anon
        .get("/articles?title=fts(klingon).cat")
        .refused(400, "42704")
        .await;
    assert_eq!(
        refused.message(),
        "text search configuration \"klingon\" does not exist"
    );
    anon.get("/articles?title=fts(german).cat")
        .refused(400, "0A000")
        .await;
    anon.get("/articles?readers=fts.cat")
        .refused(404, "42883")
        .await;
    anon.get("/articles?data=fts.cat")
        .refused(400, "0A000")
        .await;
    anon.get("/articles?title=fts(english.cat")
        .refused(400, "PGRST100")
        .await;
}
