//! `cargo x services`: what the tests use besides cargo, whether it is here, and installing what can be installed.

use anyhow::{Context, Result, bail};
use pando_testkit::{Node, Postgres, cache, faketime};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Prints the list; an error if something is missing and could not be installed.
pub fn services() -> Result<()> {
    println!("cache      {}", cache::folder()?.display());
    let node = node();
    match &node {
        Ok(()) => println!("node       ready, with @supabase/supabase-js"),
        Err(error) => println!("node       missing: {error:#}"),
    }
    let postgres = postgres();
    match &postgres {
        Ok(programs) => println!("postgres   ready, 15 in {}", programs.display()),
        Err(error) => println!("postgres   missing: {error:#}"),
    }
    let (fuse, clock) = (fuse(), clock());
    match &fuse {
        Ok(()) => println!("fuse       ready"),
        Err(error) => println!("fuse       missing: {error:#}"),
    }
    match &clock {
        Ok(()) => println!("faketime   ready"),
        Err(error) => println!("faketime   missing: {error:#}"),
    }
    if node.is_err() || postgres.is_err() || fuse.is_err() || clock.is_err() {
        bail!("not everything is here");
    }
    Ok(())
}

/// Makes sure of PostgreSQL 15, the oracle for what SQL means. Where it is missing, and as root on Debian or Ubuntu, it is
/// installed from the system first; the tests start a server of their own, never the system's.
pub fn postgres() -> Result<PathBuf> {
    let missing = match Postgres::programs() {
        Ok(programs) => return Ok(programs),
        Err(missing) => missing,
    };
    if !runs("apt-get", "--version") || !is_root() {
        return Err(missing);
    }
    eprintln!("==> apt-get install postgresql-15 (what the embedded engine is compared with)");
    apt(&["update", "--quiet=2"])?;
    apt(&[
        "install",
        "--quiet=2",
        "--yes",
        "--no-install-recommends",
        "postgresql-15",
    ])
    .context("only some systems have postgresql-15 among their packages, Debian 12 for one")?;
    Postgres::programs()
}

/// Makes sure of FUSE, for the disk whose power is cut: root needs the kernel's module alone, anybody else Debian's fuse3.
pub fn fuse() -> Result<()> {
    let device = Path::new("/dev/fuse");
    if !device.exists() && is_root() {
        // Where it is built in, or may not be loaded, this fails and the next line tells.
        let _loaded = Command::new("modprobe").arg("fuse").output();
    }
    if !device.exists() {
        bail!("there is no /dev/fuse (in a container: --device /dev/fuse --cap-add SYS_ADMIN)");
    }
    if !is_root() && !runs("fusermount3", "--version") {
        bail!("fusermount3 is not here (Debian: apt-get install fuse3)");
    }
    Ok(())
}

/// Makes sure of libfaketime, which shows a server another time. As root on Debian or Ubuntu it is installed from the system.
pub fn clock() -> Result<()> {
    let missing = match faketime::library() {
        Ok(_) => return Ok(()),
        Err(missing) => missing,
    };
    if !runs("apt-get", "--version") || !is_root() {
        return Err(missing);
    }
    eprintln!("==> apt-get install faketime (for a clock that jumps)");
    apt(&["update", "--quiet=2"])?;
    apt(&[
        "install",
        "--quiet=2",
        "--yes",
        "--no-install-recommends",
        "faketime",
    ])?;
    faketime::library().map(|_| ())
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
