//! The file and its keys.

use super::finding::{Finding, Level};
use crate::config::Config;
use crate::instance;
use anyhow::Result;
use pando_db::{Db, Health};
use std::path::Path;
use std::time::{Duration, Instant};

/// Reading a whole file may take its time.
const LONG: Duration = Duration::from_secs(24 * 3_600);
/// A log this long says that something holds on to it.
const LOG: u64 = 256 << 20;

/// Looks at the file, its log and the keys in it. Gives the database too, if it could be opened.
pub async fn look(config: &Config, directory: &Path) -> (Vec<Finding>, Option<Db>) {
    let db = match instance::open_read_only(config) {
        Ok(db) => db,
        Err(error) => {
            let finding = Finding::new(
                Level::Error,
                "integrity",
                format!("{error:#}"),
                "if the file is damaged, restore a backup",
            );
            return (vec![finding], None);
        }
    };
    let mut findings = match db.inspect(Instant::now() + LONG).await {
        Ok(health) => integrity(&health),
        Err(error) => vec![Finding::new(
            Level::Error,
            "integrity",
            error.to_string(),
            "keep a copy of the data directory as it is, then restore a backup",
        )],
    };
    findings.push(log(directory));
    findings.push(keys(instance::read_keys(config).await.map(drop)));
    (findings, Some(db))
}

fn integrity(health: &Health) -> Vec<Finding> {
    let mut findings: Vec<Finding> = health
        .damage
        .iter()
        .map(|line| {
            Finding::new(
                Level::Error,
                "integrity",
                line.clone(),
                "keep a copy of the data directory as it is, then restore a backup",
            )
        })
        .collect();
    if let Some(orphan) = &health.orphan {
        findings.push(Finding::new(
            Level::Error,
            "references",
            orphan.clone(),
            "add the row it refers to, or delete it",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            "integrity",
            format!(
                "all of {:.1} MiB is whole, {:.1} MiB of it free",
                mib(health.bytes),
                mib(health.free_bytes)
            ),
        ));
    }
    findings
}

fn log(directory: &Path) -> Finding {
    // There is none while nothing runs.
    let length = std::fs::metadata(directory.join("pando.db-wal")).map_or(0, |found| found.len());
    let message = format!("the log has {:.1} MiB", mib(length));
    if length > LOG {
        return Finding::new(
            Level::Warning,
            "log",
            message,
            "another program reads the file without end, or its copy does not get on: see the server's log",
        );
    }
    Finding::ok("log", message)
}

fn keys(read: Result<()>) -> Finding {
    match read {
        Ok(()) => Finding::ok("keys", "the master key opens the signing keys"),
        Err(error) => Finding::new(
            Level::Error,
            "keys",
            format!("{error:#}"),
            "put back master.key as it was, or set PANDO_MASTER_KEY to it: without it nobody stays signed in",
        ),
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
