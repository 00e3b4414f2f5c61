//! One data directory from its first start to its last check.

use crate::accounts::Accounts;
use crate::checker::{self, Breach, Violation, violation};
use crate::clients::{self, Load, Seen};
use crate::disk::{CutStyle, Disk};
use crate::integrity;
use crate::ledger::Ledger;
use crate::model::Model;
use crate::planted::Since;
use crate::random::Random;
use anyhow::{Context, Result};
use pando_testkit::{Keys, Pando, Setup, faketime};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The tables the clients write. Nothing forbids that a mark is there twice; a trigger makes an echo of each in the same transaction.
const SCHEMA: &str = "
create table items (id bigint primary key, value text not null, count bigint not null default 0);
create index items_count on items (count, id);
create table marks (id bigint generated always as identity primary key, mark text not null);
create table echoes (id bigint generated always as identity primary key, mark text not null);
alter table items enable row level security;
alter table marks enable row level security;
alter table echoes enable row level security;
create function echo() returns trigger language plpgsql as $$
begin
  insert into echoes (mark) values (new.mark);
  return new;
end $$;
create trigger marks_echo after insert on marks for each row execute function echo();
create function bump(item bigint) returns bigint language sql as $$
  update items set count = count + 1 where id = item returning count
$$;
";

/// Nobody here is a stranger who guesses passwords.
const CONFIG: &str = "
[limits]
sign_up_by_address = \"0/1\"
sign_in_by_account = \"0/1\"
sign_in_by_address = \"0/1\"
refresh_by_session = \"0/1\"
refresh_by_address = \"0/1\"
";

/// What a life is lived with.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The executable; the one under test if not set.
    pub executable: Option<PathBuf>,
    /// On a disk of ours, whose power can be cut.
    pub on_disk: bool,
    /// With a clock that can jump.
    pub with_clock: bool,
    /// Lines for `[limits]` of `pando.toml`.
    pub config: String,
    /// A bug of the executable.
    pub planted: Option<(&'static str, Since)>,
}

/// The server and the disk under it.
pub struct Site {
    /// The server; dropped before its disk.
    pub pando: Pando,
    /// Its disk, where it is one of ours.
    pub disk: Option<Disk>,
    /// What is decided here follows from this.
    pub random: Random,
}

impl Site {
    /// Takes the power away: from the process, and from its disk if that is ours. The disk is there again afterwards, with
    /// what it kept.
    pub fn strike(&mut self) -> Result<()> {
        if let Some(disk) = &mut self.disk {
            disk.cut(CutStyle::draw(&mut self.random), &mut self.random);
        }
        self.pando.kill()?;
        if let Some(disk) = &mut self.disk {
            disk.power_on()?;
        }
        Ok(())
    }
}

/// A data directory with its server, its clients' ledger, and what the ledger says.
pub struct Life {
    /// The server and the disk.
    pub site: Site,
    /// What the clients authenticate with; known after the first start.
    pub keys: Option<Keys>,
    /// What must be there.
    pub model: Model,
    ledger: Ledger,
    setup: Setup,
    planted: Option<(&'static str, Since)>,
    clock: Option<TempDir>,
    _folder: TempDir,
    /// How much of the server's log was looked through.
    log_read: usize,
    /// How long the last start took.
    pub start_time: Duration,
    /// Migrations added so far.
    pub migrations: u32,
}

impl Life {
    /// Prepares one; nothing is started.
    pub fn new(terms: &Terms, seed: u64) -> Result<Life> {
        let mut setup = Setup::new()
            .migration("0001_tables", SCHEMA)
            .config(CONFIG)
            .config(&terms.config);
        if let Some(executable) = &terms.executable {
            setup = setup.executable(executable);
        }
        if let Some((bug, Since::Birth)) = terms.planted {
            setup = setup.variable("PANDO_PLANTED", bug);
        }
        let clock = match terms.with_clock {
            true => Some(tempfile::tempdir().context("make a folder for the clock")?),
            false => None,
        };
        if let Some(folder) = &clock {
            let file = folder.path().join("clock");
            faketime::set(&file, "+0")?;
            for (name, value) in faketime::variables(&file)? {
                setup = setup.variable(&name, &value);
            }
        }
        let disk = terms.on_disk.then(Disk::mount).transpose()?;
        if let Some(disk) = &disk {
            setup = setup
                .data_at(&disk.path().join("pando-data"))
                .variable("TMPDIR", &disk.path().join("tmp").display().to_string());
        }
        let folder = tempfile::Builder::new()
            .prefix("pando-ledger-")
            .tempdir()
            .context("make a folder for the ledger")?;
        Ok(Life {
            site: Site {
                pando: setup.clone().prepare()?,
                disk,
                random: Random::new(seed),
            },
            keys: None,
            model: Model::default(),
            ledger: Ledger::new(folder.path()),
            setup,
            planted: terms.planted,
            clock,
            _folder: folder,
            log_read: 0,
            start_time: Duration::from_millis(150),
            migrations: 1,
        })
    }

