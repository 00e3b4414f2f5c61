//! Inserts, updates and deletes: defaults, identities, what is returned, what policies let through.

use super::bed::{ANN, As, MutationExt, SERVICE, body, delete, insert, refusal, text, update};
use super::fixture::bed;
use pando_kernel::Role;
use pando_plan::request::{Change, Embed, Expect, Input, Item, Node, Order, Path, Slot};
use serde_json::json;

const BOB: As = As(Role::Authenticated, Some("bob"));

#[test]
fn defaults_and_identities_fill_what_the_payload_leaves_out() {
    let bed = bed();
    let changed = bed.change(
        ANN,
        &insert("notes", &["title"]).returning(),
        &[],
        r#"[{"title":"a"},{"title":"b"}]"#,
    );
    let note = |id: i64, title: &str| {
        json!({"id": id, "title": title, "owner": "ann", "pinned": false, "at": "2024-01-01T00:00:00+00:00",
            "folder_id": null, "price": null})
    };
    assert_eq!(body(&changed.unwrap()), json!([note(1, "a"), note(2, "b")]));
}

#[test]
fn an_absent_key_is_null_or_the_default_as_preferred() {
    let bed = bed();
    let mut missing = insert("notes", &["title", "owner", "pinned", "id"]);
    let rows = r#"[{"title":"a","owner":"ann","pinned":true,"id":7},{"title":"b","owner":"ann"}]"#;
    assert_eq!(
        refusal(bed.change(SERVICE, &missing, &[], rows)).0,
        "23502",
        "null is no identity"
    );
    missing.change = match missing.change {
        Change::Insert { columns, .. } => Change::Insert {
            columns,
            on_conflict: None,
            missing_default: true,
        },
        other => other,
    };
    bed.change(SERVICE, &missing, &[], rows).unwrap();
    assert_eq!(
        bed.stored("select id, title, owner, pinned from notes"),
        "1,b,ann,0;7,a,ann,1"
    );
    let null = r#"[{"title":"c","owner":null,"pinned":null,"id":9}]"#;
    bed.change(SERVICE, &missing, &[], null).unwrap();
    assert_eq!(
        bed.stored("select owner, pinned from notes where id = 9"),
        "null,null",
        "null is not absent"
    );
}

