//! The command line, as clap reads it.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// The backend for a mobile app, in one executable.
#[derive(Debug, Parser)]
#[command(name = "pando", version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where settings come from besides the environment.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Settings given as flags. Each has its like in pando.toml and in the environment.
#[derive(Debug, Args)]
pub struct Overrides {
    /// The configuration file [default: ./pando.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "PANDO_CONFIG")]
    pub config: Option<PathBuf>,
    /// The data directory [default: ./pando-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// The directory of your *.sql files [default: ./migrations]
    #[arg(long, global = true, value_name = "DIR")]
    migrations: Option<String>,
    /// Where the API is served [default: 127.0.0.1:54321]
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where /metrics is served; empty for nowhere [default: 127.0.0.1:54320]
    #[arg(long, global = true, value_name = "ADDRESS")]
    metrics_listen: Option<String>,
    /// The URL clients use [default: http:// and the address]
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// The certificate chain; with it the API speaks TLS
    #[arg(long, global = true, value_name = "PEM")]
    tls_cert: Option<String>,
    /// The certificate's private key
    #[arg(long, global = true, value_name = "PEM")]
    tls_key: Option<String>,
}

impl Overrides {
    /// The flags that were given: names without dashes, and values.
    pub fn given(&self) -> Vec<(&'static str, String)> {
        let flags = [
            ("data", &self.data),
            ("migrations", &self.migrations),
            ("listen", &self.listen),
            ("metrics-listen", &self.metrics_listen),
            ("public-url", &self.public_url),
            ("tls-cert", &self.tls_cert),
            ("tls-key", &self.tls_key),
        ];
        flags
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)))
            .collect()
    }
}

/// What the executable can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API; applies pending migrations first
    Serve,
    /// Apply migrations, list them, or begin a new one
    Migrate {
        /// Which of the three.
        #[command(subcommand)]
        action: Migrate,
    },
    /// Copy the database to a file, while the server runs or not
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Backup {
        /// What else can be done with copies.
        #[command(subcommand)]
        action: Option<Copies>,
        /// The file to make
        #[arg(required = true)]
        file: Option<PathBuf>,
        /// Also copy the master key, to FILE.master.key: whoever holds both can sign tokens
        #[arg(long)]
        with_key: bool,
        /// Replace a file of this name
        #[arg(long)]
        replace: bool,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Put a database back from a copy, into a data directory that holds none
    Restore {
        /// A backup file, or the place backups or a continuous copy are in: a folder or s3://bucket/prefix
        from: String,
        /// The last moment wanted, as 2026-01-31T12:00:00Z; the newest there is if not given
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// The file of the master key; FILE.master.key beside a backup file is found
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the API keys
    Keys {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show the configuration
    Config {
        /// What to show.
        #[command(subcommand)]
        action: Configuration,
    },
    /// Look everything over: the disk, the file, the configuration, tables and policies
    Doctor {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List every route and who may call it
    Routes {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
}

/// What can be done with migrations.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Apply those that are pending
    Up,
    /// List them: applied, pending, changed
    Status,
    /// Begin a new one: an empty file with the next number
    New {
        /// What it does, in a few words
        name: String,
    },
}

/// What can be done with copies besides making one.
#[derive(Debug, Subcommand)]
pub enum Copies {
    /// List what can be restored
    List {
        /// A folder or s3://bucket/prefix [default: what backup.to and backup.copy_to say]
        from: Option<String>,
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
}

/// What can be shown of the configuration.
#[derive(Debug, Subcommand)]
pub enum Configuration {
    /// Every setting, its value and where it came from
    Explain,
}
