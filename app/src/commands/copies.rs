//! `pando backup list`: what can be restored.

use crate::config::Config;
use crate::output::say;
use crate::progress::size;
use anyhow::{Result, bail};
use pando_copy::Points;
use pando_kernel::Timestamp;
use serde_json::json;
use std::fmt::Write as _;

/// Lists what is in a store, or in those that are configured.
pub async fn list(config: &Config, from: Option<&str>, as_json: bool) -> Result<()> {
    let mut urls: Vec<&str> = match from {
        Some(url) => vec![url],
        None => [config.text("backup.to"), config.text("backup.copy_to")]
            .into_iter()
            .flatten()
            .collect(),
    };
    urls.dedup();
    if urls.is_empty() {
        bail!("name a folder or a bucket, or set backup.to or backup.copy_to");
    }
    let mut places = Vec::new();
    let mut text = String::new();
    for url in urls {
        let points = pando_copy::points(&config.store(url)?).await?;
        // Writing to a String does not fail.
        let _written = write!(text, "{url}\n{}", shown(&points));
        places.push(as_object(url, &points));
    }
    if as_json {
        return say(&format!("{}\n", json!({ "places": places })));
    }
    say(&text)
}

fn as_object(url: &str, points: &Points) -> serde_json::Value {
    let generations = points.generations.iter().map(|generation| {
        json!({
            "name": generation.name,
            "earliest": generation.earliest.to_string(),
            "latest": generation.latest.to_string(),
            "segments": generation.segments,
            "bytes": generation.bytes,
        })
    });
    let backups = points.backups.iter().map(|backup| {
        json!({
            "key": backup.key,
            "time": Timestamp(backup.time).to_string(),
            "bytes": backup.bytes,
            "rows": backup.rows,
        })
    });
    json!({
        "url": url,
        "generations": generations.collect::<Vec<_>>(),
        "backups": backups.collect::<Vec<_>>(),
    })
}

/// A line for each.
pub fn shown(points: &Points) -> String {
    let mut text = String::new();
    for generation in &points.generations {
        // Writing to a String does not fail.
        let _written = writeln!(
            text,
            "  copy    from {} to {}  {} segments, {}  ({})",
            generation.earliest,
            generation.latest,
            generation.segments,
            size(generation.bytes),
            generation.name
        );
    }
    for backup in &points.backups {
        let _written = writeln!(
            text,
            "  backup  of {}  {} rows, {}  ({})",
            Timestamp(backup.time),
            backup.rows,
            size(backup.bytes),
            backup.key
        );
    }
    if text.is_empty() {
        text.push_str("  nothing that can be restored\n");
    }
    text
}
