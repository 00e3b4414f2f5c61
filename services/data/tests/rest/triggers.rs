//! Triggers over REST: what they assign is what is checked, written and answered; what they raise is the answer.

use crate::support::{ANNA, BERT, Rest};

const SCHEMA: &str = include_str!("triggers.sql");

async fn open() -> Rest {
    Rest::with(SCHEMA, pando_data::Config::default()).await
}

#[tokio::test]
async fn an_insert_answers_what_triggers_made_of_it() {
    let rest = open().await;
    let anna = rest.user(ANNA);
    let select = "/bookings?select=id,price,slug,loud,guest,room:rooms(name)";
    let written = anna
        .post(
            select,
            r#"[{"room_id":1,"nights":3},{"room_id":2,"nights":13},{"room_id":2,"nights":2}]"#,
        )
        .prefer("return=representation")
        .send()
        .await;
    assert_eq!(
        written.text,
        format!(
            concat!(
                r#"[{{"id":1,"price":31.50,"slug":"b1-INSERT","loud":"B1-INSERT","guest":"{0}","room":{{"name":"red"}}}},"#,
                r#"{{"id":3,"price":40.00,"slug":"b3-INSERT","loud":"B3-INSERT","guest":"{0}","room":{{"name":"blue"}}}}]"#
            ),
            ANNA
        )
    );
    // A default is the same for the trigger and for the row.
    let codes = rest
        .service()
        .get("/bookings?select=code,copy")
        .send()
        .await
        .json();
    for row in codes.as_array().unwrap() {
        assert_eq!(row["code"], row["copy"]);
        assert!(row["code"].is_string());
    }
    rest.service()
        .get("/audit?select=op,who,booking,after&order=id&limit=1")
        .expect(
            200,
            &format!(
                concat!(
                    r#"[{{"op":"INSERT","who":"{0}","booking":1,"after":{{"id": 1, "loud": "B1-INSERT", "slug": "b1-INSERT", "guest": "{0}", "#,
                    r#""price": 31.50, "locked": false, "nights": 3, "room_id": 1}}}}]"#
                ),
                ANNA
            ),
        )
        .await;
}

#[tokio::test]
async fn policies_and_checks_see_what_triggers_assigned() {
    let rest = open().await;
    let bert = rest.user(BERT);
    bert.post(
        "/bookings",
        format!(r#"{{"room_id":1,"nights":3,"guest":"{ANNA}"}}"#),
    )
    .refused(403, "42501")
    .await;
    bert.post("/bookings", r#"{"room_id":1,"nights":0}"#)
        .refused(400, "23514")
        .await;
    bert.post("/bookings", r#"{"room_id":9,"nights":1}"#)
        .refused(409, "23503")
        .await;
    rest.anon()
        .post("/bookings", r#"{"room_id":1,"nights":1}"#)
        .refused(401, "42501")
        .await;
    rest.service().get("/bookings").expect(200, "[]").await;
    rest.service().get("/audit").expect(200, "[]").await;
}

#[tokio::test]
async fn what_a_trigger_raises_is_the_answer_and_undoes_the_request() {
    let rest = open().await;
    let anna = rest.user(ANNA);
    let refused = anna
        .post(
            "/bookings",
            r#"[{"room_id":1,"nights":3},{"room_id":1,"nights":31}]"#,
        )
        .refused(400, "P0001")
        .await;
    assert_eq!(
        (refused.message(), refused.details(), refused.hint()),
        (
            "at most 30 nights, not 31".into(),
            "room 1".into(),
            "Book again.".into()
        )
    );
    rest.service().get("/audit").expect(200, "[]").await;
    anna.post("/bookings", r#"{"room_id":1,"nights":3,"locked":true}"#)
        .expect(201, "")
        .await;
    let refused = anna
        .patch("/bookings?room_id=eq.1", r#"{"nights":4}"#)
        .refused(400, "22023")
        .await;
    assert_eq!(refused.message(), "the booking is locked");
}

#[tokio::test]
async fn updates_and_merges_run_their_triggers() {
    let rest = open().await;
    let (anna, service) = (rest.user(ANNA), rest.service());
    anna.post(
        "/bookings",
        r#"[{"id":7,"room_id":1,"nights":3},{"id":8,"room_id":2,"nights":1}]"#,
    )
    .expect(201, "")
    .await;
    let seen = "select=id,nights,price,slug,touched:updated_at";
    let changed = anna
        .patch(
            &format!("/bookings?{seen}&id=lt.10&order=id"),
            r#"{"room_id":2}"#,
        )
        .prefer("return=representation")
        .send()
        .await
        .json();
    assert_eq!(changed[0]["price"], 60.0);
    assert_eq!(changed[0]["slug"], "b7-UPDATE");
    assert!(changed[0]["touched"].is_string());
    assert_eq!(changed[1]["price"], 20.0);
    // Thirteen nights are passed over: the row stays as it was.
    anna.patch("/bookings?id=eq.7", r#"{"nights":13}"#)
        .prefer("return=representation")
        .expect(200, "[]")
        .await;
    let merged = anna
        .post(
            "/bookings?select=id,nights,price,slug&on_conflict=id",
            r#"[{"id":8,"room_id":1,"nights":2},{"id":9,"room_id":1,"nights":1}]"#,
        )
        .prefer("resolution=merge-duplicates,return=representation")
        .send()
        .await;
    assert_eq!(
        merged.text,
        r#"[{"id":8,"nights":2,"price":21.00,"slug":"b8-UPDATE"},{"id":9,"nights":1,"price":10.50,"slug":"b9-INSERT"}]"#
    );
    service
        .get("/audit?select=op,booking,before,after&op=eq.UPDATE&order=id&offset=2")
        .expect(
            200,
            r#"[{"op":"UPDATE","booking":8,"before":{"nights": 1},"after":{"nights": 2}}]"#,
        )
        .await;
}

#[tokio::test]
async fn a_row_that_a_trigger_keeps_is_not_deleted() {
    let rest = open().await;
    let (anna, service) = (rest.user(ANNA), rest.service());
    anna.post("/bookings", r#"[{"id":1,"room_id":1,"nights":3,"locked":true},{"id":2,"room_id":2,"nights":1,"locked":false}]"#)
        .expect(201, "")
        .await;
    anna.delete("/bookings?nights=lt.9&select=id,rooms(name)")
        .prefer("return=representation")
        .expect(200, r#"[{"id":2,"rooms":{"name":"blue"}}]"#)
        .await;
    service
        .get("/bookings?select=id")
        .expect(200, r#"[{"id":1}]"#)
        .await;
    service
        .get("/audit?select=booking,slug:before->>slug&op=eq.DELETE")
        .expect(200, r#"[{"booking":2,"slug":"b2-INSERT"}]"#)
        .await;
}
