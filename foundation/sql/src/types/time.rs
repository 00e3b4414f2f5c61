//! Dates and times as they are stored: the one form JSON shows, whose order as text is their order in time.
//!
//! Years 1 to 9999 and the two infinities; other years are refused by name.

pub(crate) mod calendar;
mod fields;
mod input;
pub(crate) mod interval;
pub(crate) mod zone;

pub(crate) use fields::Unit;
pub(crate) use input::{date, time, timestamp, timestamptz};

use crate::error::SqlError;
use calendar::{DAY, SECOND, civil_from_days, days_from_civil};

/// Microseconds since 1970-01-01T00:00:00; the greatest and the least are the infinities.
pub(crate) type Micros = i64;
/// `infinity`
pub(crate) const FOREVER: Micros = i64::MAX;
/// `-infinity`
pub(crate) const NEVER: Micros = i64::MIN;

/// Whether it is one of the infinities.
pub(crate) fn endless(micros: Micros) -> bool {
    matches!(micros, FOREVER | NEVER)
}

fn out_of_range(what: &str) -> SqlError {
    SqlError::new("22008", format!("{what} out of range"))
}

/// A stored timestamp, date or time of day.
pub(crate) fn stored(text: &str) -> Result<Micros, SqlError> {
    let broken = || SqlError::new("22007", format!("\"{text}\" is no stored time"));
    match text {
        "infinity" => return Ok(FOREVER),
        "-infinity" => return Ok(NEVER),
        _ => {}
    }
    let text = text.strip_suffix("+00:00").unwrap_or(text);
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (Some(date), Some(clock)),
        None if text.contains(':') => (None, Some(text)),
        None => (Some(text), None),
    };
    let part = |text: &str, from: usize, to: usize| {
        text.get(from..to)
            .and_then(|part| part.parse::<i64>().ok())
            .ok_or_else(broken)
    };
    let mut micros = 0;
    if let Some(date) = date {
        micros += days_from_civil(part(date, 0, 4)?, part(date, 5, 7)?, part(date, 8, 10)?) * DAY;
    }
    if let Some(clock) = clock {
        let seconds = (part(clock, 0, 2)? * 60 + part(clock, 3, 5)?) * 60 + part(clock, 6, 8)?;
        micros += seconds * SECOND;
        if let Some(fraction) = clock.get(9..) {
            micros += part(&format!("{fraction:0<6}"), 0, 6)?;
        }
    }
    Ok(micros)
}

/// The stored form of a `timestamp`.
pub(crate) fn timestamp_from(micros: Micros) -> Result<String, SqlError> {
    match micros {
        FOREVER => return Ok("infinity".to_owned()),
        NEVER => return Ok("-infinity".to_owned()),
        _ => {}
    }
    let mut out = date_of(micros.div_euclid(DAY), "timestamp")?;
    out.push('T');
    print_clock(micros.rem_euclid(DAY), &mut out);
    Ok(out)
}

/// The stored form of a `timestamptz`.
pub(crate) fn timestamptz_from(micros: Micros) -> Result<String, SqlError> {
    let mut out = timestamp_from(micros)?;
    if !endless(micros) {
        out.push_str("+00:00");
    }
    Ok(out)
}

/// The stored form of a `date`; `micros` is at midnight.
pub(crate) fn date_from(micros: Micros) -> Result<String, SqlError> {
    match micros {
        FOREVER => Ok("infinity".to_owned()),
        NEVER => Ok("-infinity".to_owned()),
        micros => date_of(micros.div_euclid(DAY), "date"),
    }
}

fn date_of(days: i64, what: &str) -> Result<String, SqlError> {
    let (year, month, day) = civil_from_days(days);
    if !(1..=9999).contains(&year) {
        return Err(out_of_range(what).hint("Years 1 to 9999 are stored on the embedded engine."));
    }
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}

/// The stored form of a `time`.
pub(crate) fn time_from(micros: Micros) -> String {
    let mut out = String::new();
    print_clock(micros, &mut out);
    out
}

/// Appends `hh:mm:ss[.ffffff]`, zeros at the end of the fraction left out.
pub(crate) fn print_clock(micros: i64, out: &mut String) {
    let seconds = micros / SECOND;
    out.push_str(&format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ));
    let fraction = micros % SECOND;
    if fraction > 0 {
        let digits = format!(".{fraction:06}");
        out.push_str(digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    use crate::types::Type;

    #[test]
    fn times_are_stored_in_the_one_form_json_shows() {
        for (ty, text, stored) in [
            (
                Type::Timestamptz,
                "2024-01-02 03:04:05.1230+02",
                "2024-01-02T01:04:05.123+00:00",
            ),
            (
                Type::Timestamptz,
                "2024-01-02T03:04:05Z",
                "2024-01-02T03:04:05+00:00",
            ),
            (Type::Timestamptz, "2024-02-29", "2024-02-29T00:00:00+00:00"),
            (
                Type::Timestamptz,
                "2024-12-31 23:59:59.9999999+00",
                "2025-01-01T00:00:00+00:00",
            ),
            (Type::Timestamptz, "epoch", "1970-01-01T00:00:00+00:00"),
            (Type::Timestamptz, "-infinity", "-infinity"),
            (
                Type::Timestamp,
                "2024-01-02 03:04:05+02",
                "2024-01-02T03:04:05",
            ),
            (Type::Date, "20240102", "2024-01-02"),
            (Type::Time, "3:04", "03:04:00"),
        ] {
            let read = ty.read_text(text);
            assert_eq!(
                read.as_ref().ok().and_then(|value| value.as_str()),
                Some(stored),
                "{text}: {read:?}"
            );
        }
    }

    #[test]
    fn what_is_no_time_or_out_of_range_is_refused() {
        for (text, state) in [
            ("2023-02-29", "22008"),
            ("2024-13-01", "22008"),
            ("300000-01-01", "22008"),
            ("0000-01-01", "22008"),
            ("10000-01-01", "22008"),
            ("2024-01-02 25:00", "22008"),
            ("tomorrowish", "22007"),
            ("", "22007"),
            ("2024-01-02 03:04 mars", "22007"),
        ] {
            let refused = Type::Timestamptz
                .read_text(text)
                .map_err(|error| error.state.into_owned());
            assert_eq!(refused, Err(state.to_owned()), "{text}");
        }
    }
}
