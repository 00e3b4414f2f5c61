//! `pando doctor`: looks everything over and says what to do.

use crate::config::Config;
use crate::doctor::finding::{Finding, Level, text};
use crate::doctor::{configuration, database, disk, schema};
use crate::instance;
use crate::output::say;
use anyhow::{Result, bail};
use serde::Serialize;

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    findings: &'a [Finding],
}

/// Prints what was found; an error if something is broken.
pub async fn doctor(config: &Config, json: bool) -> Result<()> {
    let directory = instance::data_directory(config);
    if !directory.is_dir() {
        bail!(
            "there is no data directory {}: the first `pando serve` makes it",
            directory.display()
        );
    }
    let mut findings = disk::look(&directory);
    let (found, db) = database::look(config, &directory).await;
    findings.extend(found);
    findings.extend(configuration::look(config)?);
    if let Some(db) = db {
        findings.extend(configuration::migrated(config, &db).await?);
        findings.extend(schema::look(config, &db.catalog())?);
    }
    let broken = findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .count();
    if json {
        let report = Report {
            ok: broken == 0,
            findings: &findings,
        };
        say(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        say(&text(&findings))?;
    }
    match broken {
        0 => Ok(()),
        1 => bail!("one thing is broken"),
        _ => bail!("{broken} things are broken"),
    }
}
