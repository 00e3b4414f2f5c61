//! The clock jumps, days ahead and hours back, while the server works.

use crate::checker::Violation;
use crate::clients::Load;
use crate::life::Life;
use crate::nemesis::faults::expect_progress;
use crate::nemesis::kill::wait_for_load;
use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pando_testkit::{Client, faketime};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Hours beside the true time where the clock may stand.
const PLACES: &[i64] = &[0, 72, 960, -5, -30, 1, 9_600];

/// Jumps several times under load.
pub fn jump(life: &mut Life) -> Result<Vec<Violation>> {
    let keys = life.keys.as_ref().context("know the keys")?;
    let publishable = keys.publishable.clone();
    let clock = life.clock().context("have a clock that jumps")?;
    let ((), seen) = life.load(Load::default(), |site, seen| {
        wait_for_load(seen);
        for _ in 0..4 {
            let hours = site.random.pick(PLACES).copied().unwrap_or(0);
            faketime::set(&clock, &format!("{hours:+}h"))?;
            wait_for_time(site.pando.client().keyed(&publishable, None), hours)?;
            expect_progress(seen, &format!("after the clock jumped to {hours:+} h"));
            thread::sleep(Duration::from_millis(site.random.below(120)));
        }
        site.strike()
    })?;
    Ok(seen.violations())
}

/// Waits until the server's tokens carry that time: a clock that does not jump would prove nothing.
fn wait_for_time(mut client: Client, hours: i64) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let there = i64::try_from(now)? + hours * 3_600;
        let answer = client.post("/auth/v1/signup", &json!({}))?;
        let answer = answer.json();
        let token = answer["access_token"].as_str().unwrap_or_default();
        let payload = token.split('.').nth(1).unwrap_or_default();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
        let issued = claims["iat"].as_i64().context("find when it was issued")?;
        if (issued - there).abs() < 60 {
            return Ok(());
        }
        if Instant::now() > until {
            bail!("a token was issued at {issued} while the clock was to stand at {there}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}
