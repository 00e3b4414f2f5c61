//! `cargo x test`: every test of the workspace, with everything they need made ready before.

use crate::run::{cargo, has_cargo_command, step};
use crate::services;
use anyhow::{Result, bail};
use std::time::Instant;

/// Runs all tests. What could not be done is said, and is a failure where `CI` is set.
pub fn test(arguments: &[String]) -> Result<()> {
    let began = Instant::now();
    let mut not_done = Vec::new();

    eprintln!("==> Node and the SDKs the black-box tests run");
    let node = services::node();
    if let Err(error) = &node {
        not_done.push(format!(
            "the tests that run supabase-js, because Node is not to be had: {error:#}"
        ));
    }
    eprintln!("==> PostgreSQL 15, which the embedded engine is compared with");
    let postgres = services::postgres();
    if let Err(error) = &postgres {
        not_done.push(format!(
            "the tests that compare with PostgreSQL, because it is not to be had: {error:#}"
        ));
    }
    eprintln!("==> FUSE and libfaketime, with which the server is harmed");
    if let Err(error) = services::fuse() {
        // The tests that need it fail by themselves, unless PANDO_WITHOUT_FUSE=1 says that they may not.
        eprintln!("FUSE is not to be had: {error:#}");
    }
    let clock = services::clock();
    if let Err(error) = &clock {
        not_done.push(format!(
            "the test whose clock jumps, because libfaketime is not to be had: {error:#}"
        ));
    }
    eprintln!("==> the executable under test");
    let executable = pando_testkit::executable::build(&[])?;

    let nextest = has_cargo_command("nextest");
    let mut runner = cargo(if nextest {
        &["nextest", "run", "--workspace", "--no-fail-fast"]
    } else {
        &["test", "--workspace", "--no-fail-fast"]
    });
    if !nextest {
        runner.args(["--lib", "--bins", "--tests"]);
    }
    runner.args(arguments).env("PANDO_BIN", &executable);
    if node.is_err() {
        runner.env("PANDO_TEST_WITHOUT_NODE", "1");
    }
    if postgres.is_err() {
        runner.env("PANDO_TEST_WITHOUT_POSTGRES", "1");
    }
    if clock.is_err() {
        runner.env("PANDO_TEST_WITHOUT_FAKETIME", "1");
    }
    step(&mut runner)?;
    if arguments.is_empty() {
        step(&mut cargo(&["test", "--workspace", "--doc", "--quiet"]))?;
        if postgres.is_ok() {
            eprintln!(
                "==> five bugs, planted one by one, which the comparison with PostgreSQL must find"
            );
            crate::oracle::oracle(&[
                "--planted".to_owned(),
                "--cases".to_owned(),
                "30000".to_owned(),
            ])?;
        }
        if services::fuse().is_ok() {
            eprintln!(
                "==> six bugs, planted one by one, which the harm done to the server must find"
            );
            crate::torture::torture(&["--planted".to_owned()])?;
        }
    }

    eprintln!(
        "all tests that were run passed, in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    for what in &not_done {
        eprintln!("NOT RUN: {what}");
    }
    if !not_done.is_empty() && std::env::var_os("CI").is_some() {
        bail!("not everything was run, which is a failure in CI");
    }
    Ok(())
}
