//! kill -9 in mid-load, again and again, with a ledger of what was acknowledged: nothing of it may be lost, nothing may be
//! there twice.

use pando_testkit::{Client, Keys, Pando, Setup};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, thread};

/// Rounds in CI; `PANDO_TEST_CRASH_ROUNDS` asks for more.
const ROUNDS: usize = 25;
const WRITERS: usize = 6;

/// No unique constraint stands on `mark`, so that a write done twice would be seen.
const SCHEMA: &str =
    "create table ledger (id bigint generated always as identity primary key, mark text not null);
alter table ledger enable row level security;";

/// What one round was told, and what it was never told about.
#[derive(Default)]
struct Ledger {
    acknowledged: Vec<String>,
    /// Sent, and no answer came: may be there once, or not at all.
    unknown: HashSet<String>,
    users: Vec<(String, String)>,
}

#[test]
fn no_acknowledged_write_is_lost_or_doubled_by_kill_9() {
    let rounds = env::var("PANDO_TEST_CRASH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let mut pando = Setup::new()
        .migration("0001_ledger", SCHEMA)
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    let mut acknowledged: HashSet<String> = HashSet::new();
    let mut unknown: HashSet<String> = HashSet::new();
    let mut users = Vec::new();
    for round in 0..rounds {
        let ledger = load_until_killed(&mut pando, &keys, round);
        acknowledged.extend(ledger.acknowledged);
        unknown.extend(ledger.unknown);
        users.extend(ledger.users);
        pando.start().unwrap();
        compare(&pando, &keys, &acknowledged, &unknown, round);
    }
    for (email, refresh_token) in &users {
        let path = "/auth/v1/token?grant_type=refresh_token";
        let mut client = pando.client().keyed(&keys.publishable, None);
        let answer = client
            .post(path, &json!({"refresh_token": refresh_token}))
            .unwrap();
        assert_eq!(
            answer.status,
            200,
            "the session of {email} is lost: {}",
            answer.text()
        );
    }
    eprintln!(
        "{rounds} rounds: {} writes acknowledged, {} unknown, {} users; lost 0, doubled 0",
        acknowledged.len(),
        unknown.len(),
        users.len()
    );
    assert!(
        acknowledged.len() > rounds * 10,
        "too little load to mean anything"
    );
    assert!(!users.is_empty());
}

fn load_until_killed(pando: &mut Pando, keys: &Keys, round: usize) -> Ledger {
    let stop = AtomicBool::new(false);
    let address = pando.address();
    thread::scope(|scope| {
        let stop = &stop;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || write(address, keys, round, writer, stop)))
            .collect();
        let signer = scope.spawn(move || sign_up(address, keys, round, stop));
        thread::sleep(Duration::from_millis(60 + 23 * (round as u64 * 7 % 10)));
        pando.kill().unwrap();
        stop.store(true, Ordering::Relaxed);
        let mut all = Ledger::default();
        for writer in writers {
            let (acknowledged, unknown) = writer.join().unwrap();
            all.acknowledged.extend(acknowledged);
            all.unknown.extend(unknown);
        }
        all.users = signer.join().unwrap();
        all
    })
}

fn write(
    address: SocketAddr,
    keys: &Keys,
    round: usize,
    writer: usize,
    stop: &AtomicBool,
) -> (Vec<String>, Vec<String>) {
    let mut client = Client::new(address).keyed(&keys.secret, None);
    let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // Every fourth request writes three rows, which must be there together.
        let marks: Vec<String> = match number % 4 {
            0 => (0..3)
                .map(|part| format!("{round}-{writer}-{number}-{part}of3"))
                .collect(),
            _ => vec![format!("{round}-{writer}-{number}")],
        };
        let rows: Vec<Value> = marks.iter().map(|mark| json!({"mark": mark})).collect();
        match client.post("/rest/v1/ledger", &Value::Array(rows)) {
            Ok(answer) if answer.status == 201 => acknowledged.extend(marks),
            Ok(answer) => panic!("a write was refused: {} {}", answer.status, answer.text()),
            Err(_) => {
                unknown.extend(marks);
                break;
            }
        }
    }
    (acknowledged, unknown)
}

/// Users whose sign-up was answered, with the refresh token they hold.
fn sign_up(
    address: SocketAddr,
    keys: &Keys,
    round: usize,
    stop: &AtomicBool,
) -> Vec<(String, String)> {
    let mut client = Client::new(address).keyed(&keys.publishable, None);
    let mut users = Vec::new();
    for number in 0..2 {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let email = format!("crash-{round}-{number}@example.com");
        let Ok(answer) = client.post(
            "/auth/v1/signup",
            &json!({"email": email, "password": "correct horse battery"}),
        ) else {
            break;
        };
        assert_eq!(answer.status, 200, "{}", answer.text());
        let Some(mut held) = answer.json()["refresh_token"].as_str().map(str::to_owned) else {
            break;
        };
        // A refresh that was not answered leaves the token in hand usable: it is the parent of the active one.
        let path = "/auth/v1/token?grant_type=refresh_token";
        if let Ok(answer) = client.post(path, &json!({"refresh_token": held}))
            && let Some(next) = answer.json()["refresh_token"].as_str()
        {
            held = next.to_owned();
        }
        users.push((email, held));
    }
    users
}

fn compare(
    pando: &Pando,
    keys: &Keys,
    acknowledged: &HashSet<String>,
    unknown: &HashSet<String>,
    round: usize,
) {
    let mut client = pando.client().keyed(&keys.secret, None);
    let mut found: HashMap<String, u32> = HashMap::new();
    let mut after = 0_i64;
    loop {
        let path = format!("/rest/v1/ledger?select=id,mark&id=gt.{after}&order=id&limit=1000");
        let page = client.get(&path).unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        let rows = page.as_array().unwrap();
        let Some(last) = rows.last() else { break };
        after = last["id"].as_i64().unwrap();
        for row in rows {
            *found
                .entry(row["mark"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
    }
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|mark| !found.contains_key(*mark))
        .collect();
    assert!(
        lost.is_empty(),
        "round {round}: {} lost, as {:?}",
        lost.len(),
        &lost[..lost.len().min(5)]
    );
    let doubled: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
    assert!(
        doubled.is_empty(),
        "round {round}: {} doubled, as {:?}",
        doubled.len(),
        &doubled[..doubled.len().min(5)]
    );
    for mark in found.keys() {
        assert!(
            acknowledged.contains(mark) || unknown.contains(mark),
            "round {round}: {mark} was never sent"
        );
        if let Some(stem) = mark.strip_suffix("-0of3") {
            assert!(
                found.contains_key(&format!("{stem}-2of3")),
                "round {round}: half a request is there, {mark}"
            );
        }
    }
}
