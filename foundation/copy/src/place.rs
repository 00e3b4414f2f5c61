//! The names of things in a store.

use pando_kernel::Timestamp;
use uuid::Uuid;

/// All continuous copies.
pub(crate) const COPIES: &str = "copy";
/// All whole ones.
pub(crate) const BACKUPS: &str = "backups";

/// `20260131T120000Z`: sorts as time does.
pub(crate) fn stamp(time: Timestamp) -> String {
    let text = time.to_string();
    let digits: String = text
        .split(['.', '+'])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| *c != '-' && *c != ':')
        .collect();
    format!("{digits}Z")
}

/// A name for a new generation. They sort by their beginnings.
pub(crate) fn generation(now: Timestamp) -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{}-{}", stamp(now), &random[..12])
}

pub(crate) fn segments(generation: &str) -> String {
    format!("{COPIES}/{generation}/segments")
}

pub(crate) fn segment(generation: &str, number: u64) -> String {
    format!("{}/{number:012}.seg", segments(generation))
}

pub(crate) fn snapshots(generation: &str) -> String {
    format!("{COPIES}/{generation}/snapshots")
}

pub(crate) fn snapshot(generation: &str, number: u64) -> String {
    format!("{}/{number:012}.db.lz4", snapshots(generation))
}

pub(crate) fn snapshot_record(generation: &str, number: u64) -> String {
    format!("{}/{number:012}.json", snapshots(generation))
}

/// The number in a segment's name.
pub(crate) fn number(key: &str) -> Option<u64> {
    let name = key.rsplit('/').next()?;
    name.strip_suffix(".seg")?.parse().ok()
}

/// The generation in a key, and what follows it.
pub(crate) fn parts(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix(COPIES)?.strip_prefix('/')?.split_once('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_time_does_and_are_read_again() {
        let time = Timestamp(1_704_067_200_500_000);
        assert_eq!(stamp(time), "20240101T000000Z");
        let key = segment(&generation(time), 42);
        assert_eq!(number(&key), Some(42));
        let (generation, rest) = parts(&key).unwrap();
        assert!(generation.starts_with("20240101T000000Z-"));
        assert_eq!(rest, "segments/000000000042.seg");
    }
}
