//! The disk is full, or fails, by path.

use crate::checker::{Breach, Violation, violation};
use crate::clients::{Load, Seen};
use crate::disk::{Act, Disk, Fault, Target};
use crate::life::{Life, Site, last_lines};
use crate::nemesis::kill::{in_load, wait_for_load};
use anyhow::{Context, Result};
use pando_testkit::{Client, Keys};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// How long something that must come is waited for, on a machine that has other work too.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long the load may take to make the log long.
const CHECKPOINT: Duration = Duration::from_secs(4);
/// A fault that lasts until it is mended.
const ALWAYS: u64 = u64::MAX;

fn fault(target: Target, act: Act, errno: i32) -> Fault {
    Fault {
        target,
        act,
        errno,
        after: 0,
        times: ALWAYS,
    }
}

/// There is no room: writes are refused and say when to ask again, reads go on, and writes do once there is room.
pub fn full(life: &mut Life) -> Result<Vec<Violation>> {
    let keys = life.keys.clone().context("know the keys")?;
    let load = Load::default();
    let kind = life.site.random.below(4);
    let room = life.site.random.below(200_000);
    let ((), seen) = life.load(load, |site, seen| {
        wait_for_load(seen);
        let disk = disk(site)?;
        match kind {
            // Nothing of ours lies there; it must not matter.
            0 => {
                for act in [Act::Write, Act::Name] {
                    disk.fail(fault(Target::Temporary, act, libc::ENOSPC));
                }
            }
            1 => disk.fail(fault(Target::Log, Act::Write, libc::ENOSPC)),
            _ => disk.leave_room(room),
        }
        if kind == 0 {
            expect_progress(seen, "while the folder of temporary files is full");
        } else {
            let refused = || seen.status(503) + seen.status(507);
            if !wait(|| refused() >= 4) {
                let text = "the disk is full, and no write is refused with 503 or 507";
                seen.complain(Breach::Conduct, text.to_owned());
            }
            expect_reads(site, &keys, seen, "while the disk is full");
            if let Some(status) = seen.other_failures() {
                seen.complain(
                    Breach::Conduct,
                    format!("the disk is full, and a write is answered {status}"),
                );
            }
        }
        self::disk(site)?.mend();
        if let Some(status) = site.pando.ended()? {
            let log = last_lines(&site.pando.log());
            seen.complain(
                Breach::Conduct,
                format!("the server ended ({status}) because the disk was full:\n{log}"),
            );
        } else {
            expect_progress(seen, "after there was room again");
        }
        site.strike()
    })?;
    Ok(seen.violations())
}

/// How long a request may take where the disk stalls.
pub const DEADLINE_MS: u64 = 400;

/// Syncs take longer than a request may: it is answered in time, though nobody knows then what becomes of it.
pub fn stall(life: &mut Life) -> Result<Vec<Violation>> {
    let ((), seen) = life.load(Load::default(), |site, seen| {
        wait_for_load(seen);
        for _ in 0..2 {
            disk(site)?.stall(Duration::from_millis(3 * DEADLINE_MS));
            if !wait(|| seen.status(504) > 0) {
                let text = "syncs take longer than requests may, and none is answered 504";
                seen.complain(Breach::Conduct, text.to_owned());
            }
            disk(site)?.stall(Duration::ZERO);
            expect_progress(seen, "after the disk was quick again");
        }
        site.strike()
    })?;
    Ok(seen.violations())
}

/// Writes fail with EIO: the server refuses, or stops and says why.
pub fn write_error(life: &mut Life) -> Result<Vec<Violation>> {
    let ((), seen) = life.load(Load::default(), |site, seen| {
        wait_for_load(seen);
        let times = *site.random.pick(&[1, 3, ALWAYS]).unwrap_or(&1);
        let after = site.random.below(20);
        disk(site)?.fail(Fault {
            after,
            times,
            ..fault(Target::Log, Act::Write, libc::EIO)
        });
        if !wait(|| disk(site).is_ok_and(|disk| disk.failed() > 0)) {
            let text = "no write reached the log".to_owned();
            seen.complain(Breach::Conduct, text);
        }
        thread::sleep(Duration::from_millis(150));
        disk(site)?.mend();
        match site.pando.ended()? {
            Some(status) => expect_reason(site, seen, status, "pando.db"),
            None => expect_progress(seen, "after writes worked again"),
        }
        site.strike()
    })?;
    Ok(seen.violations())
}

