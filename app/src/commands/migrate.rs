//! `pando migrate up | status | new`: the team's migrations, without serving.

use crate::cli::Migrate;
use crate::config::Config;
use crate::instance::{self, Instance};
use crate::migrations;
use crate::output::say;
use anyhow::Result;
use std::fmt::Write as _;

/// Does what is asked of the migrations.
pub async fn migrate(config: &Config, action: &Migrate) -> Result<()> {
    if let Migrate::New { name } = action {
        let path = migrations::begin(&instance::migrations_directory(config), name)?;
        return say(&format!("{}\n", path.display()));
    }
    let mut instance = Instance::open_to_serve(config).await?;
    let text = match action {
        Migrate::Up => up(&instance, config).await,
        _ => status(&instance, config).await,
    };
    instance.close().await;
    say(&text?)
}

async fn up(instance: &Instance, config: &Config) -> Result<String> {
    let ran = instance.migrate_team(config).await?;
    if ran.is_empty() {
        return Ok("nothing to do\n".to_owned());
    }
    Ok(ran.iter().map(|name| format!("applied {name}\n")).collect())
}

async fn status(instance: &Instance, config: &Config) -> Result<String> {
    let (files, applied) = instance.team_migrations(config).await?;
    let mut text = String::new();
    for file in &files {
        let done = applied.iter().find(|done| *done.version == *file.version);
        let (state, when) = match done {
            None => ("pending", String::new()),
            Some(done) if done.checksum == file.checksum() => {
                ("applied", done.applied_at.to_string())
            }
            Some(done) => (
                "changed",
                format!("{} (the file was edited after it ran)", done.applied_at),
            ),
        };
        // Writing to a String does not fail.
        let _written = writeln!(text, "{state}  {}_{}  {when}", file.version, file.name);
    }
    for done in applied
        .iter()
        .filter(|done| !files.iter().any(|file| *file.version == *done.version))
    {
        let _written = writeln!(
            text,
            "missing  {}_{}  {} (it ran, and there is no file)",
            done.version, done.name, done.applied_at
        );
    }
    if text.is_empty() {
        text = format!(
            "no migrations in {}\n",
            instance::migrations_directory(config).display()
        );
    }
    Ok(text)
}
