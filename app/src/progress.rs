//! How far something long has come, on standard error, now and then.

use crate::output::complain;
use std::time::{Duration, Instant};

/// Between two lines. What is done sooner says nothing.
const EVERY: Duration = Duration::from_secs(2);

/// Tells how far something has come.
pub struct Meter {
    what: &'static str,
    told: Instant,
}

impl Meter {
    /// Begins; `what` is a verb in the past, as `copied`.
    pub fn new(what: &'static str) -> Meter {
        Meter {
            what,
            told: Instant::now(),
        }
    }

    /// So many bytes of so many.
    pub fn at(&mut self, done: u64, of: u64) {
        if let Some(share) = self.due(done, of) {
            complain(&format!("{} {share} % of {}", self.what, size(of)));
        }
    }

    /// So many of so many things that have no name.
    pub fn share(&mut self, done: u64, of: u64) {
        if let Some(share) = self.due(done, of) {
            complain(&format!("{} {share} %", self.what));
        }
    }

    fn due(&mut self, done: u64, of: u64) -> Option<u64> {
        if self.told.elapsed() < EVERY || of == 0 {
            return None;
        }
        self.told = Instant::now();
        Some(done.min(of) * 100 / of)
    }
}

/// Bytes as people read them.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut shown = bytes as f64;
    while shown >= 1024.0 && unit + 1 < UNITS.len() {
        shown /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} bytes"),
        _ => format!("{shown:.1} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (1_536, "1.5 KiB"),
            (1 << 30, "1.0 GiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
