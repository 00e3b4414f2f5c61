//! The servers measured, each with the same rows and its own way to ask the same questions.

mod bare;
mod hello;
mod pando;
mod pocketbase;

use crate::data::{self, Item};
use crate::load::Requests;
use crate::process::Process;
use crate::work::Workload;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A server ready to be measured.
pub struct Target {
    /// How the report calls it.
    pub name: &'static str,
    /// The running server.
    pub process: Process,
    requests: Box<dyn Fn(Workload) -> Option<Requests>>,
    /// Pando's own; none of the others.
    own: Option<pando::Own>,
}

impl Target {
    /// How it is asked for `workload`; none if it has no such thing.
    pub fn requests(&self, workload: Workload) -> Option<Requests> {
        (self.requests)(workload)
    }

    /// What only Pando is asked.
    pub fn own(&self) -> Result<&pando::Own> {
        self.own.as_ref().context("only Pando is asked this")
    }
}

/// Where everything of a run is kept.
pub struct Bench {
    /// Emptied at the start of a run.
    pub directory: PathBuf,
    /// Kept between runs: what is downloaded.
    pub cache: PathBuf,
    /// Where the executables built beside this one are.
    pub executables: PathBuf,
    /// The core of the servers.
    pub core: usize,
    /// The rows.
    pub items: Rc<Vec<Item>>,
}

/// Pando's.
pub const PANDO: &str = pando::NAME;

/// The names of all, in the order they are reported.
pub const ALL: [&str; 5] = [
    pando::NAME,
    bare::NAME,
    hello::NAME,
    pocketbase::NAME,
    pocketbase::QUIET,
];

/// Starts and fills one.
pub async fn start(bench: &Bench, name: &str) -> Result<Target> {
    match name {
        pando::NAME => pando::start(bench).await,
        bare::NAME => bare::start(bench),
        hello::NAME => hello::start(bench),
        pocketbase::NAME => pocketbase::start(bench, true).await,
        pocketbase::QUIET => pocketbase::start(bench, false).await,
        _ => anyhow::bail!("no target is called {name:?}; there are {}", ALL.join(", ")),
    }
}

fn fresh(directory: &Path) -> Result<()> {
    if directory.exists() {
        std::fs::remove_dir_all(directory)?;
    }
    Ok(std::fs::create_dir_all(directory)?)
}

/// The address of person `index`.
fn email(index: usize) -> String {
    format!("person{index}@example.com")
}

/// The id of an owner who never signs in.
fn stranger(index: usize) -> u128 {
    (index as u128 + 1).wrapping_mul(0x0123_4567_89ab_cdef_fedc_ba98_7654_3211)
}

/// Ids of all owners as each server prints them: people first, then strangers.
fn owners(people: &[String], print: fn(u128) -> String) -> Vec<String> {
    let mut owners = people.to_vec();
    owners.extend((people.len()..data::OWNERS).map(|index| print(stranger(index))));
    owners
}