/// Reads fail with EIO: they are answered with an error, or the server stops and says why.
pub fn read_error(life: &mut Life) -> Result<Vec<Violation>> {
    let keys = life.keys.clone().context("know the keys")?;
    // What is in the log is not read from the file, so it is written back first.
    let before = in_load(life)?;
    if !before.is_empty() {
        return Ok(before);
    }
    // What was unknown is settled before the next load writes to the same rows.
    let mut found = life.check(false)?;
    if !found.is_empty() {
        return Ok(found);
    }
    life.site.pando.request_stop()?;
    life.site.pando.wait()?;
    found.extend(life.start()?);
    if !found.is_empty() {
        return Ok(found);
    }
    let ((), seen) = life.load(Load::default(), |site, seen| {
        let target = if site.random.chance(70) {
            Target::Database
        } else {
            Target::Log
        };
        disk(site)?.fail(fault(target, Act::Read, libc::EIO));
        let mut client = client(site, &keys);
        let until = Instant::now() + Duration::from_millis(400);
        let mut ended = None;
        while Instant::now() < until && ended.is_none() {
            ended = site.pando.ended()?;
            // Whatever is answered; a 200 came from memory.
            let _answer = client.get("/rest/v1/items?select=id,value&order=value.desc&limit=300");
            thread::sleep(Duration::from_millis(10));
        }
        disk(site)?.mend();
        thread::sleep(Duration::from_millis(50));
        match ended.map_or_else(|| site.pando.ended(), |status| Ok(Some(status)))? {
            Some(status) => expect_reason(site, seen, status, "pando.db"),
            None => {
                expect_progress(seen, "after reads worked again");
                expect_reads(site, &keys, seen, "after reads worked again");
            }
        }
        site.strike()
    })?;
    // Clients may have been told that rows are not there, or the like; what counts is the file.
    found.extend(seen.violations());
    Ok(found)
}

/// A sync fails: what it was to write may be lost, and the next one would not tell. So the server stops, says why, and syncs
/// nothing more; and what is acknowledged after the next start survives a power cut all the same.
pub fn sync_error(life: &mut Life) -> Result<Vec<Violation>> {
    let at_checkpoint = life.site.random.chance(30);
    let load = Load {
        heavy: at_checkpoint,
    };
    let ((), seen) = life.load(load, |site, seen| {
        wait_for_load(seen);
        let after = if at_checkpoint {
            0
        } else {
            site.random.below(12)
        };
        let target = if at_checkpoint {
            Target::Database
        } else {
            Target::Log
        };
        disk(site)?.fail(Fault {
            after,
            times: 1,
            ..fault(target, Act::Sync, libc::EIO)
        });
        let until = Instant::now() + if at_checkpoint { CHECKPOINT } else { PATIENCE };
        while disk(site)?.failed() == 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        if disk(site)?.failed() == 0 && at_checkpoint {
            // The log was not long enough to be written back; a stop does it.
            site.pando.request_stop()?;
        }
        let ended = wait_for_end(site)?;
        match ended {
            Some(status) => expect_reason(site, seen, status, "pando.db"),
            None => seen.complain(
                Breach::Conduct,
                "an fsync failed, and the server goes on".to_owned(),
            ),
        }
        let again = disk(site)?.syncs_after_failure();
        if again > 0 {
            seen.complain(
                Breach::Conduct,
                format!(
                    "an fsync failed, and files of the database were synced {again} times more"
                ),
            );
        }
        disk(site)?.mend();
        // Without a power cut: the kernel still shows what did not reach the disk.
        site.pando.kill()
    })?;
    let mut found = seen.violations();
    found.extend(life.check(false)?);
    if found.is_empty() {
        found.extend(in_load(life)?);
    }
    Ok(found)
}

