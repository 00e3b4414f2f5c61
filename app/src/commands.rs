//! One module a command.

mod backup;
mod doctor;
mod keys;
mod migrate;
mod restore;
mod routes;
mod serve;

use crate::cli::{Arguments, Command};
use crate::config::Config;
use crate::instance;
use crate::output::say;
use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// Reads the configuration and does what is asked.
pub fn run(arguments: Arguments) -> Result<()> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::load(
        arguments.overrides.config.as_deref(),
        variables,
        arguments.overrides.given(),
    )?;
    match arguments.command {
        Command::Serve => runtime(&config)?.block_on(serve::serve(&config)),
        Command::Migrate { action } => {
            runtime(&config)?.block_on(migrate::migrate(&config, &action))
        }
        Command::Backup {
            file,
            with_key,
            replace,
            json,
            ..
        } => backup::back_up(
            &config,
            &file.context("name the file to make")?,
            &backup::Wanted {
                with_key,
                replace,
                json,
            },
        ),
        Command::Restore {
            from,
            at,
            key,
            json,
        } => restore::restore(
            &config,
            &restore::Wanted {
                from,
                at,
                key,
                json,
            },
        ),
        Command::Keys { json } => runtime(&config)?.block_on(keys::keys(&config, json)),
        Command::Doctor { json } => runtime(&config)?.block_on(doctor::doctor(&config, json)),
        Command::Routes { json } => runtime(&config)?.block_on(routes::routes(&config, json)),
        Command::Config { .. } => say(&config.explain()),
    }
}

fn runtime(config: &Config) -> Result<Runtime> {
    let workers = config
        .threads("threads.workers")?
        .unwrap_or_else(instance::cores);
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("pando-worker")
        .enable_all()
        .build()
        .context("start the threads that serve requests")
}
