//! An instance: a data directory, opened, with its keys and its services.

use crate::config::{CONFIRMATIONS, Config};
use crate::copying::Copying;
use crate::migrations;
use anyhow::{Context, Result, bail};
use pando_auth::Auth;
use pando_db::{AppliedMigration, Db, Migration};
use pando_kernel::{Clock, Limits, SystemClock};
use pando_keys::{Keys, MasterKey};
use pando_net::Routes;
use pando_telemetry::Registry;
use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who owns the team's migrations in the record of those that ran.
pub const TEAM: &str = "app";
/// Who owns the seed.
const SEED: &str = "seed";

/// An opened data directory.
pub struct Instance {
    /// The database.
    pub db: Db,
    /// What tokens are signed and verified with.
    pub keys: Arc<Keys>,
    /// Everything measured.
    pub registry: Registry,
    /// The bounds of the process.
    pub limits: Limits,
    auth: Option<Arc<Auth>>,
    clock: Arc<dyn Clock>,
    copying: Copying,
}

impl Instance {
    /// Opens the data directory, making it if it is new, and brings our own tables up to date.
    pub async fn open(config: &Config) -> Result<Instance> {
        Instance::open_copied(config, Copying::none()).await
    }

    /// The same, for the server: its log is copied from the first moment on.
    pub async fn open_to_serve(config: &Config) -> Result<Instance> {
        Instance::open_copied(config, Copying::prepare(config).await?).await
    }

    async fn open_copied(config: &Config, mut copying: Copying) -> Result<Instance> {
        let directory = data_directory(config);
        let mut registry = Registry::new();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let db = Db::open_copied(
            database(config, &directory, clock.clone())?,
            copying.seam.clone(),
            &mut registry,
        )?;
        copying.begin(&directory, clock.clone(), &mut registry)?;
        db.migrate("keys", pando_keys::migrations())
            .await
            .context("bring the table of keys up to date")?;
        db.migrate("auth", pando_auth::migrations())
            .await
            .context("bring the tables of sign-in up to date")?;
        let master = match master_key(config)? {
            Some(key) => key,
            None => MasterKey::load_or_create(&directory)?,
        };
        let keys = Keys::open(&db, master, config.secret("jwt_secret"), clock.clone()).await?;
        Ok(Instance {
            db,
            keys,
            registry,
            limits: config.limits()?,
            auth: None,
            clock,
            copying,
        })
    }

    /// Begins to make backups on a schedule, if they are wanted.
    pub fn schedule_backups(&mut self, config: &Config) -> Result<()> {
        self.copying
            .schedule(config, &data_directory(config), self.clock.clone())
    }

    /// Brings the team's own tables up to date and reads the seed if the data directory is new. Answers what ran.
    pub async fn migrate_team(&self, config: &Config) -> Result<Vec<String>> {
        let found = migrations::read(&migrations_directory(config))?;
        // The wish to seed is a file, so that a seed with an error in it is read again once it is mended.
        let wish = data_directory(config).join("seed.pending");
        let applied = self.db.migration_status(TEAM).await?;
        let seed = seed_file(config);
        if applied.is_empty() && seed.exists() {
            keep(&wish).with_context(|| format!("write {}", wish.display()))?;
        }
        let mut ran = self.db.migrate(TEAM, &found).await?;
        if wish.exists() && seed.exists() {
            let file = seed.display().to_string();
            let sql = fs::read_to_string(&seed).with_context(|| format!("read {file}"))?;
            let migration = Migration {
                version: Cow::Borrowed("seed"),
                name: Cow::Borrowed(""),
                file: Cow::Owned(file),
                sql: Cow::Owned(sql),
            };
            ran.extend(self.db.migrate(SEED, &[migration]).await?);
            fs::remove_file(&wish).with_context(|| format!("remove {}", wish.display()))?;
        }
        Ok(ran)
    }

    /// The team's migrations as files, and what is known of those that ran.
    pub async fn team_migrations(
        &self,
        config: &Config,
    ) -> Result<(Vec<Migration>, Vec<AppliedMigration>)> {
        let found = migrations::read(&migrations_directory(config))?;
        Ok((found, self.db.migration_status(TEAM).await?))
    }

    /// Every service's routes. `public_url` is where clients reach us, without a slash at its end.
    pub fn routes(&mut self, config: &Config, public_url: &str) -> Result<Vec<Routes>> {
        let settings = self.auth_config(config, public_url)?;
        let auth = Auth::start(
            self.db.clone(),
            self.keys.clone(),
            settings,
            self.clock.clone(),
            &mut self.registry,
        )?;
        let data = pando_data::Config {
            schemas: config.list("data.schemas"),
            allow_unprotected: config.switch("data.allow_unprotected")?,
            limits: self.limits.clone(),
            ..pando_data::Config::default()
        };
        let metrics = pando_data::Metrics::register(&mut self.registry);
        // Sessions hold tokens beside names the client chose, which compression would let leak.
        let routes = vec![
            pando_auth::routes(&auth).uncompressed(),
            pando_data::routes(self.db.clone(), data, metrics),
        ];
        self.auth = Some(auth);
        Ok(routes)
    }

