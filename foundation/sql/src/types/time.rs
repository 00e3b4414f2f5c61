//! Dates and times: read in the forms clients write, stored in the one form JSON shows.
//!
//! Years 1 to 9999 only, so that the text sorts as the time does; `infinity` and years before Christ are refused by name.

use super::input::syntax;
use crate::error::SqlError;
use crate::types::Type;
use crate::value::Value;

const DAY: i64 = 86_400_000_000;

/// Microseconds since 1970-01-01T00:00:00 and what the text said about its zone.
struct Parsed {
    micros: i64,
    offset: Option<i64>,
}

pub(super) fn timestamptz(text: &str) -> Result<Value, SqlError> {
    let parsed = parse(text, &Type::Timestamptz)?;
    let micros = parsed.micros - parsed.offset.unwrap_or(0) * 1_000_000;
    let mut out = print(micros, text)?;
    out.push_str("+00:00");
    Ok(Value::from(out))
}

pub(super) fn timestamp(text: &str) -> Result<Value, SqlError> {
    // A zone in the text is ignored, as Postgres ignores it.
    let parsed = parse(text, &Type::Timestamp)?;
    Ok(Value::from(print(parsed.micros, text)?))
}

pub(super) fn date(text: &str) -> Result<Value, SqlError> {
    let parsed = parse(text, &Type::Date)?;
    let mut out = print(parsed.micros, text)?;
    out.truncate(10);
    Ok(Value::from(out))
}

pub(super) fn time(text: &str) -> Result<Value, SqlError> {
    let trimmed = text.trim();
    let (micros, rest) = clock(trimmed, &Type::Time, text)?;
    if !rest.is_empty() && zone(rest).is_none() {
        return Err(invalid(&Type::Time, text));
    }
    let mut out = String::new();
    print_clock(micros, &mut out);
    Ok(Value::from(out))
}

/// `invalid input syntax for type timestamp with time zone: ".."` with the state of dates and times.
fn invalid(ty: &Type, text: &str) -> SqlError {
    SqlError {
        state: "22007".into(),
        ..syntax(ty, text)
    }
}

fn field(text: &str) -> SqlError {
    SqlError::new(
        "22008",
        format!("date/time field value out of range: \"{text}\""),
    )
}

fn parse(text: &str, ty: &Type) -> Result<Parsed, SqlError> {
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("epoch") {
        return Ok(Parsed {
            micros: 0,
            offset: Some(0),
        });
    }
    if ["infinity", "-infinity"]
        .iter()
        .any(|word| trimmed.eq_ignore_ascii_case(word))
    {
        return Err(SqlError::new(
            "22008",
            format!("\"{trimmed}\" is not stored on the embedded engine"),
        )
        .hint("Use null, or a date far away."));
    }
    let (year, month, day, rest) = calendar(trimmed).ok_or_else(|| invalid(ty, text))?;
    if !(1..=12).contains(&month)
        || day < 1
        || day > days_in(year, month)
        || !(1..=10_000).contains(&year)
    {
        return Err(field(text));
    }
    let midnight = days_from_civil(year, month, day) * DAY;
    if rest.is_empty() {
        return Ok(Parsed {
            micros: midnight,
            offset: None,
        });
    }
    let after = rest
        .strip_prefix(['T', 't', ' '])
        .ok_or_else(|| invalid(ty, text))?
        .trim_start();
    let (micros, rest) = clock(after, ty, text)?;
    let offset = if rest.trim().is_empty() {
        None
    } else {
        Some(zone(rest.trim()).ok_or_else(|| invalid(ty, text))?)
    };
    Ok(Parsed {
        micros: midnight + micros,
        offset,
    })
}

