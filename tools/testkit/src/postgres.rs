//! A real PostgreSQL 15 of our own, the oracle for what SQL means: a folder of its own, reached by a socket in it alone.
//!
//! The server never is the system's, never runs as root and never writes to disk for good (`fsync` is off). A small shell
//! stands beside it that ends it and removes its folder when this process ends, however that happens.

use anyhow::{Context, Result, bail};
use postgres::{Client, Config, NoTls};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// What a Supabase project has: roles, `auth.uid()` and the like, default privileges, the publication.
const SUPABASE: &str = include_str!("postgres/supabase.sql");
/// Our own tables in the schema `auth`, from the service's migration as it stands.
const AUTH_TABLES: &str = include_str!("../../../services/auth/src/migrations/0001_core.sql");

/// The database every fresh one is copied from.
const TEMPLATE: &str = "pando_template";

/// How long the server may take to answer.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// Ends the server and removes its folder as soon as the other end of its standard input is closed.
const WATCHDOG: &str = r#"
"$1/postgres" -D "$2/data" </dev/null >"$2/log" 2>&1 &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
cd /
rm -rf "$2"
"#;

/// Everything that makes answers depend on the machine is fixed; what makes data survive a power cut is off.
const SETTINGS: &str = "
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
jit = off
max_connections = 64
shared_buffers = 64MB
wal_level = logical
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'ISO, MDY'
lc_messages = 'C'
";

/// A running server.
pub struct Postgres {
    folder: PathBuf,
    watchdog: Child,
    databases: AtomicU32,
}

/// A database of a server, dropped with its handle.
pub struct Database<'p> {
    server: &'p Postgres,
    name: String,
}

impl Postgres {
    /// Whether the runner said that PostgreSQL is not to be had here, so that tests which need it say so and pass over.
    /// `cargo x test` sets it only after it has failed to install one, and fails itself where `CI` is set.
    pub fn is_absent() -> bool {
        env::var_os("PANDO_TEST_WITHOUT_POSTGRES").is_some()
    }

    /// The folder of PostgreSQL 15's programs: the one `PANDO_TEST_POSTGRES` names, else where packages put them.
    pub fn programs() -> Result<PathBuf> {
        if let Some(named) = env::var_os("PANDO_TEST_POSTGRES").map(PathBuf::from) {
            if is_version_15(&named) {
                return Ok(named);
            }
            bail!(
                "PANDO_TEST_POSTGRES names {}, and no PostgreSQL 15 is there",
                named.display()
            );
        }
        let configured = Command::new("pg_config")
            .arg("--bindir")
            .output()
            .ok()
            .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
        let usual = [
            "/usr/lib/postgresql/15/bin",
            "/usr/pgsql-15/bin",
            "/opt/homebrew/opt/postgresql@15/bin",
            "/usr/local/opt/postgresql@15/bin",
        ];
        usual
            .into_iter()
            .map(PathBuf::from)
            .chain(configured)
            .find(|folder| is_version_15(folder))
            .context(
                "PostgreSQL 15 is not installed: `cargo x services` installs it as root on Debian 12, and \
                 PANDO_TEST_POSTGRES may name the folder of its programs",
            )
    }

