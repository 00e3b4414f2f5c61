//! Node and the unmodified SDKs from npm, installed once into the test cache.
//!
//! Scripts run in a scratch folder whose `node_modules` is a link into the cache, because ES modules are looked up from
//! where the script lies, and nothing is ever installed into the checkout.

use crate::{cache, executable};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// The oldest Node the SDKs run on.
const NODE_MAJOR_MIN: u32 = 22;
/// The npm packages that carry a Node of their own are named `node-<os>-<arch>`.
const NODE_VERSION: &str = "22";
/// What the scripts import, with exact versions, so that a run can be repeated.
const PACKAGES: &[&str] = &["@supabase/supabase-js@2.119.1"];

/// A Node new enough, and the packages beside it.
#[derive(Clone, Debug)]
pub struct Node {
    program: PathBuf,
    modules: PathBuf,
}

impl Node {
    /// Whether the runner said that Node is not to be had here, so that tests which need it say so and pass over.
    /// `cargo x test` sets it only after it has failed to install one, and fails itself where `CI` is set.
    pub fn is_absent() -> bool {
        env::var_os("PANDO_TEST_WITHOUT_NODE").is_some()
    }

    /// The installed Node; installs it first if this is the first run. Safe to call from many processes at once.
    pub fn find() -> Result<Node> {
        let on_path = version_of(Path::new("node")).filter(|major| *major >= NODE_MAJOR_MIN);
        let mut packages: Vec<String> = PACKAGES
            .iter()
            .map(|package| (*package).to_owned())
            .collect();
        let carrier = format!("node-{}-{}", node_os(), node_arch());
        if on_path.is_none() {
            packages.push(format!("{carrier}@{NODE_VERSION}"));
        }
        let folder = installed(&packages)?;
        let modules = folder.join("node_modules");
        let program = match on_path {
            Some(_) => PathBuf::from("node"),
            None => modules.join(carrier).join("bin/node"),
        };
        if version_of(&program).is_none() {
            bail!("{} does not run", program.display());
        }
        Ok(Node { program, modules })
    }

    /// Runs a script (an `.mjs` file; files beside it may be imported) and answers what it printed.
    /// Fails with everything it printed when it exits with another status than 0 or runs longer than two minutes.
    pub fn run(&self, script: &Path, variables: &[(&str, String)]) -> Result<String> {
        let name = script.file_name().context("name the script")?;
        let from = script.parent().context("find the folder of the script")?;
        let scratch = tempfile::tempdir().context("make a scratch folder")?;
        for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "mjs") {
                fs::copy(
                    &path,
                    scratch.path().join(path.file_name().unwrap_or_default()),
                )?;
            }
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(&self.modules, scratch.path().join("node_modules"))?;
        let output = scratch.path().join("output");
        let file = fs::File::create(&output)?;
        let mut child = Command::new(&self.program)
            .arg(scratch.path().join(name))
            .envs(
                variables
                    .iter()
                    .map(|(name, value)| (OsString::from(name), OsString::from(value))),
            )
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("run {}", self.program.display()))?;
        let deadline = Instant::now() + Duration::from_secs(120);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                break None;
            }
            thread::sleep(Duration::from_millis(10));
        };
        let printed = String::from_utf8_lossy(&fs::read(&output)?).into_owned();
        match status {
            Some(status) if status.success() => Ok(printed),
            Some(status) => bail!("{} ended with {status}:\n{printed}", script.display()),
            None => bail!(
                "{} ran longer than two minutes:\n{printed}",
                script.display()
            ),
        }
    }

    /// Runs `tests/js/<name>.mjs` of this checkout.
    pub fn run_test(&self, name: &str, variables: &[(&str, String)]) -> Result<String> {
        self.run(
            &executable::checkout()
                .join("tests/js")
                .join(name)
                .with_extension("mjs"),
            variables,
        )
    }
}

fn node_os() -> &'static str {
    match env::consts::OS {
        "macos" => "darwin",
        "windows" => "win",
        other => other,
    }
}

fn node_arch() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The major version a Node program reports; none if it does not run.
fn version_of(program: &Path) -> Option<u32> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout)
        .ok()?
        .trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// The cache folder holding exactly these packages. It is filled beside its place and moved there when it is whole,
/// so that a run which was stopped half-way, or another one at the same time, leaves nothing broken.
fn installed(packages: &[String]) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    packages.hash(&mut hasher);
    let cache = cache::folder()?;
    let folder = cache.join(format!("node-{:016x}", hasher.finish()));
    if folder.is_dir() {
        return Ok(folder);
    }
    let filling = tempfile::Builder::new()
        .prefix("node-")
        .tempdir_in(&cache)?;
    fs::write(filling.path().join("package.json"), r#"{"private":true}"#)?;
    let output = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
            "--loglevel=error",
        ])
        .args(packages)
        .current_dir(filling.path())
        .stdin(Stdio::null())
        .output()
        .context("run npm (it comes with Node)")?;
    if !output.status.success() {
        bail!(
            "npm install {} failed: {}",
            packages.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    match fs::rename(filling.path(), &folder) {
        Ok(()) => {
            let _moved_away = filling.keep();
        }
        Err(_) if folder.is_dir() => {}
        Err(error) => {
            return Err(error)
                .with_context(|| format!("move the packages to {}", folder.display()));
        }
    }
    Ok(folder)
}
