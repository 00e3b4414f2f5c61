//! Another process reads without end, so that the log can't begin anew.

use crate::checker::{Breach, Violation};
use crate::clients::Load;
use crate::life::Life;
use crate::nemesis::faults::{expect_progress, expect_reads};
use crate::nemesis::kill::wait_for_load;
use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// How long the log may become, as the server is configured for this.
pub const BOUND: u64 = 32 << 20;
/// What one batch may add when there was room still.
const OVER: u64 = 8 << 20;

/// Writes until the log is at its bound: writes are then refused and say why, reads go on, and writes do once the reader is gone.
pub fn endless(life: &mut Life) -> Result<Vec<Violation>> {
    let keys = life.keys.clone().context("know the keys")?;
    let load = Load { heavy: true };
    let file = life.data().join("pando.db");
    let log = life.data().join("pando.db-wal");
    let ((), seen) = life.load(load, |site, seen| {
        wait_for_load(seen);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(&file, flags)?;
        reader.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
        let until = Instant::now() + Duration::from_secs(60);
        while seen.status(503) == 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(10));
        }
        if seen.status(503) == 0 {
            let text = "something reads without end, and no write is refused";
            seen.complain(Breach::Conduct, text.to_owned());
        }
        expect_reads(site, &keys, seen, "while something reads without end");
        let length = fs::metadata(&log)?.len();
        if length > BOUND + OVER {
            seen.complain(
                Breach::Conduct,
                format!("the log has {length} bytes and was to have {BOUND} at most"),
            );
        }
        let metrics = site.pando.metrics()?;
        let told = metrics
            .lines()
            .find_map(|line| line.strip_prefix("pando_db_wal_bytes "))
            .and_then(|value| value.trim().parse::<f64>().ok());
        if told.is_none_or(|told| told < BOUND as f64 * 0.8) {
            seen.complain(
                Breach::Conduct,
                format!("the log has {length} bytes, and the metric says {told:?}"),
            );
        }
        if !site.pando.log().contains("WARN") {
            let text = "the log is at its bound, and nobody is warned of it";
            seen.complain(Breach::Conduct, text.to_owned());
        }
        reader.execute_batch("COMMIT")?;
        drop(reader);
        expect_progress(seen, "after the reader ended");
        site.strike()
    })?;
    Ok(seen.violations())
}
