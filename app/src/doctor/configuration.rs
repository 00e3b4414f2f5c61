//! Settings that start and will hurt, and migrations that do not fit what ran.

use super::finding::{Finding, Level};
use crate::config::Config;
use crate::{instance, migrations};
use anyhow::Result;
use pando_db::Db;

/// Looks at the settings of a server that others reach.
pub fn look(config: &Config) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut warn = |message: &str, advice: &str| {
        findings.push(Finding::new(Level::Warning, "settings", message, advice));
    };
    let listen = config.address("listen")?;
    let open = listen.is_some_and(|listen| !listen.ip().is_loopback());
    let public = config
        .text("public_url")
        .is_some_and(|url| !url.contains("://127.") && !url.contains("://localhost"));
    let tls = config.text("tls.cert").is_some();
    let proxied = !config.list("trusted_proxies").is_empty();
    if open && !tls && !proxied {
        warn(
            "the API is open to others without TLS: passwords and tokens can be read on the way",
            "set tls.cert and tls.key, or put a proxy in front and name it in trusted_proxies",
        );
    }
    if open && config.text("public_url").is_none() {
        warn(
            "the API is open to others and public_url is not set: links in mails lead nowhere",
            "set public_url to the URL that apps use",
        );
    }
    if (open || public) && config.secret("smtp.url").is_none() {
        warn(
            "mails are written to a folder: nobody can confirm an address or recover a password",
            "set smtp.url and smtp.from",
        );
    }
    let metrics = config.address("metrics_listen")?;
    if metrics.is_some_and(|metrics| !metrics.ip().is_loopback()) {
        warn(
            "/metrics is open to others",
            "set metrics_listen to an address of an inner network",
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("settings", "nothing stands out"));
    }
    Ok(findings)
}

/// Compares the migrations that ran with the files.
pub async fn migrated(config: &Config, db: &Db) -> Result<Vec<Finding>> {
    let files = migrations::read(&instance::migrations_directory(config))?;
    let applied = db.migration_status(instance::TEAM).await?;
    let mut findings = Vec::new();
    for file in &files {
        match applied.iter().find(|done| *done.version == *file.version) {
            None => findings.push(Finding::new(
                Level::Note,
                "migrations",
                format!("{} has not run", file.file),
                "the next start runs it, or `pando migrate up` now",
            )),
            Some(done) if done.checksum != file.checksum() => findings.push(Finding::new(
                Level::Error,
                "migrations",
                format!("{} was changed after it ran", file.file),
                "put it back as it was, and write a new migration for the change",
            )),
            Some(_) => {}
        }
    }
    let gone = |version: &str| !files.iter().any(|file| *file.version == *version);
    for done in applied.iter().filter(|done| gone(&done.version)) {
        findings.push(Finding::new(
            Level::Warning,
            "migrations",
            format!("{} ran, and there is no file of it", done.version),
            "bring the file back: a new data directory would lack it",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            "migrations",
            format!("all {} have run", files.len()),
        ));
    }
    Ok(findings)
}
