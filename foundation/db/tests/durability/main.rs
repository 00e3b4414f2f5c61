//! What is acknowledged is on disk, and a request that fails takes nobody of its batch with it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod disk;

use disk::Disk;
use pando_db::{Config, Db, DbError, Migration, Tx};
use pando_kernel::{Limits, SystemClock};
use pando_sql::{SqlError, Value};
use pando_telemetry::Registry;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

fn config(directory: &Path) -> Config {
    Config {
        directory: directory.to_owned(),
        readers: 1,
        limits: Limits::default(),
        clock: Arc::new(SystemClock),
    }
}

fn open(directory: &Path) -> Db {
    Db::open(config(directory), &mut Registry::new()).unwrap()
}

fn notes() -> Migration {
    Migration {
        version: "1".into(),
        name: "notes".into(),
        file: "1_notes.sql".into(),
        sql: "create table notes (id bigint primary key, body text not null);".into(),
    }
}

async fn ready(directory: &Path) -> Db {
    let db = open(directory);
    db.migrate("test", &[notes()]).await.unwrap();
    db
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn insert(tx: &Tx<'_>, id: i64, body: &str) -> Result<u64, SqlError> {
    tx.execute(
        "insert into notes (id, body) values (?1, ?2)",
        &[Value::Int(id), body.into()],
    )
}

async fn ids(db: &Db) -> Vec<i64> {
    db.read(soon(), |tx| {
        tx.query("select id from notes order by id", &[])?
            .iter()
            .map(|row| row.get(0))
            .collect()
    })
    .await
    .unwrap()
}

/// Queues `count` writes while the writer is held by another one, so that they are one batch. Gives their answers in order.
async fn batch<F>(db: &Db, count: i64, write: F) -> Vec<Result<u64, DbError>>
where
    F: Fn(&Tx<'_>, i64) -> Result<u64, SqlError> + Clone + Send + 'static,
{
    let (release, held) = channel::<()>();
    let (started, start) = channel();
    let holder = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(soon(), move |_| {
                started.send(()).unwrap();
                held.recv().unwrap();
                Ok(())
            })
            .await
        }
    });
    tokio::task::spawn_blocking(move || start.recv().unwrap())
        .await
        .unwrap();
    let mut waiting = Vec::new();
    for id in 0..count {
        let (db, write) = (db.clone(), write.clone());
        waiting.push(tokio::spawn(async move {
            db.write(soon(), move |tx| write(tx, id)).await
        }));
        // Each is in the queue before the next, so the order is known.
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for answer in waiting {
        answers.push(answer.await.unwrap());
    }
    answers
}

