//! Upserts under policies, the matrix of the wire page: each outcome was taken from a PostgreSQL server.
//!
//! The table refuses `bad` on insert and `nope` after an update; it hides `hidden` and doesn't let `frozen` be updated.

use super::bed::{ANN, As, Bed, MutationExt, SERVICE, body, insert, refusal, upsert};
use super::fixture::bed;
use pando_sql::SqlError;

const REFUSED: &str = "new row violates row-level security policy for table \"t\"";
const REFUSED_USING: &str =
    "new row violates row-level security policy (USING expression) for table \"t\"";

fn put(bed: &Bed, who: As, merge: bool, rows: &str) -> Result<(u64, u64), SqlError> {
    bed.change(who, &upsert("t", &["id", "a", "o"], &[], merge), &[], rows)
        .map(|changed| (changed.rows, changed.inserted))
}

#[test]
fn a_free_key_is_inserted_and_a_taken_one_updated_or_left() {
    let bed = bed();
    assert_eq!(
        put(&bed, ANN, true, r#"[{"id":2,"a":"y","o":"o2"}]"#).unwrap(),
        (1, 1)
    );
    assert_eq!(
        put(
            &bed,
            ANN,
            true,
            r#"[{"id":2,"a":"z","o":"o3"},{"id":3,"a":"z","o":"o4"}]"#
        )
        .unwrap(),
        (2, 1)
    );
    assert_eq!(
        put(
            &bed,
            ANN,
            false,
            r#"[{"id":2,"a":"q","o":"o9"},{"id":4,"a":"z","o":"o5"}]"#
        )
        .unwrap(),
        (1, 1)
    );
    assert_eq!(
        bed.stored("select * from t where id < 10"),
        "1,x,o1;2,z,o3;3,z,o4;4,z,o5"
    );
}

#[test]
fn the_insert_check_holds_for_every_proposed_row() {
    let bed = bed();
    for row in [
        r#"[{"id":2,"a":"bad","o":"n"}]"#,
        r#"[{"id":1,"a":"bad","o":"n"}]"#,
        r#"[{"id":1,"a":null,"o":"n"}]"#,
    ] {
        for merge in [true, false] {
            assert_eq!(
                refusal(put(&bed, ANN, merge, row).map(|_| Default::default())).1,
                REFUSED,
                "{row} {merge}"
            );
        }
    }
    assert_eq!(bed.stored("select * from t where id < 10"), "1,x,o1");
    assert_eq!(
        put(&bed, SERVICE, true, r#"[{"id":1,"a":"bad","o":"n"}]"#).unwrap(),
        (1, 0)
    );
}

#[test]
fn a_proposed_row_the_caller_could_not_see_is_refused() {
    let bed = bed();
    for merge in [true, false] {
        let outcome = put(&bed, ANN, merge, r#"[{"id":7,"a":"hidden","o":"n"}]"#);
        assert_eq!(refusal(outcome.map(|_| Default::default())).1, REFUSED);
    }
    bed.change(
        ANN,
        &insert("t", &["id", "a", "o"]),
        &[],
        r#"[{"id":7,"a":"hidden","o":"n"}]"#,
    )
    .unwrap();
    let seen = bed.change(
        ANN,
        &insert("t", &["id", "a"]).returning(),
        &[],
        r#"[{"id":8,"a":"hidden"}]"#,
    );
    assert_eq!(
        refusal(seen).1,
        REFUSED,
        "an insert that returns rows reads them"
    );
    let mut keys = insert("t", &["id", "a"]);
    keys.keys = true;
    assert_eq!(
        refusal(bed.change(ANN, &keys, &[], r#"[{"id":8,"a":"hidden"}]"#)).1,
        REFUSED
    );
}

#[test]
fn a_taken_row_the_caller_may_not_update_raises_and_is_not_skipped() {
    let bed = bed();
    for id in [10, 11] {
        let row = format!(r#"[{{"id":{id},"a":"y","o":"n"}}]"#);
        assert_eq!(
            refusal(put(&bed, ANN, true, &row).map(|_| Default::default())).1,
            REFUSED_USING
        );
        assert_eq!(
            put(&bed, ANN, false, &row).unwrap(),
            (0, 0),
            "ignored, it does not matter"
        );
    }
}

#[test]
fn the_update_check_and_the_select_policy_hold_for_the_result() {
    let bed = bed();
    for value in ["nope", "hidden"] {
        let row = format!(r#"[{{"id":1,"a":"{value}","o":"n"}}]"#);
        let (state, message) = refusal(put(&bed, ANN, true, &row).map(|_| Default::default()));
        assert_eq!((state.as_str(), message.as_str()), ("42501", REFUSED));
    }
    assert_eq!(bed.stored("select * from t where id = 1"), "1,x,o1");
}

#[test]
fn a_row_is_not_updated_twice() {
    let bed = bed();
    for rows in [
        r#"[{"id":1,"a":"p","o":"o1"},{"id":1,"a":"q","o":"o1"}]"#,
        r#"[{"id":5,"a":"p"},{"id":5,"a":"q"}]"#,
    ] {
        let error = put(&bed, ANN, true, rows).unwrap_err();
        assert_eq!(error.state, "21000");
        assert_eq!(
            error.message,
            "ON CONFLICT DO UPDATE command cannot affect row a second time"
        );
    }
    assert_eq!(
        put(&bed, ANN, false, r#"[{"id":5,"a":"p"},{"id":5,"a":"q"}]"#).unwrap(),
        (1, 1)
    );
}

#[test]
fn any_unique_key_may_be_the_one_and_no_other_columns() {
    let bed = bed();
    let by = |key| upsert("t", &["id", "a", "o"], key, true);
    let changed = bed
        .change(
            ANN,
            &by(&["o"]).returning(),
            &[],
            r#"[{"id":9,"a":"y","o":"o1"}]"#,
        )
        .unwrap();
    assert_eq!((changed.rows, changed.inserted), (1, 0));
    assert_eq!(
        body(&changed),
        serde_json::json!([{"id": 9, "a": "y", "o": "o1"}]),
        "the key itself is merged too"
    );
    assert_eq!(refusal(bed.change(ANN, &by(&["a"]), &[], "[]")).0, "42P10");
    let other = bed.change(ANN, &by(&["id"]), &[], r#"[{"id":2,"a":"y","o":"o1"}]"#);
    assert_eq!(
        refusal(other),
        (
            "23505".to_owned(),
            "duplicate key value violates unique constraint \"t_o_key\"".to_owned()
        )
    );
}
