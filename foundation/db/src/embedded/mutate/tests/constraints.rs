//! Broken constraints, in Postgres' words; values are shown only to who may see every row.

use super::bed::{ANN, MutationExt, SERVICE, delete, insert, text, update};
use super::fixture::bed;
use pando_sql::SqlError;

fn told(error: SqlError) -> (String, String, Option<String>) {
    (error.state.into_owned(), error.message, error.detail)
}

#[test]
fn uniqueness_names_the_constraint_and_the_key() {
    let bed = bed();
    let message = "duplicate key value violates unique constraint \"t_o_key\"";
    let row = r#"[{"id":20,"a":"y","o":"o1"}]"#;
    let add = insert("t", &["id", "a", "o"]);
    let detail = Some("Key (o)=(o1) already exists.".to_owned());
    assert_eq!(
        told(bed.change(SERVICE, &add, &[], row).unwrap_err()),
        ("23505".into(), message.into(), detail)
    );
    assert_eq!(
        told(bed.change(ANN, &add, &[], row).unwrap_err()),
        ("23505".into(), message.into(), None)
    );
    let (_, message, detail) = told(bed.change(SERVICE, &add, &[], r#"[{"id":1}]"#).unwrap_err());
    assert_eq!(
        message,
        "duplicate key value violates unique constraint \"t_pkey\""
    );
    assert_eq!(detail.unwrap(), "Key (id)=(1) already exists.");
    let change = update("t", &["o"]).by("id");
    let (_, _, detail) = told(
        bed.change(SERVICE, &change, &[text("10")], r#"[{"o":"f"}]"#)
            .unwrap_err(),
    );
    assert_eq!(detail.unwrap(), "Key (o)=(f) already exists.");
}

#[test]
fn a_policy_refuses_an_update_before_a_constraint_can_tell_anything() {
    let bed = bed();
    let change = update("t", &["a", "o"]).by("id");
    let error = bed
        .change(ANN, &change, &[text("1")], r#"[{"a":"nope","o":"h"}]"#)
        .unwrap_err();
    assert_eq!(error.state, "42501");
    let error = bed
        .change(ANN, &change, &[text("1")], r#"[{"a":"fine","o":"h"}]"#)
        .unwrap_err();
    assert_eq!(error.state, "23505");
}

#[test]
fn nulls_and_checks_name_their_place_and_the_row() {
    let bed = bed();
    let add = insert("notes", &["id", "title", "owner", "pinned"]);
    let row = r#"[{"id":1,"title":null,"owner":"ann","pinned":true}]"#;
    let message =
        "null value in column \"title\" of relation \"notes\" violates not-null constraint";
    let detail = "Failing row contains (1, null, ann, t, 2024-01-01 00:00:00+00, null, null).";
    assert_eq!(
        told(bed.change(SERVICE, &add, &[], row).unwrap_err()),
        ("23502".into(), message.into(), Some(detail.into()))
    );
    assert_eq!(
        told(bed.change(ANN, &add, &[], row).unwrap_err()),
        ("23502".into(), message.into(), None)
    );
    let row = r#"[{"id":1,"title":"taboo","owner":"ann","pinned":true}]"#;
    let message = "new row for relation \"notes\" violates check constraint \"notes_title_check\"";
    assert_eq!(
        told(bed.change(ANN, &add, &[], row).unwrap_err()),
        ("23514".into(), message.into(), None)
    );
}

#[test]
fn a_missing_parent_is_found_and_named() {
    let bed = bed();
    let add = insert("notes", &["title", "folder_id"]);
    let row = r#"[{"title":"a","folder_id":99}]"#;
    let message = "insert or update on table \"notes\" violates foreign key constraint \"notes_folder_id_fkey\"";
    assert_eq!(
        told(bed.change(SERVICE, &add, &[], row).unwrap_err()),
        (
            "23503".into(),
            message.into(),
            Some("Key (folder_id)=(99) is not present in table \"folders\".".into())
        )
    );
    assert_eq!(
        told(bed.change(ANN, &add, &[], row).unwrap_err())
            .2
            .unwrap(),
        "Key is not present in table \"folders\"."
    );
    bed.change(ANN, &insert("notes", &["title"]), &[], r#"[{"title":"a"}]"#)
        .unwrap();
    let error = bed
        .change(
            ANN,
            &update("notes", &["folder_id"]),
            &[],
            r#"[{"folder_id":5}]"#,
        )
        .unwrap_err();
    assert_eq!(error.message, message);
}

#[test]
fn a_row_others_refer_to_is_named_with_them_also_through_a_cascade() {
    let bed = bed();
    bed.change(SERVICE, &insert("shelves", &[]), &[], "[{}]")
        .unwrap();
    bed.change(
        SERVICE,
        &insert("folders", &["id", "shelf_id"]),
        &[],
        r#"[{"id":4,"shelf_id":1}]"#,
    )
    .unwrap();
    bed.change(
        SERVICE,
        &insert("notes", &["title", "folder_id"]),
        &[],
        r#"[{"title":"a","folder_id":4}]"#,
    )
    .unwrap();
    let message = "update or delete on table \"folders\" violates foreign key constraint \"notes_folder_id_fkey\" on table \"notes\"";
    let error = bed
        .change(SERVICE, &delete("folders"), &[], "[]")
        .unwrap_err();
    let detail = "Key (id)=(4) is still referenced from table \"notes\".".to_owned();
    assert_eq!(told(error), ("23503".into(), message.into(), Some(detail)));
    let error = bed
        .change(SERVICE, &delete("shelves"), &[], "[]")
        .unwrap_err();
    assert_eq!(error.message, message);
    let error = bed
        .change(
            ANN,
            &update("folders", &["id"]).by("id"),
            &[text("4")],
            r#"[{"id":5}]"#,
        )
        .unwrap_err();
    assert_eq!(error.message, message);
    assert_eq!(bed.stored("select id from shelves"), "1");
}