fn number(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length < least || length > most {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

fn calendar(text: &str) -> Option<(i64, i64, i64, &str)> {
    // 20260131, the basic form of ISO 8601.
    if let Some((digits, rest)) = number(text, 8, 8) {
        return Some((digits / 10_000, digits / 100 % 100, digits % 100, rest));
    }
    let (year, rest) = number(text, 4, 6)?;
    let rest = rest.strip_prefix('-')?;
    let (month, rest) = number(rest, 1, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
    Some((year, month, day, rest))
}

/// `hh:mm[:ss[.ffffff]]` to microseconds, and the rest.
fn clock<'a>(text: &'a str, ty: &Type, whole: &str) -> Result<(i64, &'a str), SqlError> {
    let read = || -> Option<(i64, i64, i64, i64, &'a str)> {
        let (hour, rest) = number(text, 1, 2)?;
        let (minute, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
        let Some(rest) = rest.strip_prefix(':') else {
            return Some((hour, minute, 0, 0, rest));
        };
        let (second, rest) = number(rest, 2, 2)?;
        let Some(rest) = rest.strip_prefix(['.', ',']) else {
            return Some((hour, minute, second, 0, rest));
        };
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let mut micros = 0;
        for at in 0..6 {
            micros = micros * 10
                + rest.as_bytes()[..length]
                    .get(at)
                    .map_or(0, |digit| i64::from(digit - b'0'));
        }
        // The seventh digit rounds.
        if rest.as_bytes()[..length]
            .get(6)
            .is_some_and(|digit| *digit >= b'5')
        {
            micros += 1;
        }
        Some((hour, minute, second, micros, &rest[length..]))
    };
    let (hour, minute, second, micros, rest) = read().ok_or_else(|| invalid(ty, whole))?;
    let midnight = hour == 24 && minute == 0 && second == 0 && micros == 0;
    if (hour > 23 && !midnight) || minute > 59 || second > 60 {
        return Err(field(whole));
    }
    Ok((
        ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros,
        rest,
    ))
}

/// Seconds east of Greenwich.
fn zone(text: &str) -> Option<i64> {
    if ["z", "utc", "gmt"]
        .iter()
        .any(|name| text.eq_ignore_ascii_case(name))
    {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let rest = &text[1..];
    let (hours, minutes, seconds) =
        if rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_digit()) {
            (rest[..2].parse().ok()?, rest[2..].parse().ok()?, 0)
        } else {
            let (hours, rest) = number(rest, 1, 2)?;
            match rest.strip_prefix(':') {
                None if rest.is_empty() => (hours, 0, 0),
                None => return None,
                Some(rest) => {
                    let (minutes, rest) = number(rest, 2, 2)?;
                    match rest.strip_prefix(':') {
                        None if rest.is_empty() => (hours, minutes, 0),
                        None => return None,
                        Some(rest) => {
                            let (seconds, rest) = number(rest, 2, 2)?;
                            rest.is_empty().then_some((hours, minutes, seconds))?
                        }
                    }
                }
            }
        };
    (hours <= 15 && minutes < 60 && seconds < 60)
        .then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

fn print(micros: i64, text: &str) -> Result<String, SqlError> {
    let days = micros.div_euclid(DAY);
    let (year, month, day) = civil_from_days(days);
    if !(1..=9999).contains(&year) {
        return Err(SqlError::new(
            "22008",
            format!("date/time field value out of range: \"{text}\""),
        )
        .hint("Years 1 to 9999 are stored on the embedded engine."));
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}T");
    print_clock(micros.rem_euclid(DAY), &mut out);
    Ok(out)
}

fn print_clock(micros: i64, out: &mut String) {
    let seconds = micros / 1_000_000;
    out.push_str(&format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ));
    let fraction = micros % 1_000_000;
    if fraction > 0 {
        let digits = format!(".{fraction:06}");
        out.push_str(digits.trim_end_matches('0'));
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so that the leap day is the last of a year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Adds months, days and microseconds to a stored timestamp, with or without zone, as `timestamp + interval` does.
pub(crate) fn shift(stored: &str, months: i64, days: i64, micros: i64) -> Result<String, SqlError> {
    let parsed = parse(stored, &Type::Timestamptz)?;
    let (mut date, clock) = (parsed.micros.div_euclid(DAY), parsed.micros.rem_euclid(DAY));
    if months != 0 {
        let (year, month, day) = civil_from_days(date);
        let total = year * 12 + month - 1 + months;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        date = days_from_civil(year, month, day.min(days_in(year, month)));
    }
    let out = (date + days)
        .checked_mul(DAY)
        .and_then(|at| at.checked_add(clock))
        .and_then(|at| at.checked_add(micros));
    let mut out = print(
        out.ok_or_else(|| SqlError::new("22008", "timestamp out of range"))?,
        stored,
    )?;
    if stored.ends_with("+00:00") {
        out.push_str("+00:00");
    }
    Ok(out)
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
            ("infinity", "22008"),
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
