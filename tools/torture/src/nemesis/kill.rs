//! The process ends at once, or its machine does, in the middle of something.

use crate::checker::{Breach, Violation, violation};
use crate::clients::{Load, Seen};
use crate::life::{Life, Site};
use anyhow::{Context, Result};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// In the middle of the load.
pub fn in_load(life: &mut Life) -> Result<Vec<Violation>> {
    let heavy = life.site.random.chance(15);
    let load = Load { heavy };
    let ((), seen) = life.load(load, |site, seen| {
        wait_for_load(seen);
        thread::sleep(Duration::from_millis(site.random.below(450)));
        site.strike()
    })?;
    Ok(seen.violations())
}

/// While it starts, several times.
pub fn in_start(life: &mut Life) -> Result<Vec<Violation>> {
    let found = in_load(life)?;
    for _ in 0..3 {
        strike_in_start(life)?;
    }
    Ok(found)
}

/// While it starts for the first time, when all is made that is to last. It must start the next time.
pub fn in_first_start(life: &mut Life) -> Result<Vec<Violation>> {
    if life.site.random.chance(50) {
        strike_in_start(life)?;
    }
    life.start()
}

/// While a migration runs that makes a table, fills it, and rebuilds another one.
pub fn in_migration(life: &mut Life) -> Result<Vec<Violation>> {
    let found = in_load(life)?;
    life.migrations += 1;
    let number = life.migrations;
    let sql = format!(
        "create table extra_{number} (id bigint primary key, value text not null);
         insert into extra_{number} select id, value from items;
         alter table extra_{number} enable row level security;
         alter table items add column extra_{number} text not null default 'none';
         create index items_extra_{number} on items (extra_{number}, id);
         alter table marks alter column mark type varchar(200);"
    );
    life.site
        .pando
        .add_migration(&format!("{number:04}_extra"), &sql)?;
    for _ in 0..3 {
        strike_in_start(life)?;
    }
    let mut found = found;
    found.extend(life.check(false)?);
    if !found.is_empty() {
        return Ok(found);
    }
    // The rows did not change while the server was down: the copy has all of them, once.
    let keys = life.keys.clone().context("know the keys")?;
    let mut client = life.site.pando.client().keyed(&keys.secret, None);
    let path = format!("/rest/v1/extra_{number}?select=id&limit=1");
    let answer = client.send("GET", &path, &[("prefer", "count=exact")], None)?;
    let range = answer
        .header("content-range")
        .unwrap_or_default()
        .to_owned();
    let total = range.rsplit('/').next().unwrap_or_default();
    if total != life.model.rows.len().to_string() {
        found.push(violation(
            Breach::Half,
            format!(
                "migration {number} copied {range} rows of {}: {} {}",
                life.model.rows.len(),
                answer.status,
                answer.text()
            ),
        ));
    }
    life.site.strike()?;
    Ok(found)
}

/// While the log is written back: at a stop, or under a load that makes it long.
pub fn in_checkpoint(life: &mut Life) -> Result<Vec<Violation>> {
    let load = Load { heavy: true };
    let at_stop = life.site.random.chance(50);
    let ((), seen) = life.load(load, |site, seen| {
        wait_for_load(seen);
        if at_stop {
            thread::sleep(Duration::from_millis(site.random.between(100, 300)));
            site.pando.request_stop()?;
            thread::sleep(Duration::from_millis(site.random.below(60)));
        } else {
            // About three times the length at which the log is written back.
            let deadline = Instant::now() + Duration::from_millis(2_500);
            let writes = site.random.between(250, 800);
            while seen.done.load(Ordering::Relaxed) < writes && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(5));
            }
        }
        site.strike()
    })?;
    Ok(seen.violations())
}

/// In any of those moments, or in the very first start.
pub fn anywhere(life: &mut Life) -> Result<Vec<Violation>> {
    match life.site.random.below(100) {
        0..60 => in_load(life),
        60..72 => in_start(life),
        72..80 => in_migration(life),
        80..85 => super::backup::in_backup(life),
        _ => in_checkpoint(life),
    }
}

/// Waits until writes are acknowledged, so that there is something to lose.
pub fn wait_for_load(seen: &Seen) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while seen.done.load(Ordering::Relaxed) < 5 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Starts the server and strikes before, or just when, it is ready. On a disk of ours the moment is an operation of its, which is
/// finer than any clock.
pub fn strike_in_start(life: &mut Life) -> Result<()> {
    let expected = life.start_time.as_millis() as u64;
    let Site {
        pando,
        disk,
        random,
    } = &mut life.site;
    if let Some(disk) = disk {
        disk.cut_after(random.below(60), random);
    }
    pando.spawn()?;
    let moment = Duration::from_millis(random.below(expected + 20));
    match disk {
        Some(disk) => drop(disk.wait_for_cut(moment.max(Duration::from_millis(expected)))),
        None => thread::sleep(moment),
    }
    life.site.strike()
}
