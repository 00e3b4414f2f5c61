//! A histogram of the server's own, read from its metrics.

use anyhow::{Context as _, Result};

/// Counts up to each bound, in seconds, as Prometheus shows them.
#[derive(Clone, Debug, Default)]
pub struct Stalls(Vec<(f64, u64)>);

impl Stalls {
    /// Reads the histogram `name` out of a page of metrics.
    pub fn read(page: &str, name: &str) -> Result<Stalls> {
        let start = format!("{name}_bucket{{le=\"");
        let buckets = page.lines().filter_map(|line| line.strip_prefix(&start));
        let buckets = buckets.map(|line| {
            let (bound, count) = line.split_once("\"}").context("an odd bucket")?;
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse()?
            };
            Ok((bound, count.trim().parse()?))
        });
        Ok(Stalls(buckets.collect::<Result<_>>()?))
    }

    /// What came after `before`.
    pub fn since(&self, before: &Stalls) -> Stalls {
        let earlier = |index: usize| before.0.get(index).map_or(0, |(_, count)| *count);
        let counts = self.0.iter().enumerate();
        Stalls(
            counts
                .map(|(index, (bound, count))| (*bound, count - earlier(index)))
                .collect(),
        )
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.last().map_or(0, |(_, count)| *count)
    }

    /// The bound under which this share of them is.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let found = self.0.iter().find(|(_, count)| *count >= wanted);
        found.map_or(0.0, |(bound, _)| *bound)
    }
}
