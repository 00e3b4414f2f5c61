//! Time zones: offsets, abbreviations and the names of the tz database, which is compiled in.

use super::Micros;
use super::calendar::SECOND;
use crate::error::SqlError;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use std::sync::LazyLock;

/// A zone.
pub(crate) enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i64),
    Named(TimeZone),
}

static NAMES: LazyLock<jiff::tz::TimeZoneDatabase> =
    LazyLock::new(jiff::tz::TimeZoneDatabase::bundled);

/// Abbreviations Postgres knows by default, in hours east; those whose meaning people quarrel about are left out.
const SHORT: &[(&str, i64)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("zulu", 0),
    ("wet", 0),
    ("cet", 1),
    ("met", 1),
    ("cest", 2),
    ("eet", 2),
    ("eest", 3),
    ("msk", 3),
    ("bst", 1),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
    ("akst", -9),
    ("akdt", -8),
    ("hst", -10),
    ("jst", 9),
    ("kst", 9),
];

/// An offset as ISO 8601 writes it, in seconds east: `+02`, `-0330`, `+05:45:10`.
pub(crate) fn offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let rest = &text[1..];
    let number = |part: &str| {
        (!part.is_empty() && part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<i64>().ok())
            .flatten()
    };
    let (hours, minutes, seconds) = if rest.contains(':') {
        let mut parts = rest.split(':');
        let hours = number(parts.next()?)?;
        let minutes = number(parts.next()?)?;
        let seconds = parts.next().map_or(Some(0), number)?;
        if parts.next().is_some() {
            return None;
        }
        (hours, minutes, seconds)
    } else {
        match rest.len() {
            1 | 2 => (number(rest)?, 0, 0),
            3 | 4 if rest.is_ascii() => {
                let (hours, minutes) = rest.split_at(rest.len() - 2);
                (number(hours)?, number(minutes)?, 0)
            }
            6 if rest.is_ascii() => (
                number(&rest[..2])?,
                number(&rest[2..4])?,
                number(&rest[4..])?,
            ),
            _ => return None,
        }
    };
    (hours <= 15 && minutes < 60 && seconds < 60)
        .then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

impl Zone {
    /// A zone by name or abbreviation, or by an offset as a timestamp has it.
    pub(crate) fn named(name: &str) -> Option<Zone> {
        let lower = name.to_ascii_lowercase();
        if let Some((_, hours)) = SHORT.iter().find(|(short, _)| *short == lower) {
            return Some(Zone::Fixed(hours * 3600));
        }
        if !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        NAMES.get(name).ok().map(Zone::Named)
    }

    /// What `at time zone '..'` means: as [`named`](Self::named), and offsets in the sense of POSIX, where `+2` is west.
    pub(crate) fn asked(name: &str) -> Result<Zone, SqlError> {
        let unknown = || SqlError::new("22023", format!("time zone \"{name}\" not recognized"));
        if let Some(zone) = Zone::named(name) {
            return Ok(zone);
        }
        let posix = name
            .strip_prefix("UTC")
            .or_else(|| name.strip_prefix("GMT"))
            .unwrap_or(name);
        let signed = if posix.starts_with(['+', '-']) {
            posix.to_owned()
        } else {
            format!("+{posix}")
        };
        offset(&signed)
            .map(|east| Zone::Fixed(-east))
            .ok_or_else(unknown)
    }

    /// Seconds east of Greenwich at a moment.
    pub(crate) fn offset_at(&self, moment: Micros) -> i64 {
        match self {
            Zone::Fixed(offset) => *offset,
            Zone::Named(zone) => Timestamp::from_microsecond(moment)
                .map_or(0, |moment| i64::from(zone.to_offset(moment).seconds())),
        }
    }

    /// The moment a clock in the zone shows a time. In the hour that is shown twice it is the later one, as in Postgres; in the hour
    /// that is skipped, the clock before the change counts.
    pub(crate) fn moment(&self, local: Micros) -> Micros {
        match self {
            Zone::Fixed(offset) => local - offset * SECOND,
            Zone::Named(zone) => {
                let seconds = local.div_euclid(SECOND);
                let datetime = Timestamp::from_second(seconds)
                    .map(|moment| TimeZone::UTC.to_datetime(moment))
                    .unwrap_or(civil::DateTime::ZERO);
                let offset = match zone.to_ambiguous_timestamp(datetime).offset() {
                    jiff::tz::AmbiguousOffset::Unambiguous { offset } => offset,
                    jiff::tz::AmbiguousOffset::Gap { before, .. } => before,
                    jiff::tz::AmbiguousOffset::Fold { after, .. } => after,
                };
                local - i64::from(offset.seconds()) * SECOND
            }
        }
    }
}