/// All but `loser` are answered and on disk; the loser is neither.
async fn only_one_lost(db: &Db, answers: Vec<Result<u64, DbError>>, loser: i64) -> DbError {
    let mut lost = None;
    for (id, answer) in (0..).zip(answers) {
        match answer {
            Ok(1) if id != loser => {}
            Err(error) if id == loser => lost = Some(error),
            other => panic!("write {id} was answered {other:?}"),
        }
    }
    let kept = ids(db).await;
    assert!(
        (0..64)
            .filter(|id| *id != loser)
            .eq(kept.into_iter().filter(|id| (0..64).contains(id)))
    );
    lost.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_constraint_in_a_batch_of_64_hurts_nobody_else() {
    let _disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let db = ready(directory.path()).await;
    db.write(soon(), |tx| insert(tx, 1_000, "taken"))
        .await
        .unwrap();
    let answers = batch(&db, 64, |tx, id| {
        insert(tx, if id == 40 { 1_000 } else { id }, "kept")
    })
    .await;
    match only_one_lost(&db, answers, 40).await {
        DbError::Sql(error) => assert_eq!(error.state, "23505"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_batch_of_64_hurts_nobody_else() {
    let _disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let db = ready(directory.path()).await;
    let answers = batch(&db, 64, |tx, id| {
        let written = insert(tx, id, "kept");
        assert_ne!(id, 7, "on purpose");
        written
    })
    .await;
    assert!(matches!(
        only_one_lost(&db, answers, 7).await,
        DbError::Sql(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_in_a_batch_of_64_hurts_nobody_else() {
    let _disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let db = ready(directory.path()).await;
    // One writer is held, one request has a deadline that will pass while its statement runs, 64 stand around it.
    let (release, held) = channel::<()>();
    let holder = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(soon(), move |_| {
                held.recv().unwrap();
                Ok(())
            })
            .await
        }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut waiting = Vec::new();
    for id in 0..64 {
        let db = db.clone();
        waiting.push(tokio::spawn(async move {
            let deadline = if id == 20 { Instant::now() + Duration::from_millis(700) } else { soon() };
            let endless = "insert into notes (id, body) with recursive n(i) as (select 1 union all select i + 1 from n) select 5000 + i, 'x' from n";
            db.write(deadline, move |tx| if id == 20 { tx.execute(endless, &[]) } else { insert(tx, id, "kept") }).await
        }));
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for answer in waiting {
        answers.push(answer.await.unwrap());
    }
    assert!(matches!(
        only_one_lost(&db, answers, 20).await,
        DbError::Deadline
    ));
    assert!(
        ids(&db).await.iter().all(|id| *id < 5_000),
        "the interrupted statement left rows"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_in_a_batch_of_64_hurts_nobody_else() {
    let disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let db = ready(directory.path()).await;
    // Room for all small writes; the big one spills out of the page cache into the log long before the commit.
    disk.set_room(3 << 20);
    let answers = batch(&db, 64, |tx, id| {
        if id == 30 {
            for part in 0..24 {
                insert(tx, 10_000 + part, &"x".repeat(1 << 20))?;
            }
        }
        insert(tx, id, "kept")
    })
    .await;
    match only_one_lost(&db, answers, 30).await {
        DbError::Unavailable(reason) => assert!(reason.contains("space"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(
        ids(&db).await.iter().all(|id| *id < 10_000),
        "the write that found the disk full left rows"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_full_at_the_commit_is_told_and_writes_go_on_when_there_is_room() {
    let disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let db = ready(directory.path()).await;
    db.write(soon(), |tx| insert(tx, 1, "before"))
        .await
        .unwrap();
    disk.set_room(0);
    for id in 2..5 {
        match db.write(soon(), move |tx| insert(tx, id, "no room")).await {
            Err(DbError::Unavailable(reason)) => assert!(reason.contains("space"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ids(&db).await, [1], "reads go on");
    disk.set_room(i64::MAX);
    db.write(soon(), |tx| insert(tx, 9, "after")).await.unwrap();
    assert_eq!(ids(&db).await, [1, 9]);
    db.close().await;
    drop(db);
    assert_eq!(ids(&open(directory.path())).await, [1, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fsync_precedes_the_answer() {
    let disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let db = ready(directory.path()).await;
    disk.set_sync_time(Duration::from_millis(150));
    for id in 0..5 {
        let before = disk.syncs().len();
        let asked = Instant::now();
        db.write(soon(), move |tx| insert(tx, id, "durable"))
            .await
            .unwrap();
        let answered = Instant::now();
        let syncs = disk.syncs();
        assert_eq!(syncs.len(), before + 1, "one commit, one fsync");
        assert!(
            syncs[before] > asked && syncs[before] <= answered,
            "the answer came before the fsync ended"
        );
        assert!(answered - asked >= Duration::from_millis(150));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_shares_one_fsync() {
    let disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let db = ready(directory.path()).await;
    let before = disk.syncs().len();
    let answers = batch(&db, 64, |tx, id| insert(tx, id, "kept")).await;
    assert!(answers.iter().all(Result::is_ok));
    // The write that held the writer changed nothing, so its commit needs no sync.
    assert!(
        disk.syncs().len() - before <= 2,
        "{} syncs for 64 writes",
        disk.syncs().len() - before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_does_not_grow_without_end() {
    let _disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let db = ready(directory.path()).await;
    for id in 0..160 {
        db.write(soon(), move |tx| insert(tx, id, &"x".repeat(512 << 10)))
            .await
            .unwrap();
    }
    // A thread writes it back when it can; once it has, the log begins anew with the next write.
    let reader = rusqlite::Connection::open(directory.path().join("pando.db")).unwrap();
    let frames = || -> i64 {
        let sql = "pragma wal_checkpoint(noop)";
        reader.query_row(sql, [], |row| row.get(1)).unwrap()
    };
    let give_up = soon();
    let mut id = 1_000;
    while frames() * 4_120 >= 16 << 20 {
        assert!(
            Instant::now() < give_up,
            "80 MiB were written and the log has {} frames",
            frames()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
        db.write(soon(), move |tx| insert(tx, id, "small"))
            .await
            .unwrap();
        id += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_never_finishes_bounds_the_log_and_then_the_writes() {
    let _disk = Disk::take();
    let directory = tempfile::tempdir().unwrap();
    let bound = 32 << 20;
    let config = Config {
        limits: Limits {
            wal_bytes_max: bound,
            ..Limits::default()
        },
        ..config(directory.path())
    };
    let db = Db::open(config, &mut Registry::new()).unwrap();
    db.migrate("test", &[notes()]).await.unwrap();
    let file = directory.path().join("pando.db");
    let reader = rusqlite::Connection::open(&file).unwrap();
    reader.execute_batch("begin").unwrap();
    let count = |reader: &rusqlite::Connection| -> i64 {
        let sql = "select count(*) from notes";
        reader.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&reader), 0);
    let mut written = 0;
    let refused = loop {
        assert!(written < 100, "the log grew beyond its bound");
        match db
            .write(soon(), move |tx| {
                insert(tx, written, &"x".repeat(512 << 10))
            })
            .await
        {
            Ok(_) => written += 1,
            Err(error) => break error.to_string(),
        }
    };
    assert!(refused.contains("limits.wal_bytes_max"), "{refused}");
    let log = std::fs::metadata(directory.path().join("pando.db-wal")).unwrap();
    assert!(log.len() < bound + (2 << 20), "{} bytes", log.len());
    assert_eq!(count(&reader), 0, "its moment is kept");
    assert_eq!(ids(&db).await.len() as i64, written, "reads go on");
    reader.execute_batch("commit").unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    db.write(soon(), move |tx| insert(tx, written, "after"))
        .await
        .unwrap();
    assert_eq!(count(&reader), written + 1);
}

/// The process that `a_sync_that_fails_ends_the_process` watches.
#[tokio::test(flavor = "multi_thread")]
async fn writes_until_a_sync_fails() {
    let Some(directory) = std::env::var_os("DURABILITY_DIRECTORY") else {
        return;
    };
    let disk = Disk::take();
    let db = ready(Path::new(&directory)).await;
    db.write(soon(), |tx| insert(tx, 1, "before"))
        .await
        .unwrap();
    disk.fail_syncs();
    let answer = db.write(soon(), |tx| insert(tx, 2, "lost")).await;
    println!("it was answered {answer:?}");
}

#[test]
fn a_sync_that_fails_ends_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_a_sync_fails", "--nocapture"])
        .env("DURABILITY_DIRECTORY", directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert_eq!(child.status.code(), Some(74), "{said}");
    assert!(said.contains("fsync failed"), "{said}");
    let answered = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(!answered.contains("it was answered"), "{answered}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kept = runtime.block_on(async { ids(&open(directory.path())).await });
    assert!(kept.starts_with(&[1]), "{kept:?}");
}
