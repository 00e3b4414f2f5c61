//! Embedded resources in both directions, through junctions, filtered, ordered and spread.

use crate::support::Rest;

#[tokio::test]
async fn relationships_are_found_in_every_direction() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    for (path, body) in [
        (
            "/books?id=eq.1&select=title,authors(name)",
            r#"[{"title":"Notes on the Engine","authors":{"name":"Ada"}}]"#,
        ),
        (
            "/books?id=eq.4&select=id,authors(name)",
            r#"[{"id":4,"authors":null}]"#,
        ),
        (
            "/books?id=eq.1&select=id,by:author_id(name)",
            r#"[{"id":1,"by":{"name":"Ada"}}]"#,
        ),
        (
            "/books?id=eq.1&select=id,by:books_author_id_fkey(name)",
            r#"[{"id":1,"by":{"name":"Ada"}}]"#,
        ),
        (
            "/authors?select=name,books(id)&order=id&books.order=id",
            r#"[{"name":"Ada","books":[{"id":1}]},{"name":"Brian","books":[{"id":2},{"id":3}]},{"name":"Nobody","books":[]}]"#,
        ),
        (
            "/books?id=eq.1&select=id,readers(name)&readers.order=name",
            r#"[{"id":1,"readers":[{"name":"Rita"},{"name":"Sam"}]}]"#,
        ),
        (
            "/readers?select=name,books(id)&order=name&books.order=id",
            r#"[{"name":"Rita","books":[{"id":1},{"id":2}]},{"name":"Sam","books":[{"id":1}]}]"#,
        ),
        (
            "/books?select=id,covers(colour)&id=in.(1,3)&order=id",
            r#"[{"id":1,"covers":{"colour":"red"}},{"id":3,"covers":null}]"#,
        ),
        (
            "/authors?id=eq.2&select=name,mentor:mentor_id(name)",
            r#"[{"name":"Brian","mentor":{"name":"Ada"}}]"#,
        ),
        (
            "/authors?id=eq.1&select=books(title,loans(due,readers(name)))&books.loans.order=due",
            r#"[{"books":[{"title":"Notes on the Engine","loans":[{"due":"2024-02-01","readers":{"name":"Rita"}},{"due":"2024-03-01","readers":{"name":"Sam"}}]}]}]"#,
        ),
        (
            "/books?id=eq.1&select=price,covers(*)",
            r#"[{"price":12.50,"covers":{"book_id":1,"colour":"red"}}]"#,
        ),
        (
            "/authors?id=eq.2&select=books(price,weight,in_print,tags,data)&books.id=eq.2",
            r#"[{"books":[{"price":45.00,"weight":1,"in_print":true,"tags":["code"],"data":{"dims": {"h": 23, "w": 15}, "isbn": "222", "langs": ["en"]}}]}]"#,
        ),
    ] {
        let answer = anon.get(path).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let expected: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(answer.json(), expected, "{path}");
    }
    // Numbers keep their digits inside embedded resources too.
    let answer = anon
        .get("/authors?id=eq.2&select=books(price)&books.order=id")
        .send()
        .await;
    assert!(answer.text.contains("45.00"), "{}", answer.text);
}

#[tokio::test]
async fn embedded_levels_are_filtered_ordered_and_paged_by_themselves() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    for (path, body) in [
        (
            "/authors?id=eq.2&select=books(id)&books.price=gt.40",
            r#"[{"books":[{"id":2}]}]"#,
        ),
        (
            "/authors?id=eq.2&select=books(id)&books.order=price.asc&books.limit=1",
            r#"[{"books":[{"id":3}]}]"#,
        ),
        (
            "/authors?id=eq.2&select=books(id)&books.order=id&books.offset=1",
            r#"[{"books":[{"id":3}]}]"#,
        ),
        (
            "/authors?id=eq.2&select=books(id)&books.or=(id.eq.2,id.eq.9)",
            r#"[{"books":[{"id":2}]}]"#,
        ),
        (
            "/authors?select=id,b:books(id)&b.id=eq.1&order=id",
            r#"[{"id":1,"b":[{"id":1}]},{"id":2,"b":[]},{"id":3,"b":[]}]"#,
        ),
        (
            "/authors?select=id,books!inner(id)&books.id=eq.1&order=id",
            r#"[{"id":1,"books":[{"id":1}]}]"#,
        ),
        ("/authors?select=id,books()&books=is.null", r#"[{"id":3}]"#),
        (
            "/authors?select=id,books()&books=not.is.null&order=id",
            r#"[{"id":1},{"id":2}]"#,
        ),
        (
            "/books?select=id,authors!inner(name)&authors.name=eq.Ada",
            r#"[{"id":1,"authors":{"name":"Ada"}}]"#,
        ),
        (
            "/books?select=id,authors()&or=(authors.is.null,id.eq.1)&order=id",
            r#"[{"id":1},{"id":4}]"#,
        ),
        (
            "/books?select=id,authors(name)&order=authors(name).desc.nullslast,id",
            r#"[{"id":2,"authors":{"name":"Brian"}},{"id":3,"authors":{"name":"Brian"}},{"id":1,"authors":{"name":"Ada"}},{"id":4,"authors":null}]"#,
        ),
        (
            "/books?select=id,...authors(writer:name)&id=in.(1,4)&order=id",
            r#"[{"id":1,"writer":"Ada"},{"id":4,"writer":null}]"#,
        ),
    ] {
        anon.get(path).expect(200, body).await;
    }
    let answer = anon
        .get("/authors?select=id,books!inner()")
        .prefer("count=exact")
        .send()
        .await;
    assert_eq!(answer.range(), "0-1/2");
}

