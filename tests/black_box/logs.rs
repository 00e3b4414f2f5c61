//! What the log says of a request: once, with its id and why, and nothing of what the client sent.

use pando_testkit::Setup;
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

/// Two policies that ask for each other: as in Postgres every read is an error, and it is the team's fault.
const RECURSION: &str = "create table a (id int primary key);
create table b (id int primary key);
create policy a_by_b on a for select using (exists (select 1 from b));
create policy b_by_a on b for select using (exists (select 1 from a));";

#[test]
fn a_failure_is_logged_once_with_the_id_its_answer_has() {
    let pando = Setup::new()
        .migration("0001_a", RECURSION)
        .variable("PANDO_LOG_FORMAT", "json")
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    let mut app = pando.client().keyed(&keys.publishable, None);
    let path = "/rest/v1/a?id=eq.771377";
    let failed = app.get(path).unwrap();
    assert_eq!(failed.status, 500, "{}", failed.text());
    let given = json!("01890a5d-ac96-774b-bcce-b302099a8057");
    let headers = [("x-request-id", given.as_str().unwrap())];
    let named = app.send("GET", path, &headers, None).unwrap();
    assert_eq!(
        named.header("x-request-id"),
        given.as_str(),
        "a proxy's id is kept"
    );

    for id in [json!(failed.header("x-request-id")), given] {
        let lines = lines_of(&pando, &id);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["level"], "ERROR");
        assert_eq!(lines[0]["route"], "/rest/v1/{table}");
        assert_eq!(lines[0]["status"], 500);
        let error = lines[0]["error"].as_str().unwrap();
        assert!(error.starts_with("42P17: infinite recursion"), "{error}");
    }
    let refused = app.get("/rest/v1/nowhere").unwrap();
    assert_eq!(refused.status, 404);
    let log = pando.log();
    assert!(
        !log.contains(refused.header("x-request-id").unwrap()),
        "a client's mistake is none of the log's business: {log}"
    );
    assert!(!log.contains("771377"), "no value is written down: {log}");
}

/// The log's lines about a request; they are written by a thread of their own, so they are waited for.
fn lines_of(pando: &pando_testkit::Pando, id: &Value) -> Vec<Value> {
    for _ in 0..500 {
        let log = pando.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let found: Vec<Value> = lines.filter(|line| line["request.id"] == *id).collect();
        if !found.is_empty() {
            return found;
        }
        thread::sleep(Duration::from_millis(10));
    }
    Vec::new()
}