    /// The server of this process, started when it is first asked for.
    pub fn shared() -> Result<&'static Postgres> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        match SHARED.get_or_init(|| Postgres::start().map_err(|error| format!("{error:#}"))) {
            Ok(server) => Ok(server),
            Err(error) => bail!("{error}"),
        }
    }

    /// Makes a cluster in a new folder and starts its server; it answers when this returns.
    pub fn start() -> Result<Postgres> {
        let programs = Postgres::programs()?;
        let folder = new_folder()?;
        let user = as_whom(folder.path())?;
        let run = |program: &Path| {
            let mut command = Command::new(program);
            command
                .current_dir(folder.path())
                .env("LC_ALL", "C")
                .env("TZ", "UTC")
                .stdin(Stdio::null());
            if let Some((user, group)) = user {
                use std::os::unix::process::CommandExt as _;
                command.uid(user).gid(group);
            }
            command
        };
        let made = run(&programs.join("initdb"))
            .args(["--pgdata=data", "--username=postgres", "--auth=trust"])
            .args(["--locale=C", "--encoding=UTF8", "--wal-segsize=1"])
            .args(["--no-sync", "--no-instructions"])
            .output()
            .context("run initdb")?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        let settings = folder.path().join("data/postgresql.conf");
        let text = format!(
            "{}\n{SETTINGS}unix_socket_directories = '{}'\n",
            fs::read_to_string(&settings)?,
            folder.path().display()
        );
        fs::write(&settings, text)?;

        let watchdog = {
            use std::os::unix::process::CommandExt as _;
            run(Path::new("/bin/sh"))
                .args(["-c", WATCHDOG, "watchdog"])
                .arg(&programs)
                .arg(folder.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // A signal to the group of this process, as from a terminal, is not for it.
                .process_group(0)
                .spawn()
                .context("start the server's watchdog")?
        };
        let server = Postgres {
            folder: folder.keep(),
            watchdog,
            databases: AtomicU32::new(0),
        };
        server.fill()?;
        Ok(server)
    }

    /// A fresh database with all that a Supabase project has, and no table of the team's.
    pub fn database(&self) -> Result<Database<'_>> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.connect("postgres")?
            .batch_execute(&format!("create database {name} template {TEMPLATE}"))
            .with_context(|| format!("create the database {name}"))?;
        Ok(Database { server: self, name })
    }

    fn fill(&self) -> Result<()> {
        let began = Instant::now();
        let mut first = loop {
            match self.connect("postgres") {
                Ok(client) => break client,
                Err(error) if began.elapsed() > START_DEADLINE => {
                    let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                    return Err(error.context(format!("PostgreSQL did not start:\n{log}")));
                }
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        };
        first.batch_execute(&format!("create database {TEMPLATE}"))?;
        let mut template = self.connect(TEMPLATE)?;
        template
            .batch_execute(SUPABASE)
            .context("make what a Supabase project has")?;
        template
            .batch_execute(AUTH_TABLES)
            .context("make the tables of the schema auth")
    }

    fn connect(&self, database: &str) -> Result<Client> {
        Config::new()
            .host_path(&self.folder)
            .user("postgres")
            .dbname(database)
            .connect(NoTls)
            .with_context(|| format!("connect to the database {database}"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // Nothing can be done about a watchdog that can't be waited for.
        let _ = self.watchdog.wait();
    }
}

impl Database<'_> {
    /// A connection as the superuser; `set role` makes it another's.
    pub fn connect(&self) -> Result<Client> {
        self.server.connect(&self.name)
    }

    /// Where it is, as libpq's keywords.
    pub fn conninfo(&self) -> String {
        format!(
            "host={} user=postgres dbname={}",
            self.server.folder.display(),
            self.name
        )
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // A database that stays is removed with the server.
        let _ = self.server.connect("postgres").map(|mut client| {
            client.batch_execute(&format!("drop database {} with (force)", self.name))
        });
    }
}

fn is_version_15(folder: &Path) -> bool {
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .output();
    output.is_ok_and(|output| {
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains(" 15.")
    })
}

/// A folder whose path is short enough for a socket, and which another user than root can reach.
fn new_folder() -> Result<tempfile::TempDir> {
    let shared = Path::new("/tmp");
    let parent = if shared.is_dir() {
        shared.to_owned()
    } else {
        env::temp_dir()
    };
    tempfile::Builder::new()
        .prefix("pando-postgres-")
        .tempdir_in(parent)
        .context("make a folder for PostgreSQL")
}

/// The user and group the server runs as, which own `folder` from then on; none when we are not root, for then we do.
fn as_whom(folder: &Path) -> Result<Option<(u32, u32)>> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    for user in ["postgres", "nobody"] {
        if let (Some(id), Some(group)) = (id_of(user, "-u"), id_of(user, "-g")) {
            chown(folder, Some(id), Some(group))
                .with_context(|| format!("give {} to {user}", folder.display()))?;
            return Ok(Some((id, group)));
        }
    }
    bail!("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody")
}

fn id_of(user: &str, which: &str) -> Option<u32> {
    let output = Command::new("id").args([which, user]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Option<Postgres> {
        if Postgres::is_absent() {
            eprintln!("not run: PostgreSQL 15 is not to be had here");
            return None;
        }
        Some(Postgres::start().expect("PostgreSQL starts"))
    }

    #[test]
    fn a_fresh_database_has_what_a_supabase_project_has() {
        let Some(server) = started() else { return };
        let database = server.database().expect("a database");
        let mut client = database.connect().expect("a connection");
        client
            .batch_execute(
                "create table notes (id int, owner uuid default auth.uid());
                 insert into notes values (1), (2);
                 set role authenticated;",
            )
            .expect("a table of the team's");
        let mut ask = |sql: &str| -> String {
            let row = client.query_one(sql, &[]).expect("an answer");
            row.get(0)
        };
        assert_eq!(
            ask("select count(*)::text from notes"),
            "0",
            "closed by default"
        );
        ask(
            "select set_config('request.jwt.claims', '{\"sub\":\"11111111-1111-4111-8111-111111111111\"}', false)",
        );
        assert_eq!(
            ask("select auth.uid()::text"),
            "11111111-1111-4111-8111-111111111111"
        );
        assert_eq!(
            ask("select current_setting('timezone') || ' ' || current_setting('lc_collate')"),
            "UTC C"
        );
        client
            .batch_execute("set role service_role")
            .expect("a role");
        let row = client
            .query_one("select count(*)::text from notes", &[])
            .expect("an answer");
        assert_eq!(row.get::<_, String>(0), "2", "the service passes");
    }

    #[test]
    fn the_server_ends_with_its_handle_and_leaves_nothing() {
        let Some(server) = started() else { return };
        let folder = server.folder.clone();
        assert!(folder.is_dir());
        drop(server);
        assert!(!folder.exists());
    }

    /// Set for the process that is to be killed; without it the test below is the one that kills.
    const VICTIM: &str = "PANDO_TEST_POSTGRES_VICTIM";

    #[test]
    fn a_process_that_is_killed_leaves_no_server() {
        if env::var_os(VICTIM).is_some() {
            let server = Postgres::start().expect("PostgreSQL starts");
            println!("folder={}", server.folder.display());
            loop {
                thread::park();
            }
        }
        if Postgres::is_absent() {
            return;
        }
        let mut victim = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "--nocapture"])
            .arg("postgres::tests::a_process_that_is_killed_leaves_no_server")
            .env(VICTIM, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let printed = std::io::BufReader::new(victim.stdout.take().expect("its output"));
        let folder = std::io::BufRead::lines(printed)
            .map_while(Result::ok)
            .find_map(|line| Some(PathBuf::from(line.split_once("folder=")?.1)))
            .expect("the folder it prints");
        assert!(folder.is_dir());
        victim.kill().expect("SIGKILL");
        victim.wait().expect("its end");
        let deadline = Instant::now() + START_DEADLINE;
        while folder.exists() {
            assert!(
                Instant::now() < deadline,
                "{} is still there",
                folder.display()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}
