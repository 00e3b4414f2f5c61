//! `cargo x services`: what the tests use besides cargo, whether it is here, and installing what can be installed.

use anyhow::{Context, Result, bail};
use pando_testkit::{Node, cache};
use std::process::{Command, Stdio};

/// Prints the list; an error if something is missing and could not be installed.
pub fn services() -> Result<()> {
    println!("cache      {}", cache::folder()?.display());
    println!("database   none needed: the embedded one is part of the executable");
    match node() {
        Ok(()) => println!("node       ready, with @supabase/supabase-js"),
        Err(error) => {
            println!("node       missing: {error:#}");
            bail!("not everything is here");
        }
    }
    Ok(())
}

/// Makes sure of Node and the SDK. Without npm, and as root on Debian or Ubuntu, npm is installed from the system first.
pub fn node() -> Result<()> {
    if !runs("npm", "--version") && runs("apt-get", "--version") && is_root() {
        eprintln!("==> apt-get install npm (for the real SDKs the tests run)");
        apt(&["update", "--quiet=2"])?;
        apt(&[
            "install",
            "--quiet=2",
            "--yes",
            "--no-install-recommends",
            "npm",
        ])?;
    }
    Node::find().map(|_| ())
}

fn apt(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("run apt-get")?;
    if !status.success() {
        bail!("apt-get {} failed ({status})", arguments.join(" "));
    }
    Ok(())
}

fn runs(program: &str, flag: &str) -> bool {
    Command::new(program)
        .arg(flag)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
