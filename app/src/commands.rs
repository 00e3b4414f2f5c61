//! One module a command.

mod backup;
mod copies;
mod doctor;
mod keys;
mod migrate;
mod restore;
mod routes;
mod serve;

use crate::cli::{Arguments, Command, Copies};
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
            action: Some(Copies::List { from, json }),
            ..
        } => runtime(&config)?.block_on(copies::list(&config, from.as_deref(), json)),
        Command::Backup {
            file,
            with_key,
            replace,
            json,
            ..
        } => {
            let wanted = backup::Wanted {
                with_key,
                replace,
                json,
            };
            backup::back_up(&config, &file.context("name the file to make")?, &wanted)
        }
        Command::Restore {
            from,
            at,
            key,
            json,
        } => {
            let wanted = restore::Wanted {
                from,
                at,
                key,
                json,
            };
            runtime(&config)?.block_on(restore::restore(&config, &wanted))
        }
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
