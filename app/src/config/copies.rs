//! Settings of backups and of the places they go to.

use super::Config;
use super::layers::Refused;
use anyhow::{Context as _, Result};
use pando_blob::{BucketAccess, Store};
use std::str::FromStr;
use std::time::Duration;

/// A span of time as people write it: `90s`, `30m`, `6h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = ();

    fn from_str(text: &str) -> Result<Span, ()> {
        let text = text.trim();
        let unit = text.chars().last().ok_or(())?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(()),
        };
        let number: u64 = text[..text.len() - unit.len_utf8()]
            .parse()
            .map_err(|_| ())?;
        let seconds = number.checked_mul(seconds).ok_or(())?;
        // A span that ends today or in this century.
        (1..=3_155_760_000)
            .contains(&seconds)
            .then_some(Span(Duration::from_secs(seconds)))
            .ok_or(())
    }
}

/// Whole backups on a schedule.
pub struct Scheduled {
    /// Where they go.
    pub store: Store,
    /// Between two.
    pub every: Duration,
    /// How many are kept.
    pub keep: usize,
}

/// The continuous copy.
pub struct Continuous {
    /// Where it goes.
    pub store: Store,
    /// Between two looks at the log.
    pub interval: Duration,
    /// Between two snapshots.
    pub snapshot_every: Duration,
    /// How old a moment may be.
    pub keep: Duration,
    /// The longest log that is kept for a store that is away: less than what stops writes.
    pub log_bytes_max: u64,
}

impl Config {
    /// Reads what has a form of its own, so that a wrong one is refused at the start.
    pub(super) fn check_copies(&self) -> Result<(), Refused> {
        for key in [
            "backup.every",
            "backup.copy_snapshot_every",
            "backup.copy_keep",
        ] {
            self.span(key)?;
        }
        self.backups_kept()?;
        self.copy_interval()?;
        Ok(())
    }

    fn span(&self, key: &str) -> Result<Option<Duration>, Refused> {
        let form = "a number and a unit, as 90s, 30m, 6h or 7d";
        Ok(self.value::<Span>(key, form)?.map(|span| span.0))
    }

    fn backups_kept(&self) -> Result<usize, Refused> {
        Ok(self.count("backup.keep", 1, 100_000)?.unwrap_or(14) as usize)
    }

    fn copy_interval(&self) -> Result<Duration, Refused> {
        let millis = self.count("backup.copy_interval_ms", 10, 60_000)?;
        Ok(Duration::from_millis(millis.unwrap_or(250)))
    }

    /// The place a URL names.
    pub fn store(&self, url: &str) -> Result<Store> {
        let access = BucketAccess {
            endpoint: self.text("s3.endpoint").map(str::to_owned),
            region: self.text("s3.region").map(str::to_owned),
            access_key_id: self.text("s3.access_key_id").map(str::to_owned),
            secret_access_key: self.secret("s3.secret_access_key"),
        };
        Ok(Store::open(url, &access)?)
    }

    /// Backups on a schedule, if they are wanted.
    pub fn scheduled(&self) -> Result<Option<Scheduled>> {
        let Some(every) = self.span("backup.every")? else {
            return Ok(None);
        };
        let to = self
            .text("backup.to")
            .context("backup.every is set, so backup.to must say where backups go")?;
        Ok(Some(Scheduled {
            store: self.store(to).context("read backup.to")?,
            every,
            keep: self.backups_kept()?,
        }))
    }

    /// The continuous copy, if it is wanted.
    pub fn continuous(&self) -> Result<Option<Continuous>> {
        let Some(to) = self.text("backup.copy_to") else {
            return Ok(None);
        };
        let day = Duration::from_secs(86_400);
        Ok(Some(Continuous {
            store: self.store(to).context("read backup.copy_to")?,
            interval: self.copy_interval()?,
            snapshot_every: self.span("backup.copy_snapshot_every")?.unwrap_or(day),
            keep: self.span("backup.copy_keep")?.unwrap_or(7 * day),
            log_bytes_max: self.limits()?.wal_bytes_max / 8 * 7,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_number_and_a_unit() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            (" 6h", 21_600),
            ("7d", 604_800),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Span(Duration::from_secs(seconds))),
                "{text}"
            );
        }
        for text in [
            "",
            "6",
            "h",
            "0s",
            "-1h",
            "1w",
            "1.5h",
            "99999999999999999999d",
            "6é",
        ] {
            assert_eq!(text.parse::<Span>(), Err(()), "{text}");
        }
    }
}
