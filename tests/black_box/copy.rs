//! The continuous copy: the machine's disk is lost in mid-load, and a ledger of what was acknowledged when is held against what the copy
//! brings back.

use pando_testkit::{Bucket, Client, Pando, Setup};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// Rounds in CI; `PANDO_TEST_COPY_ROUNDS` asks for more.
const ROUNDS: usize = 3;
const WRITERS: usize = 6;
/// What may be missing was acknowledged no longer before the loss.
const WINDOW: Duration = Duration::from_secs(1);

const SCHEMA: &str =
    "create table ledger (id bigint generated always as identity primary key, mark text not null);
alter table ledger enable row level security;";

fn setup(copy_to: &str, more: &str) -> Setup {
    Setup::new()
        .migration("0001_ledger", SCHEMA)
        .config(&format!("[backup]\ncopy_to = {copy_to:?}\n{more}"))
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn done(output: Output) -> String {
    assert!(output.status.success(), "{}", text(&output));
    text(&output)
}

fn wait<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not come about");
        thread::sleep(Duration::from_millis(20));
    }
}

fn metric(pando: &Pando, name: &str) -> f64 {
    let metrics = pando.metrics().unwrap();
    let line = metrics.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

fn wait_for_snapshot(pando: &Pando) {
    wait(|| (metric(pando, "pando_backup_copy_snapshot_timestamp_seconds ") > 0.0).then_some(()));
}

fn write(pando: &Pando, marks: &[&str]) {
    let mut client = pando.client().keyed(&pando.keys().unwrap().secret, None);
    let rows: Vec<Value> = marks.iter().map(|mark| json!({"mark": mark})).collect();
    let answer = client.post("/rest/v1/ledger", &Value::Array(rows)).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// All marks, and how often each is there.
fn marks(pando: &Pando) -> HashMap<String, u32> {
    let mut client = pando.client().keyed(&pando.keys().unwrap().secret, None);
    let (mut found, mut after) = (HashMap::new(), 0_i64);
    loop {
        let path = format!("/rest/v1/ledger?select=id,mark&id=gt.{after}&order=id&limit=1000");
        let page = client.get(&path).unwrap().json();
        let rows = page.as_array().unwrap();
        let Some(last) = rows.last() else {
            return found;
        };
        after = last["id"].as_i64().unwrap();
        for row in rows {
            *found
                .entry(row["mark"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
    }
}

/// What is acknowledged, and when.
fn load(
    address: SocketAddr,
    secret: &str,
    round: usize,
    writer: usize,
    stop: &AtomicBool,
) -> Vec<(String, Instant)> {
    let mut client = Client::new(address).keyed(secret, None);
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let marks: Vec<String> = (0..1 + number % 3)
            .map(|part| format!("{round}-{writer}-{number}-{part}of{}", 1 + number % 3))
            .collect();
        let rows: Vec<Value> = marks.iter().map(|mark| json!({"mark": mark})).collect();
        match client.post("/rest/v1/ledger", &Value::Array(rows)) {
            Ok(answer) if answer.status == 201 => {
                let now = Instant::now();
                acknowledged.extend(marks.into_iter().map(|mark| (mark, now)));
            }
            Ok(answer) => panic!("a write was refused: {} {}", answer.status, answer.text()),
            Err(_) => break,
        }
    }
    acknowledged
}

/// Loses the data directory under load, restores it from `store`, and says how old the oldest acknowledgement was that is missing.
fn lose_and_restore(pando: &mut Pando, store: &str, round: usize) -> Duration {
    let secret = pando.keys().unwrap().secret;
    let key = pando.folder().join("kept.key");
    fs::copy(pando.data().join("master.key"), &key).unwrap();
    let stop = AtomicBool::new(false);
    let address = pando.address();
    let (acknowledged, killed) = thread::scope(|scope| {
        let (stop, secret) = (&stop, &*secret);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || load(address, secret, round, writer, stop)))
            .collect();
        thread::sleep(Duration::from_millis(2_000 + 137 * (round as u64 % 7)));
        let killed = Instant::now();
        pando.kill().unwrap();
        stop.store(true, Ordering::Relaxed);
        let acknowledged: Vec<_> = writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect();
        (acknowledged, killed)
    });
    fs::remove_dir_all(pando.data()).unwrap();
    done(
        pando
            .run("restore", &[store, "--key", &key.display().to_string()])
            .unwrap(),
    );
    pando.start().unwrap();
    assert_eq!(pando.keys().unwrap().secret, secret);
    let found = marks(pando);
    assert!(
        found.values().all(|times| *times == 1),
        "something is doubled"
    );
    for mark in found.keys() {
        let (stem, part) = mark.rsplit_once('-').unwrap();
        let parts: usize = part.rsplit_once("of").unwrap().1.parse().unwrap();
        for part in 0..parts {
            let other = format!("{stem}-{part}of{parts}");
            assert!(
                found.contains_key(&other),
                "half a request is there: {mark}"
            );
        }
    }
    let missing = acknowledged
        .iter()
        .filter(|(mark, _)| !found.contains_key(mark));
    let lost = missing
        .map(|(_, when)| killed.saturating_duration_since(*when))
        .max()
        .unwrap_or_default();
    let told = acknowledged.len();
    assert!(told > 50, "too little load to mean anything: {told}");
    eprintln!(
        "round {round}: {told} acknowledged, lost the last {} ms",
        lost.as_millis()
    );
    assert!(
        lost <= WINDOW,
        "what was acknowledged {lost:?} before the loss is not in the copy"
    );
    lost
}

fn rounds(store: &str, more: &str) {
    let mut pando = setup(store, more).start().unwrap();
    let rounds = env::var("PANDO_TEST_COPY_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let mut windows = Vec::new();
    for round in 0..rounds {
        // What was restored is another database than the one that was copied: its copy begins with a snapshot of its own.
        wait_for_snapshot(&pando);
        windows.push(lose_and_restore(&mut pando, store, round));
    }
    windows.sort();
    eprintln!(
        "{rounds} rounds to {store}: lost p50 {} ms, at most {} ms",
        windows[windows.len() / 2].as_millis(),
        windows[windows.len() - 1].as_millis()
    );
}

#[test]
fn no_more_than_a_second_is_lost_with_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    rounds(&folder.path().join("store").display().to_string(), "");
}

#[test]
fn no_more_than_a_second_is_lost_with_a_bucket() {
    if Bucket::is_absent() {
        eprintln!("passed over: no Python");
        return;
    }
    let bucket = Bucket::start().unwrap();
    rounds(bucket.url(), &bucket.config());
}

#[test]
fn a_copy_goes_on_after_a_kill_and_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").display().to_string();
    let mut pando = setup(&store, "").start().unwrap();
    wait_for_snapshot(&pando);
    for round in 0..6 {
        write(&pando, &[&format!("{round}-a"), &format!("{round}-b")]);
        if round % 2 == 0 {
            pando.kill().unwrap();
        } else {
            pando.request_stop().unwrap();
            assert!(pando.wait().unwrap().success());
        }
        pando.start().unwrap();
    }
    write(&pando, &["last"]);
    pando.request_stop().unwrap();
    pando.wait().unwrap();
    let listed = done(pando.run("backup", &["list", "--json"]).unwrap());
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let generations = listed["places"][0]["generations"].as_array().unwrap().len();
    assert_eq!(generations, 1, "{listed} {}", pando.log());
    assert_eq!(restored(&pando, &store, None).len(), 13);
}

/// The marks of a database restored elsewhere.
fn restored(pando: &Pando, store: &str, at: Option<&str>) -> HashMap<String, u32> {
    let mut target = Setup::new()
        .migration("0001_ledger", SCHEMA)
        .prepare()
        .unwrap();
    let key = pando.data().join("master.key").display().to_string();
    let mut arguments = vec![store, "--key", &key];
    arguments.extend(at.into_iter().flat_map(|at| ["--at", at]));
    done(target.run("restore", &arguments).unwrap());
    target.start().unwrap();
    marks(&target)
}

fn now() -> String {
    let output = Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%S.%6NZ"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn segments(store: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(store).join("copy")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "seg") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn any_moment_can_be_restored_and_a_damaged_segment_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").display().to_string();
    let before = now();
    let pando = setup(&store, "copy_interval_ms = 50").start().unwrap();
    wait_for_snapshot(&pando);
    let mut moments = Vec::new();
    for mark in ["one", "two", "three"] {
        write(&pando, &[mark]);
        thread::sleep(Duration::from_millis(400));
        moments.push(now());
        thread::sleep(Duration::from_millis(100));
    }
    for (index, moment) in moments.iter().enumerate() {
        assert_eq!(restored(&pando, &store, Some(moment)).len(), index + 1);
    }
    let target = Setup::new().prepare().unwrap();
    let early = target.run("restore", &[&store, "--at", &before]).unwrap();
    assert!(!early.status.success());
    assert!(
        text(&early).contains("the earliest moment"),
        "{}",
        text(&early)
    );

    let all = segments(&store);
    let last = &all[all.len() - 1];
    let whole = fs::read(last).unwrap();
    let mut wrong = whole.clone();
    wrong[whole.len() / 2] ^= 1;
    fs::write(last, &wrong).unwrap();
    let damaged = target.run("restore", &[&store]).unwrap();
    let told = text(&damaged);
    assert!(!damaged.status.success(), "{told}");
    let name = last.file_name().unwrap().to_string_lossy();
    assert!(told.contains(&*name) && told.contains("damaged"), "{told}");
    assert!(!target.data().join("pando.db").exists());
    // What it says can be done.
    let good = told.rsplit("--at ").next().unwrap().trim();
    assert_eq!(restored(&pando, &store, Some(good)).len(), 2, "{told}");
    // One that is missing between others.
    fs::write(last, &whole).unwrap();
    fs::remove_file(&all[all.len() - 2]).unwrap();
    let missing = target.run("restore", &[&store]).unwrap();
    assert!(
        text(&missing).contains("it is missing"),
        "{}",
        text(&missing)
    );
}

