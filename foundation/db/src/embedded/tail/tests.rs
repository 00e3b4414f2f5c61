//! Writers and checkpoints of all kinds beside a tail; what it took, put over a snapshot, is the database.

use super::{CopySeam, Tail, TailError, Taken};
use crate::embedded::directory;
use rusqlite::Connection;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

struct Bed {
    directory: tempfile::TempDir,
    writer: Connection,
    /// Another connection, as a checkpointer on a thread of its own has it.
    other: Connection,
    random: u64,
}

impl Bed {
    fn new(seed: u64) -> Bed {
        let directory = tempfile::tempdir().unwrap();
        let file = directory::database_file(directory.path());
        let connect = || {
            let connection = Connection::open(&file).unwrap();
            connection
                .execute_batch(
                    "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF;",
                )
                .unwrap();
            connection
        };
        let writer = connect();
        writer
            .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
            .unwrap();
        Bed {
            other: connect(),
            writer,
            directory,
            random: seed,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    fn write(&mut self) {
        let (id, size) = (self.below(400) as i64 + 1, self.below(20_000) as i64);
        let sql = match self.below(20) {
            0 => "DELETE FROM t WHERE id > ?1 AND ?2 >= 0",
            1 => "DELETE FROM t WHERE id < ?1 AND ?2 >= 0",
            _ => "INSERT OR REPLACE INTO t VALUES (?1, randomblob(?2))",
        };
        self.writer.execute(sql, [id, size]).unwrap();
        if self.below(60) == 0 {
            self.writer.execute_batch("VACUUM").unwrap();
        }
    }

    /// A transaction that leaves frames behind and is rolled back.
    fn spill(&mut self) {
        self.writer
            .execute_batch("PRAGMA cache_size = 5; BEGIN")
            .unwrap();
        for id in 1..40 {
            self.writer
                .execute(
                    "INSERT OR REPLACE INTO t VALUES (?1, randomblob(9000))",
                    [id],
                )
                .unwrap();
        }
        self.writer
            .execute_batch("ROLLBACK; PRAGMA cache_size = -2000;")
            .unwrap();
    }

    fn checkpoint(&self, mode: &str) -> u64 {
        self.other
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
                row.get::<_, i64>(1)
            })
            .unwrap()
            .unsigned_abs()
    }

    fn dump(&self) -> String {
        dump(&self.other)
    }
}

