//! `pando routes`: every route and who may call it. The test of authorisation takes its list from here.

use crate::config::Config;
use crate::instance::Instance;
use crate::output::say;
use anyhow::{Context, Result};
use serde_json::json;
use std::fmt::Write as _;

/// Prints the routes. They are those of a server with this configuration; its data directory is not touched.
pub async fn routes(config: &Config, as_json: bool) -> Result<()> {
    let scratch = tempfile::tempdir().context("make a scratch directory")?;
    let config = config.with_data_directory(scratch.path());
    let mut instance = Instance::open(&config).await?;
    let routes = instance.routes(&config, "http://127.0.0.1")?;
    let listed = routes.iter().flat_map(|routes| routes.list());
    let text = if as_json {
        let rows: Vec<_> = listed
            .map(|route| json!({"method": route.method.as_str(), "path": route.path, "access": route.access.name()}))
            .collect();
        format!("{}\n", json!(rows))
    } else {
        let mut text = String::new();
        for route in listed {
            // Writing to a String does not fail.
            let _written = writeln!(
                text,
                "{:7} {:8} {}",
                route.method.as_str(),
                route.access.name(),
                route.path
            );
        }
        text
    };
    instance.close().await;
    say(&text)
}
