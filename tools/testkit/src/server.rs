//! The real executable, started in a folder of its own on a port of its own.

use crate::{Client, executable};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};
use tempfile::TempDir;

/// How long a server may take to say where it listens.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// The keys of an instance, as `pando keys --json` prints them.
#[derive(Clone, Debug)]
pub struct Keys {
    /// `sb_publishable_..`: what an app carries.
    pub publishable: String,
    /// `sb_secret_..`: what the team's servers carry.
    pub secret: String,
    /// The legacy token of the role `anon`.
    pub anon: String,
    /// The legacy token of the role `service_role`.
    pub service_role: String,
}

/// What a server is started with.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    migrations: Vec<(String, String)>,
    migrations_folder: Option<PathBuf>,
    config: String,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    data: Option<PathBuf>,
    executable: Option<PathBuf>,
}

impl Setup {
    /// An empty folder, no migrations.
    pub fn new() -> Setup {
        Setup::default()
    }

    /// Adds a migration; `name` is the file's name without `.sql`, and must sort in the order of application.
    pub fn migration(mut self, name: &str, sql: &str) -> Setup {
        self.migrations.push((name.to_owned(), sql.to_owned()));
        self
    }

    /// Uses a folder of migrations of the checkout, as `examples/chat/migrations`.
    pub fn migrations_of(mut self, folder: &str) -> Setup {
        self.migrations_folder = Some(executable::checkout().join(folder));
        self
    }