#[tokio::test]
async fn what_is_not_related_or_not_clear_is_refused() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    let answer = anon
        .get("/covers?select=*,locked(*)")
        .refused(400, "PGRST200")
        .await;
    assert_eq!(
        answer.message(),
        "Could not find a relationship between 'covers' and 'locked' in the schema cache"
    );

    let answer = anon
        .get("/shipments?select=id,authors(name)")
        .refused(300, "PGRST201")
        .await;
    assert_eq!(
        answer.message(),
        "Could not embed because more than one relationship was found for 'shipments' and 'authors'"
    );
    let details = answer.json()["details"].clone();
    assert_eq!(details.as_array().unwrap().len(), 2);
    assert_eq!(details[0]["cardinality"], "many-to-one");
    assert_eq!(details[0]["embedding"], "shipments with authors");
    let relationship = details[0]["relationship"].as_str().unwrap();
    assert_eq!(
        relationship,
        "shipments_from_author_fkey using shipments(from_author) and authors(id)"
    );
    assert!(answer.hint().contains("authors!shipments_from_author_fkey"));
    anon.get("/shipments?select=id,authors!from_author(name)")
        .expect(200, "[]")
        .await;

    anon.get("/books?select=id&authors.name=eq.Ada")
        .refused(400, "PGRST108")
        .await;
    anon.get("/authors?select=id,books(id)&order=books(id)")
        .refused(400, "PGRST118")
        .await;
    anon.get("/books?order=authors(name)")
        .refused(400, "PGRST108")
        .await;
}

#[tokio::test]
async fn rows_are_counted_by_an_item_called_count() {
    let rest = Rest::open().await;
    let anon = rest.anon();
    for (path, body) in [
        (
            "/authors?select=name,books(count)&order=id",
            r#"[{"name":"Ada","books":[{"count":1}]},{"name":"Brian","books":[{"count":2}]},{"name":"Nobody","books":[{"count":0}]}]"#,
        ),
        (
            "/authors?select=id,n:books(total:count)&n.price=gt.40&order=id",
            r#"[{"id":1,"n":[{"total":0}]},{"id":2,"n":[{"total":1}]},{"id":3,"n":[{"total":0}]}]"#,
        ),
        (
            "/authors?select=id,books!inner(count)&order=id",
            r#"[{"id":1,"books":[{"count":1}]},{"id":2,"books":[{"count":2}]}]"#,
        ),
        (
            "/books?select=id,readers(count)&order=id&limit=1",
            r#"[{"id":1,"readers":[{"count":2}]}]"#,
        ),
        ("/books?select=count", r#"[{"count":4}]"#),
        ("/books?select=n:count&id=gt.1", r#"[{"n":3}]"#),
        ("/books?select=count&id=gt.100", r#"[{"count":0}]"#),
    ] {
        anon.get(path).expect(200, body).await;
    }
    let answer = anon
        .get("/books?select=title,count")
        .refused(400, "42803")
        .await;
    assert_eq!(
        answer.message(),
        "column \"books.title\" must appear in the GROUP BY clause or be used in an aggregate function"
    );
    anon.get("/authors?select=id,books(*,count)")
        .refused(400, "42803")
        .await;
    // What a policy hides is not counted.
    for (client, count) in [
        (rest.service(), 3),
        (rest.user(crate::support::ANNA), 2),
        (rest.anon(), 1),
    ] {
        let body = format!(r#"[{{"count":{count}}}]"#);
        client.get("/notes?select=count").expect(200, &body).await;
    }
    // A changed row is not counted: its columns are answered, and `count` is none of them.
    rest.service()
        .patch("/books?id=eq.1&select=count", r#"{"pages":1}"#)
        .prefer("return=representation")
        .refused(400, "42703")
        .await;
}