#[test]
fn a_store_that_is_away_for_a_while_gets_everything_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").display().to_string();
    let away = format!("{store}-away");
    let pando = setup(&store, "").start().unwrap();
    wait_for_snapshot(&pando);
    write(&pando, &["before"]);
    wait(|| (metric(&pando, "pando_backup_copy_lag_seconds ") == 0.0).then_some(()));
    fs::rename(&store, &away).unwrap();
    for number in 0..50 {
        write(&pando, &[&format!("away-{number}")]);
    }
    wait(|| (metric(&pando, "pando_backup_copy_lag_seconds ") > 1.0).then_some(()));
    assert!(pando.log().contains("the continuous copy stands still"));
    fs::rename(&away, &store).unwrap();
    wait(|| (metric(&pando, "pando_backup_copy_lag_seconds ") == 0.0).then_some(()));
    assert_eq!(restored(&pando, &store, None).len(), 51);
    assert!(metric(&pando, "pando_backup_copy_given_up_total ") == 0.0);
}

#[test]
fn a_store_that_is_away_too_long_stops_no_write_and_gets_a_new_generation() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").display().to_string();
    let away = format!("{store}-away");
    let pando = setup(&store, "[limits]\nwal_bytes_max = 33554432")
        .start()
        .unwrap();
    wait_for_snapshot(&pando);
    fs::rename(&store, &away).unwrap();
    // No two pages alike, so that they can't be packed.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut number = 0;
    wait(|| {
        let mark: String = (0..900_000)
            .map(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                char::from(b'!' + (random % 90) as u8)
            })
            .collect();
        write(&pando, &[&format!("{number}{}", mark.replace('\\', "/"))]);
        number += 1;
        (metric(&pando, "pando_backup_copy_given_up_total ") > 0.0).then_some(())
    });
    assert!(pando.log().contains("the continuous copy was broken off"));
    fs::rename(&away, &store).unwrap();
    let generations = || {
        let listed = done(pando.run("backup", &["list", "--json"]).unwrap());
        let listed: Value = serde_json::from_str(&listed).unwrap();
        listed["places"][0]["generations"].as_array().unwrap().len()
    };
    wait(|| (generations() == 2).then_some(()));
    write(&pando, &["after"]);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(restored(&pando, &store, None).len(), number + 1);
}

