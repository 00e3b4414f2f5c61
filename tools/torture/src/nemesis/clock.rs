//! The clock jumps, days ahead and hours back, while the server works.

use crate::checker::Violation;
use crate::clients::Load;
use crate::life::Life;
use crate::nemesis::faults::expect_progress;
use crate::nemesis::kill::wait_for_load;
use anyhow::{Context, Result};
use pando_testkit::faketime;
use std::thread;
use std::time::Duration;

/// Where the clocks may stand, in the words of libfaketime: beside the true time.
const PLACES: &[&str] = &["+0", "+3d", "+40d", "-5h", "-30h", "+1h", "+400d"];

/// Jumps several times under load.
pub fn jump(life: &mut Life) -> Result<Vec<Violation>> {
    let clock = life.clock().context("have a clock that jumps")?;
    let ((), seen) = life.load(Load::default(), |site, seen| {
        wait_for_load(seen);
        for _ in 0..4 {
            let place = site.random.pick(PLACES).copied().unwrap_or("+0");
            faketime::set(&clock, place)?;
            expect_progress(seen, &format!("after the clock jumped to {place}"));
            thread::sleep(Duration::from_millis(site.random.below(120)));
        }
        site.strike()
    })?;
    Ok(seen.violations())
}