/// The first start meets a fault. It says so and ends, or manages without; the next one works.
pub fn start_error(life: &mut Life) -> Result<Vec<Violation>> {
    let faults = [
        (Target::Keys, Act::Write, libc::ENOSPC, "master.key"),
        (Target::Keys, Act::Sync, libc::EIO, "master.key"),
        (Target::Keys, Act::Name, libc::ENOSPC, "master.key"),
        (Target::Folders, Act::Sync, libc::EIO, "pando-data"),
        (Target::Log, Act::Write, libc::ENOSPC, "pando"),
        (Target::Log, Act::Sync, libc::EIO, "pando"),
        (Target::Database, Act::Write, libc::EIO, "pando"),
        (Target::Database, Act::Sync, libc::EIO, "pando"),
    ];
    let (target, act, errno, named) = *life
        .site
        .random
        .pick(&faults)
        .context("have a fault to choose")?;
    disk(&life.site)?.fail(fault(target, act, errno));
    let refused = life.start()?;
    let struck = disk(&life.site)?.failed();
    disk(&life.site)?.mend();
    let mut found = Vec::new();
    match refused.first() {
        None if struck > 0 && act == Act::Sync => found.push(violation(
            Breach::Conduct,
            format!("a sync of {target:?} failed in the first start, and it went on"),
        )),
        Some(refusal) if !refusal.seen.contains(named) => found.push(violation(
            Breach::Conduct,
            format!(
                "{act:?} of {target:?} failed in the first start, which does not say {named}: {}",
                refusal.seen
            ),
        )),
        _ => {}
    }
    life.site.pando.kill()?;
    found.extend(life.start()?);
    Ok(found)
}

fn disk(site: &Site) -> Result<&Disk> {
    site.disk.as_ref().context("have a disk of ours")
}

fn client(site: &Site, keys: &Keys) -> Client {
    site.pando.client().keyed(&keys.secret, None)
}

fn wait(mut done: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + PATIENCE;
    while !done() {
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

fn wait_for_end(site: &mut Site) -> Result<Option<std::process::ExitStatus>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let ended = site.pando.ended()?;
        if ended.is_some() || Instant::now() > until {
            return Ok(ended);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Writes are acknowledged from here on.
pub fn expect_progress(seen: &Seen, when: &str) {
    let before = seen.done.load(Ordering::Relaxed);
    if !wait(|| seen.done.load(Ordering::Relaxed) > before + 8) {
        seen.complain(
            Breach::Conduct,
            format!("no write is acknowledged {when}: {:?}", seen.statuses),
        );
    }
}

/// Reads are answered.
pub fn expect_reads(site: &Site, keys: &Keys, seen: &Seen, when: &str) {
    let answer = client(site, keys).get("/rest/v1/items?select=id&limit=5");
    match answer {
        Ok(answer) if answer.status == 200 => {}
        Ok(answer) => seen.complain(
            Breach::Conduct,
            format!(
                "a read {when} is answered {} {}",
                answer.status,
                answer.text()
            ),
        ),
        Err(error) => seen.complain(
            Breach::Conduct,
            format!("a read {when} is not answered: {error:#}"),
        ),
    }
}

/// It failed, by itself, and its log names the file.
fn expect_reason(site: &Site, seen: &Seen, status: std::process::ExitStatus, file: &str) {
    let log = site.pando.log();
    let said =
        log.lines().rev().take(30).any(|line| {
            line.contains(file) && (line.contains("ERROR") || line.starts_with("pando:"))
        });
    if status.code().is_none_or(|code| code == 0) || !said {
        seen.complain(
            Breach::Conduct,
            format!(
                "the server ended with {status} and an error that names {file}: {said}\n{}",
                last_lines(&log)
            ),
        );
    }
}