    /// Lets waiting mail go, then waiting writes, and gives the directory free.
    pub async fn close(&mut self) {
        if let Some(auth) = &self.auth {
            auth.close().await;
        }
        self.copying.end_schedule();
        self.db.close().await;
        self.copying.end().await;
    }

    fn auth_config(&self, config: &Config, public_url: &str) -> Result<pando_auth::Config> {
        let mail = match config.secret("smtp.url") {
            None => pando_auth::Mail::Folder {
                path: mail_folder(config),
            },
            Some(url) => {
                let from = config
                    .text("smtp.from")
                    .context("smtp.url is set, so smtp.from must say who sends")?;
                pando_auth::Mail::Smtp {
                    url,
                    from: from.to_owned(),
                }
            }
        };
        let site_url = config.text("auth.site_url").unwrap_or(public_url);
        let mut auth = pando_auth::Config::new(site_url, format!("{public_url}/auth/v1"), mail);
        auth.redirect_allow = config.list("auth.redirect_urls");
        auth.access_token_lifetime = self.limits.access_token_lifetime;
        auth.limits = config.credential_limits()?;
        auth.refresh_grace = self.limits.refresh_grace;
        auth.autoconfirm = match config.choice("auth.confirm_email", CONFIRMATIONS)? {
            "auto" => None,
            confirm => Some(confirm == "false"),
        };
        auth.disable_signup = !config.switch("auth.sign_up")?;
        auth.anonymous_enabled = config.switch("auth.anonymous")?;
        auth.password_length_min = config.password_length_min()?;
        Ok(auth)
    }
}

/// The database of a data directory for reading, whether a server runs on it or not. Nothing is made or changed.
pub fn open_read_only(config: &Config) -> Result<Db> {
    let directory = data_directory(config);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Db::open_read_only(database(config, &directory, clock)?)?)
}

/// The keys of a data directory, whether a server runs on it or not. Nothing is made or changed.
pub async fn read_keys(config: &Config) -> Result<Arc<Keys>> {
    let directory = data_directory(config);
    if !directory.is_dir() {
        bail!(
            "there is no data directory {}: the first `pando serve` makes it and the keys",
            directory.display()
        );
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let db = open_read_only(config)?;
    let master = existing_master_key(config)?;
    Ok(Keys::open_existing(&db, master, config.secret("jwt_secret"), clock).await?)
}

/// The master key: as configured, else the data directory's. None is made.
pub fn existing_master_key(config: &Config) -> Result<MasterKey> {
    let directory = data_directory(config);
    match master_key(config)? {
        Some(key) => Ok(key),
        None => MasterKey::load(&directory)?.with_context(|| {
            format!(
                "there is no master key in {} and PANDO_MASTER_KEY is not set",
                directory.display()
            )
        }),
    }
}

/// Makes an empty file that a power cut leaves there.
fn keep(path: &Path) -> std::io::Result<()> {
    fs::File::create(path)?.sync_all()?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The data directory.
pub fn data_directory(config: &Config) -> PathBuf {
    config
        .path("data_dir")
        .unwrap_or_else(|| PathBuf::from("./pando-data"))
}

/// Where the team's migrations are.
pub fn migrations_directory(config: &Config) -> PathBuf {
    config
        .path("migrations")
        .unwrap_or_else(|| PathBuf::from("./migrations"))
}

/// Where mail goes without a mail server.
pub fn mail_folder(config: &Config) -> PathBuf {
    data_directory(config).join("mail")
}

fn seed_file(config: &Config) -> PathBuf {
    config.path("seed").unwrap_or_else(|| {
        let migrations = migrations_directory(config);
        migrations
            .parent()
            .unwrap_or(Path::new("."))
            .join("seed.sql")
    })
}

fn master_key(config: &Config) -> Result<Option<MasterKey>> {
    let text = config.secret("master_key");
    Ok(text
        .map(|text| MasterKey::from_env_text(text.expose()))
        .transpose()?)
}

fn database(config: &Config, directory: &Path, clock: Arc<dyn Clock>) -> Result<pando_db::Config> {
    let readers = config.threads("threads.readers")?;
    Ok(pando_db::Config {
        directory: directory.to_owned(),
        readers: readers.unwrap_or_else(|| cores().max(2)),
        limits: config.limits()?,
        clock,
    })
}

/// How many threads can run at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}