fn dump(connection: &Connection) -> String {
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    let rows: String = connection
        .query_row(
            "SELECT count(*) || ':' || coalesce(group_concat(id || hex(substr(body, 1, 8)) || length(body)), '') FROM (SELECT * FROM t ORDER BY id)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    format!("{check} {rows}")
}

struct Replica(PathBuf);

impl Replica {
    fn of(bed: &Bed) -> Replica {
        let path = bed.path().join("replica.db");
        fs::write(&path, "").unwrap();
        Tail::snapshot(bed.path(), &path, &mut |_| {}).unwrap();
        Replica(path)
    }

    fn apply(&self, taken: &Taken) {
        let file = OpenOptions::new().write(true).open(&self.0).unwrap();
        let size = u64::from(taken.pages.size);
        for (number, page) in &taken.pages.pages {
            file.write_all_at(page, (u64::from(*number) - 1) * size)
                .unwrap();
        }
        file.set_len(u64::from(taken.pages.count) * size).unwrap();
    }

    fn dump(&self) -> String {
        let connection = Connection::open(&self.0).unwrap();
        let dump = dump(&connection);
        connection.close().unwrap();
        dump
    }
}

#[test]
fn a_snapshot_and_what_was_taken_since_are_the_database() {
    for seed in 0..6 {
        let mut bed = Bed::new(seed);
        for _ in 0..bed.below(20) {
            bed.write();
        }
        let mut tail = Tail::attach(bed.path(), CopySeam::default()).unwrap();
        tail.skip().unwrap();
        bed.write();
        let replica = Replica::of(&bed);
        for _ in 0..150 {
            match bed.below(8) {
                0..4 => bed.write(),
                4 => bed.spill(),
                5 => drop(bed.checkpoint("PASSIVE")),
                _ => {
                    let bytes_max = if bed.below(2) == 0 { 1 } else { usize::MAX };
                    if let Some(taken) = tail.take(bytes_max).unwrap() {
                        replica.apply(&taken);
                    }
                }
            }
        }
        while let Some(taken) = tail.take(usize::MAX).unwrap() {
            replica.apply(&taken);
        }
        assert_eq!(bed.dump(), replica.dump(), "seed {seed}");
    }
}

#[test]
fn a_log_that_was_not_taken_does_not_begin_anew_and_one_that_was_taken_does() {
    let mut bed = Bed::new(7);
    let mut tail = Tail::attach(bed.path(), CopySeam::default()).unwrap();
    tail.skip().unwrap();
    let salts = |tail: &Tail| tail.log.start().unwrap().unwrap().salts;
    let first = salts(&tail);
    for _ in 0..20 {
        bed.write();
        bed.checkpoint("PASSIVE");
    }
    assert_eq!(salts(&tail), first);
    // Twice: the transaction held after the first began when there was something to be taken.
    for _ in 0..2 {
        tail.take(usize::MAX).unwrap();
        bed.checkpoint("PASSIVE");
    }
    tail.take(usize::MAX).unwrap();
    bed.write();
    assert_eq!(salts(&tail)[0], first[0].wrapping_add(1));
    assert!(tail.take(usize::MAX).unwrap().is_some());
}

#[test]
fn the_log_is_handed_over_whole_and_begins_anew_under_load() {
    let mut bed = Bed::new(8);
    let seam = CopySeam::default();
    let mut tail = Tail::attach(bed.path(), seam.clone()).unwrap();
    tail.skip().unwrap();
    let replica = Replica::of(&bed);
    let copier = std::thread::spawn(move || {
        let mut anew = 0;
        let mut salts = None;
        loop {
            let asked = tail.wait(Duration::from_millis(20));
            while let Some(taken) = tail.take(usize::MAX).unwrap() {
                replica.apply(&taken);
                let now = Some(taken.to.salts);
                anew += usize::from(salts.is_some() && salts != now);
                salts = now;
            }
            if asked {
                tail.hand_over().unwrap();
            }
            if replica.0.with_extension("stop").exists() {
                return (replica, anew);
            }
        }
    });
    for _ in 0..20 {
        for _ in 0..5 {
            bed.write();
        }
        assert!(seam.let_go(Duration::from_secs(20)));
        let frames = bed.checkpoint("PASSIVE");
        seam.resume(Some(frames));
    }
    fs::write(bed.path().join("replica.stop"), "").unwrap();
    let (replica, anew) = copier.join().unwrap();
    assert_eq!(bed.dump(), replica.dump());
    assert!(anew > 10, "{anew}");
    assert!(seam.let_go(Duration::ZERO), "nobody copies any more");
    assert_eq!(seam.copied_through(), None);
}

#[test]
fn commits_that_passed_unseen_are_a_gap() {
    let mut bed = Bed::new(9);
    let mut tail = Tail::attach(bed.path(), CopySeam::default()).unwrap();
    bed.write();
    tail.skip().unwrap();
    tail.take(usize::MAX).unwrap();
    let position = tail.position().unwrap();
    drop(tail);
    let again = |bed: &Bed| {
        let mut tail = Tail::attach(bed.path(), CopySeam::default()).unwrap();
        let continues = tail.resume(position).unwrap();
        (tail, continues)
    };
    bed.write();
    let (mut tail, continues) = again(&bed);
    assert!(continues, "the same log, longer");
    assert!(tail.take(usize::MAX).unwrap().is_some());
    drop(tail);
    bed.checkpoint("RESTART");
    bed.write();
    assert!(!again(&bed).1, "another log");

    // A hold that was given up, and a log that began anew in the meantime.
    let mut tail = Tail::attach(bed.path(), CopySeam::default()).unwrap();
    tail.skip().unwrap();
    tail.release().unwrap();
    tail.proven = false;
    bed.write();
    bed.checkpoint("RESTART");
    bed.write();
    assert!(matches!(tail.take(usize::MAX), Err(TailError::Gap)));
}