    /// Adds lines to `pando.toml`.
    pub fn config(mut self, toml: &str) -> Setup {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// Sets an environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Setup {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a flag to `pando serve`.
    pub fn argument(mut self, argument: &str) -> Setup {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Keeps the data there, on another disk for instance, and not in the server's folder.
    pub fn data_at(mut self, directory: &Path) -> Setup {
        self.data = Some(directory.to_owned());
        self
    }

    /// Runs this executable, and not the one under test.
    pub fn executable(mut self, path: &Path) -> Setup {
        self.executable = Some(path.to_owned());
        self
    }

    /// Makes the folder and starts the server; it answers when this returns.
    pub fn start(self) -> Result<Pando> {
        let mut pando = self.prepare()?;
        pando.start()?;
        Ok(pando)
    }

    /// Makes the folder without starting anything.
    pub fn prepare(self) -> Result<Pando> {
        let folder = tempfile::Builder::new()
            .prefix("pando-")
            .tempdir()
            .context("make a folder for the server")?;
        let migrations = folder.path().join("migrations");
        fs::create_dir_all(&migrations)?;
        for (name, sql) in &self.migrations {
            fs::write(migrations.join(name).with_extension("sql"), sql)?;
        }
        if !self.config.is_empty() {
            fs::write(folder.path().join("pando.toml"), &self.config)?;
        }
        Ok(Pando {
            folder,
            setup: self,
            running: None,
            address: None,
            metrics: None,
        })
    }
}

/// A server of one test, in one folder, which survives its being killed and started again.
pub struct Pando {
    folder: TempDir,
    setup: Setup,
    running: Option<Running>,
    address: Option<SocketAddr>,
    metrics: Option<SocketAddr>,
}

struct Running {
    child: Child,
    printed: Arc<Mutex<String>>,
}

impl Pando {
    /// Starts the server (again, on the port it had). Returns when `/ready` answers 200.
    pub fn start(&mut self) -> Result<()> {
        self.spawn()?;
        self.wait_ready()
    }

    /// Starts the process and does not wait for it.
    pub fn spawn(&mut self) -> Result<()> {
        let listen = self
            .address
            .map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
        let metrics = self
            .metrics
            .map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut command = self.command("serve")?;
        command
            .args(["--listen", &listen, "--metrics-listen", &metrics])
            .args(&self.setup.arguments);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("start pando")?;
        let printed = Arc::new(Mutex::new(String::new()));
        if let Some(stdout) = child.stdout.take() {
            let printed = Arc::clone(&printed);
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
                    printed.push_str(&line);
                    printed.push('\n');
                }
            });
        }
        self.running = Some(Running { child, printed });
        Ok(())
    }

    /// Waits until `/ready` answers 200.
    pub fn wait_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        let running = self.running.as_mut().context("find the started server")?;
        loop {
            let printed = running
                .printed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let address = address_after(&printed, "API");
            if let (Some(address), Some(metrics)) = (address, address_after(&printed, "metrics")) {
                self.address = Some(address);
                self.metrics = Some(metrics);
                if Client::new(address)
                    .get("/ready")
                    .is_ok_and(|answer| answer.status == 200)
                {
                    return Ok(());
                }
            }
            if let Some(status) = running.child.try_wait()? {
                self.running = None;
                bail!("pando serve ended with {status}:\n{printed}{}", self.log());
            }
            if began.elapsed() > START_DEADLINE {
                bail!("pando serve did not get ready:\n{printed}{}", self.log());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// A `pando` command that runs in this server's folder and sees its configuration.
    pub fn command(&self, verb: &str) -> Result<Command> {
        let mut command = Command::new(match &self.setup.executable {
            Some(path) => path,
            None => executable::pando()?,
        });
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PANDO_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.folder.path()).arg(verb);
        if let (Some(folder), "serve" | "migrate") = (&self.setup.migrations_folder, verb) {
            command.arg("--migrations").arg(folder);
        }
        if let Some(data) = &self.setup.data {
            command.env("PANDO_DATA_DIR", data);
        }
        command.envs(
            self.setup
                .variables
                .iter()
                .map(|(name, value)| (name, value)),
        );
        Ok(command)
    }

    /// Runs `pando <verb> <arguments>` to its end.
    pub fn run(&self, verb: &str, arguments: &[&str]) -> Result<Output> {
        self.command(verb)?
            .args(arguments)
            .output()
            .with_context(|| format!("run pando {verb}"))
    }

    /// Sets a variable for every process from now on.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.setup
            .variables
            .push((name.to_owned(), value.to_owned()));
    }

    /// The keys of the instance.
    pub fn keys(&self) -> Result<Keys> {
        let output = self.run("keys", &["--json"])?;
        if !output.status.success() {
            bail!(
                "pando keys failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let json: Value =
            serde_json::from_slice(&output.stdout).context("read what pando keys --json prints")?;
        let take = |name: &str| {
            json[name]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("find {name} in {json}"))
        };
        Ok(Keys {
            publishable: take("publishable")?,
            secret: take("secret")?,
            anon: take("anon")?,
            service_role: take("service_role")?,
        })
    }

    /// Where the API is served. A test that never started the server gets a port nobody listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9)))
    }

    /// The API's address as a URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// A client that sends nothing but what it is told.
    pub fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// What `/metrics` shows now.
    pub fn metrics(&self) -> Result<String> {
        let address = self.metrics.context("find the metrics listener")?;
        Ok(Client::new(address).get("/metrics")?.text())
    }

    /// The folder the server runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        let own = || self.folder.path().join("pando-data");
        self.setup.data.clone().unwrap_or_else(own)
    }

    /// Where mail goes in development.
    pub fn mail(&self) -> PathBuf {
        self.data().join("mail")
    }

    /// Writes a migration beside those of the setup; it runs at the next start.
    pub fn add_migration(&self, name: &str, sql: &str) -> Result<()> {
        let file = self.folder.path().join("migrations").join(name);
        fs::write(file.with_extension("sql"), sql).context("write a migration")
    }

    /// All log lines since the first start.
    pub fn log(&self) -> String {
        fs::read(self.log_path())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// What the running server printed to its standard output.
    pub fn printed(&self) -> String {
        let printed = self.running.as_ref().map(|running| running.printed.lock());
        printed
            .map(|text| text.unwrap_or_else(PoisonError::into_inner).clone())
            .unwrap_or_default()
    }

    /// The process id of the running server.
    pub fn process_id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// How the process ended, if it did by itself.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let Some(running) = &mut self.running else {
            return Ok(None);
        };
        let status = running.child.try_wait()?;
        if status.is_some() {
            self.running = None;
        }
        Ok(status)
    }

    /// Ends the process at once, as a power button or the out-of-memory killer would (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut running) = self.running.take() {
            running.child.kill()?;
            running.child.wait()?;
        }
        Ok(())
    }

    /// Asks the process to end (SIGTERM).
    pub fn request_stop(&self) -> Result<()> {
        let id = self.process_id().context("find the running server")?;
        let status = Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .context("send SIGTERM")?;
        if !status.success() {
            bail!("SIGTERM could not be sent");
        }
        Ok(())
    }

    /// Waits for the process to end by itself, 30 s at most.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let mut running = self.running.take().context("find the running server")?;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = running.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                running.child.kill()?;
                running.child.wait()?;
                bail!("the server did not end within 30 s");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The variables a script in `tests/js` reads.
    pub fn script_variables(&self) -> Result<Vec<(&'static str, String)>> {
        let keys = self.keys()?;
        Ok(vec![
            ("SUPABASE_URL", self.url()),
            ("SUPABASE_PUBLISHABLE_KEY", keys.publishable),
            ("PANDO_SECRET_KEY", keys.secret),
            ("PANDO_ANON_KEY", keys.anon),
            ("PANDO_SERVICE_ROLE_KEY", keys.service_role),
            ("PANDO_MAIL", self.mail().display().to_string()),
        ])
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Drop for Pando {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // Nobody is left to tell if this fails.
            let _already_gone = running.child.kill();
            let _reaped = running.child.wait();
        }
    }
}

/// The address in the first line of the banner that starts with `label`: `  API   http://127.0.0.1:54321`.
fn address_after(printed: &str, label: &str) -> Option<SocketAddr> {
    let line = printed
        .lines()
        .find(|line| line.trim_start().starts_with(label))?;
    let at = line.find("http://")? + "http://".len();
    let rest = &line[at..];
    rest[..rest
        .find(|c: char| c == '/' || c.is_whitespace())
        .unwrap_or(rest.len())]
        .parse()
        .ok()
}