    /// Starts the server. What kept it from starting is a violation.
    pub fn start(&mut self) -> Result<Vec<Violation>> {
        let began = Instant::now();
        if let Err(error) = self.site.pando.start() {
            self.site.pando.kill()?;
            return Ok(vec![violation(
                Breach::Start,
                last_lines(&format!("{error:#}")),
            )]);
        }
        self.start_time = began.elapsed();
        if self.keys.is_none() {
            self.keys = Some(self.site.pando.keys()?);
            if let Some((bug, Since::SecondStart)) = self.planted {
                self.site.pando.set_variable("PANDO_PLANTED", bug);
            }
        }
        Ok(Vec::new())
    }

    /// Runs the load while `during` does its work, and takes in what the clients wrote down.
    pub fn load<T>(
        &mut self,
        load: Load,
        during: impl FnOnce(&mut Site, &Seen) -> Result<T>,
    ) -> Result<(T, Seen)> {
        anyhow::ensure!(
            self.model.is_settled(),
            "a load begins while nobody knows what the last one did: check before"
        );
        let keys = self
            .keys
            .as_ref()
            .context("know the keys before the load")?;
        let (site, model) = (&mut self.site, &self.model);
        let address = site.pando.address();
        let mut random = site.random.fork();
        let (result, seen) = clients::run(
            address,
            keys,
            load,
            model,
            &self.ledger,
            &mut random,
            |seen| during(site, seen),
        )?;
        self.take_in()?;
        Ok((result?, seen))
    }

    fn take_in(&mut self) -> Result<()> {
        for settled in self.ledger.read()? {
            self.model.take(settled);
        }
        Ok(())
    }

    /// Looks at the file of a server that is down, starts it, and compares. `thorough` tries every session.
    pub fn check(&mut self, thorough: bool) -> Result<Vec<Violation>> {
        let mut found = integrity::check(&self.site.pando.data())?;
        if self.site.pando.process_id().is_none() {
            let start = self.start()?;
            if !start.is_empty() {
                found.extend(start);
                return Ok(found);
            }
        }
        found.extend(self.compare(thorough)?);
        if thorough {
            found.extend(self.ask_the_doctor()?);
        }
        let log = self.site.pando.log();
        let panic = log.get(self.log_read..).unwrap_or_default();
        if let Some(line) = panic.lines().find(|line| line.contains("panicked")) {
            found.push(violation(Breach::Conduct, line));
        }
        self.log_read = log.len();
        Ok(found)
    }

    /// What `pando doctor` says of the file, beside the server that runs on it.
    fn ask_the_doctor(&self) -> Result<Option<Violation>> {
        let output = self.site.pando.run("doctor", &["--json"])?;
        let told = String::from_utf8_lossy(&output.stdout);
        let told: Value = serde_json::from_str(&told).unwrap_or_default();
        let mut findings = told["findings"].as_array().into_iter().flatten();
        let integrity = findings.find(|finding| finding["check"] == "integrity");
        let sound = integrity.is_some_and(|finding| finding["level"] == "ok");
        Ok((!sound || told["ok"] != true).then(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            violation(
                Breach::Corrupt,
                format!("pando doctor says {told} {errors}"),
            )
        }))
    }

    /// Compares the running server with the ledger.
    pub fn compare(&mut self, thorough: bool) -> Result<Vec<Violation>> {
        let keys = self
            .keys
            .clone()
            .context("know the keys before the check")?;
        let mut accounts = self.accounts(self.site.pando.address(), "checker")?;
        let compared = checker::check(
            &self.site.pando,
            &keys,
            &mut self.model,
            &mut accounts,
            &mut self.site.random,
            thorough,
        );
        Ok(match compared {
            Ok(found) => found,
            // Its keys are among what was acknowledged; otherwise a server that runs does not answer what it is asked.
            Err(error) => vec![violation(
                if format!("{error:#}").contains(": 401 ") {
                    Breach::Lost
                } else {
                    Breach::Conduct
                },
                format!("{error:#}\n{}", last_lines(&self.site.pando.log())),
            )],
        })
    }

    /// Accounts of a server that has this life's keys, with a book of that name.
    pub fn accounts(&self, address: SocketAddr, book: &str) -> Result<Accounts> {
        let keys = self
            .keys
            .as_ref()
            .context("know the keys before accounts")?;
        let book = self.ledger.book(book)?;
        Ok(Accounts::new(address, &keys.publishable, book))
    }

    /// What another server like this one is set up with.
    pub fn setup(&self) -> Setup {
        self.setup.clone()
    }

    /// The file the clock stands in.
    pub fn clock(&self) -> Option<PathBuf> {
        let folder = self.clock.as_ref()?;
        Some(folder.path().join("clock"))
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.site.pando.data()
    }
}

/// The end of a text, which says most of a log.
pub fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