#[test]
fn a_bucket_that_is_slow_or_refuses_is_told_and_costs_no_write() {
    if Bucket::is_absent() {
        eprintln!("passed over: no Python");
        return;
    }
    let bucket = Bucket::start().unwrap();
    let pando = setup(bucket.url(), &bucket.config()).start().unwrap();
    wait_for_snapshot(&pando);
    bucket.pause().unwrap();
    let began = Instant::now();
    for number in 0..20 {
        write(&pando, &[&format!("slow-{number}")]);
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "writes waited for the bucket"
    );
    wait(|| (metric(&pando, "pando_backup_copy_lag_seconds ") > 1.0).then_some(()));
    bucket.go_on().unwrap();
    wait(|| (metric(&pando, "pando_backup_copy_lag_seconds ") == 0.0).then_some(()));
    let listed = done(pando.run("backup", &["list"]).unwrap());
    assert!(listed.contains("segments"), "{listed}");
    assert!(!pando.log().contains("not-shown-anywhere"));
    let explained = done(pando.run("config", &["explain"]).unwrap());
    assert!(!explained.contains("not-shown-anywhere"), "{explained}");
    let elsewhere = done(
        pando
            .run("backup", &["list", "s3://copies/elsewhere"])
            .unwrap(),
    );
    assert!(
        elsewhere.contains("nothing that can be restored"),
        "{elsewhere}"
    );
    let none = pando
        .run("backup", &["list", "s3://no-such-bucket/x"])
        .unwrap();
    assert!(!none.status.success(), "{}", text(&none));
}
