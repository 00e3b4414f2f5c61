//! SIGTERM: what was accepted is answered, and what was answered is kept.

use pando_testkit::{Client, Setup};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn a_stopping_server_answers_what_it_accepted() {
    let setup = Setup::new().migration(
        "0001",
        "create table marks (id text primary key);\nalter table marks enable row level security;",
    );
    let mut pando = setup.start().unwrap();
    let keys = pando.keys().unwrap();
    let address = pando.address();
    let answered = AtomicUsize::new(0);
    let marks: Vec<String> = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (keys, answered) = (&keys, &answered);
                scope.spawn(move || {
                    let mut client = Client::new(address).keyed(&keys.secret, None);
                    let mut kept = Vec::new();
                    for number in 0..100_000 {
                        let mark = format!("{writer}-{number}");
                        match client.post("/rest/v1/marks", &json!({"id": mark})) {
                            Ok(answer) if answer.status == 201 => kept.push(mark),
                            Ok(answer) => {
                                assert_eq!(answer.status, 503, "{}", answer.text());
                                assert!(answer.header("retry-after").is_some());
                                break;
                            }
                            Err(_) => break,
                        }
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    kept
                })
            })
            .collect();
        while answered.load(Ordering::Relaxed) < 200 {
            thread::sleep(Duration::from_millis(1));
        }
        pando.request_stop().unwrap();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect()
    });
    let status = pando.wait().unwrap();
    assert!(status.success(), "{status}\n{}", pando.log());

    pando.start().unwrap();
    let mut client = pando.client().keyed(&keys.secret, None);
    for chunk in marks.chunks(200) {
        let path = format!("/rest/v1/marks?select=id&id=in.({})", chunk.join(","));
        let found = client.get(&path).unwrap().json();
        assert_eq!(found.as_array().map(Vec::len), Some(chunk.len()));
    }
}

#[test]
fn a_balancer_has_its_time_to_notice() {
    let setup = Setup::new().config("[limits]\ndrain_notice_ms = 1500");
    let mut pando = setup.start().unwrap();
    let (ready, health) = ("/ready", "/auth/v1/health");
    let keys = pando.keys().unwrap();
    assert_eq!(pando.client().get(ready).unwrap().status, 200);
    pando.request_stop().unwrap();
    let noticed = (0..200).any(|_| {
        thread::sleep(Duration::from_millis(5));
        pando.client().get(ready).unwrap().status == 503
    });
    assert!(noticed, "/ready says no, over a new connection");
    let mut late = pando.client().keyed(&keys.publishable, None);
    assert_eq!(late.get(health).unwrap().status, 200, "still served");
    assert!(pando.wait().unwrap().success());
    assert!(pando.client().get(ready).is_err(), "nobody listens now");
}
