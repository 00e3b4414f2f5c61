//! Copies of the file, by hand and on a schedule, beside a server that writes.

use pando_testkit::{Pando, Setup};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};
use std::{fs, thread};

const SCHEMA: &str =
    "create table notes (id bigint primary key, body text not null, price numeric);
alter table notes enable row level security;
create index on notes (price);";

fn server(config: &str) -> Pando {
    Setup::new()
        .migration("0001_notes", SCHEMA)
        .config(config)
        .start()
        .unwrap()
}

fn insert(pando: &Pando, ids: std::ops::Range<i64>) {
    let mut client = pando.client().keyed(&pando.keys().unwrap().secret, None);
    let rows: Vec<Value> = ids
        .map(|id| json!({"id": id, "body": "x".repeat(300), "price": format!("{id}.50")}))
        .collect();
    let answer = client.post("/rest/v1/notes", &Value::Array(rows)).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
}

fn count(pando: &Pando) -> i64 {
    let mut client = pando
        .client()
        .keyed(&pando.keys().unwrap().secret, None)
        .with("prefer", "count=exact");
    let answer = client.get("/rest/v1/notes?select=id&limit=1").unwrap();
    let range = answer.header("content-range").unwrap_or_default();
    let total = range
        .rsplit('/')
        .next()
        .and_then(|total| total.parse().ok());
    total.unwrap_or_else(|| panic!("{}", answer.text()))
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

fn refused(output: Output) -> String {
    assert!(!output.status.success(), "{}", text(&output));
    text(&output)
}

#[test]
fn a_backup_beside_a_writing_server_is_restored_with_its_keys() {
    let pando = server("");
    let file = pando.folder().join("copy.db");
    let path = file.display().to_string();
    insert(&pando, 0..500);
    let keys = pando.keys().unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| (1..20).for_each(|n| insert(&pando, n * 500..(n + 1) * 500)));
        let answer = done(
            pando
                .run("backup", &[&path, "--with-key", "--json"])
                .unwrap(),
        );
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["verified"], true);
        assert!(answer["rows"].as_i64().unwrap() >= 500, "{answer}");
        writer.join().unwrap();
    });
    let key = format!("{path}.master.key");
    for made in [&*path, &*key] {
        let mode = fs::metadata(made).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{made}");
    }
    assert!(
        !fs::read_dir(pando.folder()).unwrap().any(|entry| {
            let name = entry.unwrap().file_name();
            name.to_string_lossy().contains("partial")
        }),
        "no draft is left"
    );
    assert!(refused(pando.run("backup", &[&path]).unwrap()).contains("--replace"));
    let told = done(pando.run("backup", &[&path, "--replace"]).unwrap());
    assert!(told.contains("master.key"), "{told}");
    // Into the directory a server runs on, and into one that holds something.
    assert!(refused(pando.run("restore", &[&path]).unwrap()).contains("another process"));

    let mut again = Setup::new()
        .migration("0001_notes", SCHEMA)
        .prepare()
        .unwrap();
    done(again.run("restore", &[&path]).unwrap());
    assert!(refused(again.run("restore", &[&path]).unwrap()).contains("holds a database already"));
    again.start().unwrap();
    assert_eq!(again.keys().unwrap().secret, keys.secret);
    assert_eq!(count(&again), 10_000);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let pando = server("");
    insert(&pando, 0..2_000);
    let file = pando.folder().join("copy.db");
    let path = file.display().to_string();
    done(pando.run("backup", &[&path]).unwrap());
    let whole = fs::read(&file).unwrap();
    let target = Setup::new().prepare().unwrap();
    // A page in the middle, the end, the beginning.
    let middle = whole.len() / 2 / 4_096 * 4_096;
    let mut torn = whole.clone();
    torn[middle..middle + 4_096].fill(0xff);
    let mut headless = whole.clone();
    headless[..100].fill(0);
    for (what, bytes) in [
        ("torn", &torn[..]),
        ("short", &whole[..middle]),
        ("headless", &headless[..]),
        ("empty", &[]),
    ] {
        let damaged = pando.folder().join(format!("{what}.db"));
        fs::write(&damaged, bytes).unwrap();
        let told = refused(
            target
                .run("restore", &[&damaged.display().to_string()])
                .unwrap(),
        );
        assert!(told.contains("pando:"), "{what}: {told}");
        assert!(!target.data().join("pando.db").exists(), "{what}: {told}");
    }
    let live = pando.data().join("pando.db").display().to_string();
    let told = refused(target.run("restore", &[&live]).unwrap());
    assert!(told.contains("has a log beside it"), "{told}");
    done(target.run("restore", &[&path]).unwrap());
}

#[test]
fn a_backup_or_a_restore_that_is_killed_leaves_nothing_that_counts() {
    let pando = server("");
    for n in 0..10 {
        insert(&pando, n * 1_000..(n + 1) * 1_000);
    }
    let file = pando.folder().join("copy.db");
    let path = file.display().to_string();
    let kill_after = |pando: &Pando, verb: &str, millis: u64| {
        let mut child = pando.command(verb).unwrap().arg(&path).spawn().unwrap();
        thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
    };
    for round in 0..8 {
        kill_after(&pando, "backup", round * 12);
        if file.exists() {
            let target = Setup::new().prepare().unwrap();
            done(target.run("restore", &[&path]).unwrap());
            fs::remove_file(&file).unwrap();
        }
    }
    done(pando.run("backup", &[&path, "--with-key"]).unwrap());
    for round in 0..8 {
        let mut target = Setup::new()
            .migration("0001_notes", SCHEMA)
            .prepare()
            .unwrap();
        kill_after(&target, "restore", round * 12);
        if target.data().join("pando.db").exists() {
            target.start().unwrap();
            assert_eq!(count(&target), 10_000);
        } else {
            done(target.run("restore", &[&path]).unwrap());
        }
    }
}

#[test]
fn backups_on_a_schedule_are_verified_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").display().to_string();
    let config = format!("[backup]\nevery = \"1s\"\nkeep = 2\nto = {store:?}\n");
    let pando = server(&config);
    insert(&pando, 0..10);
    let listed = || -> Vec<Value> {
        let output = done(pando.run("backup", &["list", "--json"]).unwrap());
        let listed: Value = serde_json::from_str(&output).unwrap();
        listed["places"][0]["backups"].as_array().unwrap().clone()
    };
    let first = wait(|| listed().first().cloned());
    let later = wait(|| {
        let now = listed();
        (now.len() == 2 && now[0]["time"].as_str() > first["time"].as_str()).then_some(now)
    });
    assert!(wait(|| (objects(Path::new(&store)) <= 4).then_some(true)));
    assert!(later[1]["rows"].as_i64().unwrap() >= 10);
    let metrics = pando.metrics().unwrap();
    assert!(
        metrics.contains("pando_backup_failures_total 0"),
        "{metrics}"
    );
    let target = Setup::new().prepare().unwrap();
    let told = done(target.run("restore", &[&store]).unwrap());
    assert!(told.contains("As it was at"), "{told}");

    // A place that is gone: told, counted, and the server goes on.
    fs::rename(&store, format!("{store}-away")).unwrap();
    wait(|| {
        let metrics = pando.metrics().unwrap();
        (!metrics.contains("pando_backup_failures_total 0")).then_some(())
    });
    assert!(pando.log().contains("a scheduled backup failed"));
    insert(&pando, 10..20);
}

fn objects(folder: &Path) -> usize {
    fs::read_dir(folder.join("backups")).map_or(0, Iterator::count)
}

fn wait<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not come about");
        thread::sleep(Duration::from_millis(50));
    }
}
