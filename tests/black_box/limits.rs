//! Limits as configuration sets them: each refusal is clear, and says when to come back.

use pando_testkit::{Client, Setup};
use serde_json::json;
use std::thread;

#[test]
fn credential_routes_are_limited_as_configured() {
    let pando = Setup::new()
        .config("[limits]\nsign_in_by_account = \"2/600\"\nsign_up_by_address = \"3/600\"")
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    let mut app = pando.client().keyed(&keys.publishable, None);
    let mut sign_in = |email: &str| {
        let body = json!({"email": email, "password": "wrong"});
        app.post("/auth/v1/token?grant_type=password", &body)
            .unwrap()
    };
    for email in ["ada@example.com", "nobody@example.com"] {
        assert_eq!([sign_in(email).status, sign_in(email).status], [400, 400]);
        let refused = sign_in(email);
        assert_eq!(refused.status, 429, "{email}: {}", refused.text());
        let code = refused.header("x-sb-error-code");
        assert_eq!(code, Some("over_request_rate_limit"));
        let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((200..=300).contains(&seconds), "{seconds}");
    }
    let statuses: Vec<u16> = (0..4)
        .map(|_| app.post("/auth/v1/signup", &json!({})).unwrap().status)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
}

#[test]
fn a_full_queue_turns_writes_away_and_loses_none_it_took() {
    let setup = Setup::new().migration("0001_marks", "create table marks (id text primary key);");
    let pando = setup
        .config("[limits]\nwriter_queue_max = 1\nbatch_writes_max = 1")
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    let address = pando.address();
    let (mut kept, mut turned_away) = (Vec::new(), 0);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..24)
            .map(|writer| {
                let keys = &keys;
                scope.spawn(move || {
                    let mut client = Client::new(address).keyed(&keys.secret, None);
                    let ids = (0..20).map(|number| format!("{writer}-{number}"));
                    ids.map(|id| {
                        let body = json!({"id": id});
                        (id, client.post("/rest/v1/marks", &body).unwrap())
                    })
                    .collect::<Vec<_>>()
                })
            })
            .collect();
        for (id, answer) in writers.into_iter().flat_map(|w| w.join().unwrap()) {
            if answer.status == 201 {
                kept.push(id);
                continue;
            }
            turned_away += 1;
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert_eq!(answer.json()["code"], "53000");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    });
    assert!(turned_away > 0 && !kept.is_empty(), "{turned_away} of 480");
    let mut client = pando.client().keyed(&keys.secret, None);
    let found = client.get("/rest/v1/marks?select=id").unwrap().json();
    let mut found: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    kept.sort_unstable();
    assert_eq!(found, kept);
}

#[test]
fn a_statement_is_stopped_at_its_deadline_and_the_server_goes_on() {
    // Each row is compared with each: some hundred million comparisons, had they the time.
    let rows = (0..200)
        .map(|hundred| {
            let values: Vec<String> = (0..100)
                .map(|one| format!("({})", hundred * 100 + one))
                .collect();
            format!("insert into numbers (n) values {};", values.join(", "))
        })
        .collect::<Vec<_>>()
        .join("\n");
    let schema = format!(
        "create table numbers (n int primary key);
create table odds (n int primary key);
create policy all_of_them on odds for select using (true);
create policy costly on numbers for select to anon
  using ((select count(*) from odds where odds.n <> numbers.n) > 0);
{rows}\n{}",
        rows.replace("numbers", "odds")
    );
    let pando = Setup::new()
        .migration("0001_numbers", &schema)
        .config("[limits]\nanon_statement_deadline_ms = 100")
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    let mut anon = pando.client().keyed(&keys.publishable, None);
    let began = std::time::Instant::now();
    let stopped = anon
        .send(
            "GET",
            "/rest/v1/numbers?select=n&limit=1&order=n.desc",
            &[("prefer", "count=exact")],
            None,
        )
        .unwrap();
    assert_eq!(stopped.status, 504, "{}", stopped.text());
    assert_eq!(stopped.json()["code"], "57014");
    assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    let mut service = pando.client().keyed(&keys.secret, None);
    let read = service.get("/rest/v1/numbers?select=n&limit=1&order=n");
    assert_eq!(read.unwrap().json(), json!([{"n": 0}]));
    assert!(
        pando
            .metrics()
            .unwrap()
            .contains("pando_db_deadlines_total 1")
    );
}