#[test]
fn an_identity_that_is_no_row_number_is_drawn_from_its_sequence() {
    let bed = bed();
    bed.change(
        SERVICE,
        &insert("folders", &["id"]),
        &[],
        r#"[{"id":5},{"id":6}]"#,
    )
    .unwrap();
    let failed = bed.change(
        SERVICE,
        &insert("folders", &["id"]),
        &[],
        r#"[{"id":7},{"id":5}]"#,
    );
    assert_eq!(refusal(failed).0, "23505");
    let mut some = insert("folders", &["id", "number"]);
    if let Change::Insert {
        missing_default, ..
    } = &mut some.change
    {
        *missing_default = true;
    }
    bed.change(SERVICE, &some, &[], r#"[{"id":8},{"id":9,"number":77}]"#)
        .unwrap();
    assert_eq!(
        bed.stored("select id, number from folders"),
        "5,1;6,2;8,5;9,77"
    );
}

#[test]
fn an_identity_that_is_always_generated_takes_no_value() {
    let bed = bed();
    let error = bed
        .change(SERVICE, &insert("shelves", &["id"]), &[], r#"[{"id":5}]"#)
        .unwrap_err();
    assert_eq!(error.state, "428C9");
    assert_eq!(
        error.message,
        "cannot insert a non-DEFAULT value into column \"id\""
    );
    assert_eq!(
        refusal(bed.change(SERVICE, &update("shelves", &["id"]), &[], r#"[{"id":5}]"#)).0,
        "428C9"
    );
    let changed = bed
        .change(ANN, &insert("shelves", &[]).returning(), &[], "[{},{}]")
        .unwrap();
    assert_eq!(body(&changed), json!([{"id": 1}, {"id": 2}]));
}

#[test]
fn an_insert_is_checked_before_it_can_reveal_a_key() {
    let bed = bed();
    bed.change(
        BOB,
        &insert("notes", &["id", "title"]),
        &[],
        r#"[{"id":1,"title":"his"}]"#,
    )
    .unwrap();
    let theirs = bed.change(
        ANN,
        &insert("notes", &["id", "title", "owner"]),
        &[],
        r#"[{"id":1,"title":"x","owner":"bob"}]"#,
    );
    assert_eq!(
        refusal(theirs),
        (
            "42501".to_owned(),
            "new row violates row-level security policy for table \"notes\"".to_owned()
        )
    );
    assert_eq!(bed.stored("select id, title from notes"), "1,his");
}

#[test]
fn updates_and_deletes_reach_only_rows_that_policies_show() {
    let bed = bed();
    bed.change(BOB, &insert("notes", &["title"]), &[], r#"[{"title":"b"}]"#)
        .unwrap();
    bed.change(ANN, &insert("notes", &["title"]), &[], r#"[{"title":"a"}]"#)
        .unwrap();
    let changed = bed
        .change(ANN, &update("notes", &["title"]), &[], r#"[{"title":"c"}]"#)
        .unwrap();
    assert_eq!((changed.rows, changed.body), (1, None));
    let changed = bed.change(
        ANN,
        &update("notes", &["title"]).by("id").returning(),
        &[text("1")],
        r#"[{"title":"d"}]"#,
    );
    assert_eq!(body(&changed.unwrap()), json!([]));
    let given = bed.change(
        ANN,
        &update("notes", &["owner"]).by("id"),
        &[text("2")],
        r#"[{"owner":"bob"}]"#,
    );
    assert_eq!(refusal(given).0, "42501");
    assert_eq!(bed.stored("select title, owner from notes"), "b,bob;c,ann");
    let nothing = bed
        .change(ANN, &update("notes", &[]).returning(), &[], "[{}]")
        .unwrap();
    assert_eq!((nothing.rows, body(&nothing)), (0, json!([])));
    let changed = bed
        .change(ANN, &delete("notes").returning(), &[], "[]")
        .unwrap();
    assert_eq!(body(&changed)[0]["title"], json!("c"));
    assert_eq!(bed.stored("select title from notes"), "b");
    assert_eq!(
        bed.change(ANN, &delete("notes").by("id"), &[text("1")], "[]")
            .unwrap()
            .rows,
        0
    );
}

#[test]
fn an_update_must_leave_the_row_visible_where_it_reads_the_table() {
    let bed = bed();
    let hide = r#"[{"a":"hidden"}]"#;
    assert_eq!(
        refusal(bed.change(ANN, &update("t", &["a"]).by("id"), &[text("1")], hide)).0,
        "42501"
    );
    assert_eq!(
        refusal(bed.change(ANN, &update("t", &["a"]), &[], r#"[{"a":"nope"}]"#)).0,
        "42501"
    );
    assert_eq!(
        bed.change(ANN, &update("t", &["a"]), &[], hide)
            .unwrap()
            .rows,
        2,
        "no filter, nothing read"
    );
    assert_eq!(bed.stored("select a from t"), "hidden;hidden;frozen");
}

#[test]
fn changed_rows_are_returned_with_what_they_embed_and_in_the_order_asked_for() {
    let bed = bed();
    bed.change(
        SERVICE,
        &insert("folders", &["id", "name"]),
        &[],
        r#"[{"id":1,"name":"in"}]"#,
    )
    .unwrap();
    let column = |name: &str| Path {
        column: name.to_owned(),
        steps: Vec::new(),
    };
    let item = |name: &str| Item::Column {
        alias: None,
        path: column(name),
        cast: None,
    };
    let folder = Item::Embed(Box::new(Embed {
        alias: None,
        relation: "folders".to_owned(),
        hint: None,
        inner: false,
        spread: false,
        node: Node {
            items: vec![item("name")],
            ..Node::default()
        },
    }));
    let mut add = insert("notes", &["title", "folder_id"]).returning();
    add.node.items = vec![item("title"), folder.clone()];
    let rows = r#"[{"title":"b","folder_id":1},{"title":"a","folder_id":null}]"#;
    let expected = [
        json!({"title": "b", "folders": {"name": "in"}}),
        json!({"title": "a", "folders": null}),
    ];
    assert_eq!(
        body(&bed.change(ANN, &add, &[], rows).unwrap()),
        json!(expected),
        "in the payload's order"
    );
    add.node.order = vec![Order {
        relation: None,
        path: column("title"),
        descending: false,
        nulls_first: None,
    }];
    assert_eq!(
        body(&bed.change(ANN, &add, &[], rows).unwrap()),
        json!([expected[1], expected[0]])
    );
    let mut change = update("notes", &["pinned"]).by("title").returning();
    change.node.items = vec![item("id"), folder.clone()];
    let changed = bed
        .change(ANN, &change, &[text("b")], r#"[{"pinned":true}]"#)
        .unwrap();
    assert_eq!(
        body(&changed),
        json!([{"id": 1, "folders": {"name": "in"}}, {"id": 3, "folders": {"name": "in"}}])
    );
    let mut remove = delete("notes").by("title").returning();
    remove.node.items = vec![item("id"), folder];
    let changed = bed.change(ANN, &remove, &[text("b")], "[]").unwrap();
    assert_eq!(
        (changed.rows, body(&changed)[1]["id"].clone()),
        (2, json!(3))
    );
}

#[test]
fn the_key_of_one_row_is_told_for_its_location() {
    let bed = bed();
    let mut add = insert("notes", &["title"]);
    add.keys = true;
    let changed = bed.change(ANN, &add, &[], r#"[{"title":"a"}]"#).unwrap();
    assert_eq!(
        (changed.location, changed.body),
        (vec![("id".to_owned(), "1".to_owned())], None)
    );
    assert_eq!(
        bed.change(ANN, &add, &[], r#"[{"title":"a"},{"title":"b"}]"#)
            .unwrap()
            .location,
        vec![]
    );
}

#[test]
fn too_many_or_too_few_rows_undo_the_change() {
    let bed = bed();
    let mut one = insert("notes", &["title"]).returning();
    one.expect = Expect::One;
    let error = bed
        .change(ANN, &one, &[], r#"[{"title":"a"},{"title":"b"}]"#)
        .unwrap_err();
    assert_eq!(
        (error.state.as_ref(), error.detail.as_deref()),
        ("PGRST116", Some("The result contains 2 rows"))
    );
    bed.change(ANN, &one, &[], r#"[{"title":"a"}]"#).unwrap();
    let mut most = delete("notes");
    most.expect = Expect::AtMost(Slot(0));
    let error = bed.change(ANN, &most, &[Input::Rows(0)], "[]").unwrap_err();
    assert_eq!(
        (error.state.as_ref(), error.detail.as_deref()),
        ("PGRST124", Some("The query affects 1 rows"))
    );
    assert_eq!(bed.stored("select title from notes"), "a");
    assert_eq!(
        bed.change(ANN, &most, &[Input::Rows(1)], "[]")
            .unwrap()
            .rows,
        1
    );
}
