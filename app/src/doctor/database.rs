//! The file and its keys.

use super::finding::{Finding, Level};
use crate::config::Config;
use crate::instance;
use anyhow::Result;
use pando_db::Db;
use std::path::Path;

/// A log this long says that something holds on to it.
const LOG: u64 = 256 << 20;

/// Looks at the file, its log and the keys in it. Gives the database too, if it could be opened.
pub async fn look(config: &Config, directory: &Path) -> (Vec<Finding>, Option<Db>) {
    let db = match instance::open_read_only(config) {
        Ok(db) => db,
        Err(error) => return (vec![damaged(format!("{error:#}"))], None),
    };
    let file = pando_db::database_file(directory);
    let whole = tokio::task::spawn_blocking(move || pando_db::inspect(&file)).await;
    let mut findings = vec![match whole {
        Ok(Ok(contents)) => Finding::ok(
            "integrity",
            format!(
                "{} rows in {} tables, {:.1} MiB, all of it whole",
                contents.rows,
                contents.tables,
                mib(contents.bytes)
            ),
        ),
        Ok(Err(error)) => damaged(error.to_string()),
        Err(error) => damaged(error.to_string()),
    }];
    findings.push(log(directory));
    findings.push(keys(instance::read_keys(config).await.map(drop)));
    (findings, Some(db))
}

fn damaged(message: String) -> Finding {
    Finding::new(
        Level::Error,
        "integrity",
        message,
        "keep a copy of the data directory as it is, then restore a backup",
    )
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
