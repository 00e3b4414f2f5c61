//! A backup: one that ended has everything, one that was struck is not there.

use crate::checker::{self, Breach, Violation, violation};
use crate::clients::Load;
use crate::integrity;
use crate::life::Life;
use crate::nemesis::kill::wait_for_load;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// Backs up, restores and compares; then backs up once more and strikes in the middle of it.
pub fn in_backup(life: &mut Life) -> Result<Vec<Violation>> {
    let ((), seen) = life.load(Load::default(), |site, seen| {
        wait_for_load(seen);
        thread::sleep(Duration::from_millis(site.random.between(50, 300)));
        Ok(())
    })?;
    let mut found = seen.violations();
    let whole = copy_name(life, "whole")?;
    let file = whole.display().to_string();
    let output = life
        .site
        .pando
        .run("backup", &[&file, "--with-key", "--replace"])?;
    if !output.status.success() {
        found.push(violation(
            Breach::Conduct,
            format!(
                "a backup failed: {}",
                String::from_utf8_lossy(&output.stderr)
            ),
        ));
        life.site.strike()?;
        return Ok(found);
    }
    found.extend(restored(life, &file)?);
    found.extend(life.compare(false)?);
    found.extend(struck(life)?);
    Ok(found)
}

/// What a restored copy has, compared with the ledger of what had been acknowledged when it was made.
fn restored(life: &mut Life, file: &str) -> Result<Vec<Violation>> {
    let folder = tempfile::tempdir().context("make a folder for the restored data")?;
    let mut twin = life
        .setup()
        .data_at(&folder.path().join("pando-data"))
        .prepare()?;
    let output = twin.run("restore", &[file])?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Ok(vec![violation(
            Breach::Lost,
            format!("a backup can't be restored: {text}"),
        )]);
    }
    if let Err(error) = twin.start() {
        return Ok(vec![violation(
            Breach::Lost,
            format!("a restored backup does not start: {error:#}"),
        )]);
    }
    // Of a copy: what is settled here says nothing of the original.
    let mut model = life.model.clone();
    let keys = life.keys.clone().context("know the keys")?;
    let mut accounts = life.accounts(twin.address(), "twin")?;
    let compared = checker::check(
        &twin,
        &keys,
        &mut model,
        &mut accounts,
        &mut life.site.random,
        false,
    );
    Ok(match compared {
        Ok(found) => found
            .into_iter()
            .map(|found| {
                violation(
                    found.breach,
                    format!("in a restored backup: {}", found.seen),
                )
            })
            .collect(),
        Err(error) => vec![violation(
            Breach::Lost,
            format!("a restored backup does not answer: {error:#}"),
        )],
    })
}

/// A backup that is struck leaves nothing under its name, or all of it.
fn struck(life: &mut Life) -> Result<Vec<Violation>> {
    let path = copy_name(life, "struck")?;
    let heavy = Load { heavy: true };
    let ((), seen) = life.load(heavy, |site, seen| {
        wait_for_load(seen);
        thread::sleep(Duration::from_millis(site.random.below(300)));
        let mut backup = site
            .pando
            .command("backup")?
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start a backup")?;
        thread::sleep(Duration::from_millis(site.random.below(120)));
        // Before the disk comes back: the machine has one power.
        backup.kill()?;
        backup.wait()?;
        site.strike()
    })?;
    let mut found = seen.violations();
    if path.exists() {
        found.extend(integrity::check_file(&path)?.into_iter().map(|found| {
            violation(
                found.breach,
                format!("a backup that was struck is there by half: {}", found.seen),
            )
        }));
        std::fs::remove_file(&path)?;
    }
    Ok(found)
}

fn copy_name(life: &Life, name: &str) -> Result<PathBuf> {
    let data = life.data();
    let beside = data.parent().context("have a folder beside the data")?;
    Ok(beside.join(format!("{name}.db")))
}
