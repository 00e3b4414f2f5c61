//! Dates and times in the forms people and programs write them: ISO 8601 and its relatives, names of months, zones behind.

use super::calendar::{DAY, SECOND, days_from_civil, days_in};
use super::fields::{month, weekday};
use super::zone::{Zone, offset};
use super::{FOREVER, Micros, NEVER};
use crate::error::SqlError;
use crate::types::Type;
use crate::types::input::syntax;
use crate::value::Value;

/// Reads a `timestamptz`; without a zone the text is UTC.
pub(crate) fn timestamptz(text: &str) -> Result<Value, SqlError> {
    let micros = match read(text, &Type::Timestamptz)? {
        Read::Endless(micros) => micros,
        Read::Fields(fields) => {
            let local = fields.local(text, &Type::Timestamptz)?;
            match fields.zone {
                Some(zone) => zone.moment(local),
                None => local,
            }
        }
    };
    Ok(super::timestamptz_from(micros)
        .map_err(|error| field(text, error))?
        .into())
}

/// Reads a `timestamp`; a zone in the text is ignored, as Postgres ignores it.
pub(crate) fn timestamp(text: &str) -> Result<Value, SqlError> {
    let micros = match read(text, &Type::Timestamp)? {
        Read::Endless(micros) => micros,
        Read::Fields(fields) => fields.local(text, &Type::Timestamp)?,
    };
    Ok(super::timestamp_from(micros)
        .map_err(|error| field(text, error))?
        .into())
}

/// Reads a `date`; a time of day in the text is ignored.
pub(crate) fn date(text: &str) -> Result<Value, SqlError> {
    let micros = match read(text, &Type::Date)? {
        Read::Endless(micros) => micros,
        Read::Fields(fields) => fields.midnight(text, &Type::Date)?,
    };
    Ok(super::date_from(micros)
        .map_err(|error| field(text, error))?
        .into())
}

/// Reads a `time`; a date in the text is ignored.
pub(crate) fn time(text: &str) -> Result<Value, SqlError> {
    match read(text, &Type::Time)? {
        Read::Endless(_) => Err(invalid(&Type::Time, text)),
        Read::Fields(fields) => match fields.clock {
            Some(micros) => Ok(super::time_from(micros).into()),
            None => Err(invalid(&Type::Time, text)),
        },
    }
}

/// `invalid input syntax for type timestamp with time zone: ".."` with the state of dates and times.
pub(super) fn invalid(ty: &Type, text: &str) -> SqlError {
    let mut error = SqlError {
        state: "22007".into(),
        ..syntax(ty, text)
    };
    error.message = error.message.replace(" without time zone", "");
    error
}

fn range(text: &str) -> SqlError {
    SqlError::new(
        "22008",
        format!("date/time field value out of range: \"{text}\""),
    )
}

/// The text stands in the message, and the hint stays.
fn field(text: &str, error: SqlError) -> SqlError {
    SqlError {
        hint: error.hint,
        ..range(text)
    }
}

enum Read {
    Endless(Micros),
    Fields(Fields),
}

#[derive(Default)]
struct Fields {
    year: Option<i64>,
    /// Written with two digits or fewer.
    short_year: bool,
    month: Option<i64>,
    day: Option<i64>,
    clock: Option<Micros>,
    zone: Option<Zone>,
    before_christ: bool,
}

impl Fields {
    fn midnight(&self, text: &str, ty: &Type) -> Result<Micros, SqlError> {
        let (Some(year), Some(month), Some(day)) = (self.year, self.month, self.day) else {
            return Err(invalid(ty, text));
        };
        let year = match year {
            _ if self.before_christ => {
                return Err(range(text).hint("Years 1 to 9999 are stored on the embedded engine."));
            }
            0..70 if self.short_year => year + 2000,
            70..100 if self.short_year => year + 1900,
            year => year,
        };
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(range(text).hint("Perhaps you need a different \"datestyle\" setting."));
        }
        if day > days_in(year, month) || !(1..=290_000).contains(&year) {
            return Err(range(text));
        }
        Ok(days_from_civil(year, month, day) * DAY)
    }

    fn local(&self, text: &str, ty: &Type) -> Result<Micros, SqlError> {
        Ok(self.midnight(text, ty)? + self.clock.unwrap_or(0))
    }
}

fn read(text: &str, ty: &Type) -> Result<Read, SqlError> {
    let bad = || invalid(ty, text);
    let lower = text.trim().to_ascii_lowercase();
    match lower.as_str() {
        "infinity" => return Ok(Read::Endless(FOREVER)),
        "-infinity" => return Ok(Read::Endless(NEVER)),
        "epoch" if *ty != Type::Time => return Ok(Read::Endless(0)),
        "allballs" if *ty == Type::Time => {
            return Ok(Read::Fields(Fields {
                clock: Some(0),
                ..Fields::default()
            }));
        }
        "now" | "today" | "tomorrow" | "yesterday" => {
            return Err(SqlError::new(
                "0A000",
                format!("\"{lower}\" as a value is not read on the embedded engine"),
            )
            .hint("Use now(), current_date, or write the moment out."));
        }
        _ => {}
    }
    if !lower.is_ascii() {
        return Err(bad());
    }
    let mut fields = Fields::default();
    let mut rest = lower.as_str();
    let mut afternoon = None;
    while let Some(first) = rest.bytes().next() {
        match first {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => rest = &rest[1..],
            // Postgres passes over signs where a field may begin.
            sign if sign.is_ascii_punctuation() && !matches!(sign, b'+' | b'-') => {
                rest = &rest[1..];
            }
            b'0'..=b'9' => rest = number(rest, &mut fields, ty, text)?,
            b'+' | b'-' => {
                let end = rest[1..]
                    .find(|c: char| !c.is_ascii_digit() && c != ':')
                    .map_or(rest.len(), |at| at + 1);
                let (zone, after) = rest.split_at(end);
                let seconds = offset(zone).ok_or_else(|| {
                    let digits = zone[1..]
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b':');
                    if digits && zone.len() > 1 {
                        SqlError::new(
                            "22009",
                            format!("time zone displacement out of range: \"{text}\""),
                        )
                    } else {
                        bad()
                    }
                })?;
                if fields.zone.is_some() || fields.clock.is_none() && fields.day.is_none() {
                    return Err(bad());
                }
                fields.zone = Some(Zone::Fixed(seconds));
                rest = after;
            }
            b'a'..=b'z' => {
                let end = rest
                    .find(|c: char| !c.is_ascii_alphabetic())
                    .unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                // The name of a zone goes on with slashes, underscores, signs and digits.
                if after.starts_with('/') {
                    let end = rest
                        .find(|c: char| c.is_ascii_whitespace())
                        .unwrap_or(rest.len());
                    let zone = Zone::named(&rest[..end]).ok_or_else(|| {
                        SqlError::new(
                            "22023",
                            format!("time zone \"{}\" not recognized", &rest[..end]),
                        )
                    })?;
                    fields.zone = Some(zone);
                    rest = &rest[end..];
                    continue;
                }
                rest = after;
                match word {
                    "t" if fields.clock.is_none() => {}
                    "am" | "a" if word == "am" => afternoon = Some(false),
                    "pm" => afternoon = Some(true),
                    "ad" => {}
                    "bc" => fields.before_christ = true,
                    "at" | "on" => {}
                    word if weekday(word) => {}
                    word if month(word).is_some() && fields.month.is_none() => {
                        fields.month = month(word);
                        rest = rest.trim_start_matches(['-', '.']);
                    }
                    word if fields.zone.is_none() => {
                        fields.zone = Some(Zone::named(word).ok_or_else(bad)?);
                    }
                    _ => return Err(bad()),
                }
            }
            _ => return Err(bad()),
        }
    }
    if let Some(afternoon) = afternoon {
        let clock = fields.clock.ok_or_else(bad)?;
        let hour = clock / (3600 * SECOND);
        if !(1..=12).contains(&hour) {
            return Err(range(text));
        }
        let rest = clock % (12 * 3600 * SECOND);
        fields.clock = Some(rest + if afternoon { 12 * 3600 * SECOND } else { 0 });
    }
    if !fields.month.is_none_or(|month| (1..=12).contains(&month))
        || !fields.day.is_none_or(|day| (1..=31).contains(&day))
    {
        return Err(range(text).hint("Perhaps you need a different \"datestyle\" setting."));
    }
    if fields.day.is_none() && (fields.clock.is_none() || fields.month.is_some()) {
        return Err(bad());
    }
    Ok(Read::Fields(fields))
}

fn int(digits: &str) -> i64 {
    digits.parse().unwrap_or(i64::MAX / 4)
}

/// A date, a time, or a bare number: which one, what stands around it says.
fn number<'a>(
    rest: &'a str,
    fields: &mut Fields,
    ty: &Type,
    text: &str,
) -> Result<&'a str, SqlError> {
    let bad = || invalid(ty, text);
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at(length);
    match after.bytes().next() {
        Some(b':') if fields.clock.is_none() => {
            let (clock, after) = clock(rest, ty, text)?;
            fields.clock = Some(clock);
            return Ok(after);
        }
        Some(sign @ (b'-' | b'/')) if fields.day.is_none() => {
            let sign = char::from(sign);
            let word = after[1..]
                .bytes()
                .take_while(u8::is_ascii_alphabetic)
                .count();
            let (second, after) = if word > 0 {
                (&after[1..=word], &after[word + 1..])
            } else {
                let count = after[1..].bytes().take_while(u8::is_ascii_digit).count();
                (&after[1..=count], &after[count + 1..])
            };
            let after = after.strip_prefix(sign).ok_or_else(bad)?;
            let count = after.bytes().take_while(u8::is_ascii_digit).count();
            let (third, after) = after.split_at(count);
            if second.is_empty() || third.is_empty() || after.starts_with(sign) {
                return Err(bad());
            }
            if let Some(named) = month(second) {
                fields.month = Some(named);
                let (year, day) = if digits.len() > 2 {
                    (digits, third)
                } else {
                    (third, digits)
                };
                set_year(fields, year);
                fields.day = Some(int(day));
            } else if word > 0 {
                return Err(bad());
            } else if digits.len() > 2 {
                set_year(fields, digits);
                fields.month = Some(int(second));
                fields.day = Some(int(third));
            } else {
                // Month, day, year: the order of a server that was told nothing else.
                fields.month = Some(int(digits));
                fields.day = Some(int(second));
                set_year(fields, third);
            }
            return Ok(after);
        }
        _ => {}
    }
    // Bare digits.
    match length {
        8 if fields.day.is_none() => {
            fields.year = Some(int(&digits[..4]));
            fields.month = Some(int(&digits[4..6]));
            fields.day = Some(int(&digits[6..]));
            Ok(after)
        }
        6 if fields.clock.is_none() && (fields.day.is_some() || *ty == Type::Time) => {
            let spread = format!("{}:{}:{}", &digits[..2], &digits[2..4], &digits[4..]);
            let count = after.strip_prefix('.').map_or(0, |digits| {
                1 + digits.bytes().take_while(u8::is_ascii_digit).count()
            });
            let (micros, _) = clock(&format!("{spread}{}", &after[..count]), ty, text)?;
            fields.clock = Some(micros);
            Ok(&after[count..])
        }
        4 if fields.clock.is_none() && fields.year.is_some() && fields.day.is_some() => {
            fields.clock = Some(clock(&format!("{}:{}", &digits[..2], &digits[2..]), ty, text)?.0);
            Ok(after)
        }
        6 if fields.day.is_none() && fields.month.is_none() => {
            set_year(fields, &digits[..2]);
            fields.month = Some(int(&digits[2..4]));
            fields.day = Some(int(&digits[4..]));
            Ok(after)
        }
        // An hour alone, with its am or pm.
        1 | 2
            if fields.year.is_some()
                && fields.day.is_some()
                && fields.clock.is_none()
                && (after.trim_start().starts_with("am")
                    || after.trim_start().starts_with("pm")) =>
        {
            fields.clock = Some(int(digits) * 3600 * SECOND);
            Ok(after)
        }
        // What stands beside the name of a month: a day of two digits, a year of more.
        1 | 2 if fields.month.is_some() && fields.day.is_none() => {
            fields.day = Some(int(digits));
            Ok(after)
        }
        1 | 2 if fields.month.is_none() && fields.day.is_none() && named_month_follows(after) => {
            fields.day = Some(int(digits));
            Ok(after)
        }
        // Month, day, year, whatever stands between them.
        1 | 2 if fields.month.is_none() && fields.day.is_none() && fields.year.is_none() => {
            fields.month = Some(int(digits));
            Ok(after)
        }
        _ if fields.year.is_none() && (fields.month.is_some() || named_month_follows(after)) => {
            set_year(fields, digits);
            Ok(after)
        }
        _ => Err(bad()),
    }
}

fn named_month_follows(rest: &str) -> bool {
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    month(&rest[..end]).is_some()
}

fn set_year(fields: &mut Fields, digits: &str) {
    fields.year = Some(int(digits));
    fields.short_year = digits.len() <= 2;
}

/// `hh:mm[:ss[.ffffff]]` to microseconds, and the rest.
fn clock<'a>(text: &'a str, ty: &Type, whole: &str) -> Result<(Micros, &'a str), SqlError> {
    let bad = || invalid(ty, whole);
    let take = |text: &'a str| {
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        (length > 0 && length <= 9)
            .then(|| (int(&text[..length]), &text[length..]))
            .ok_or_else(bad)
    };
    let (hour, rest) = take(text)?;
    let (minute, rest) = take(rest.strip_prefix(':').ok_or_else(bad)?)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => take(rest)?,
        None => (0, rest),
    };
    let (fraction, rest) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            (micros_of(&rest[..length]), &rest[length..])
        }
        None => (0, rest),
    };
    let total = ((hour * 60 + minute) * 60 + second) * SECOND + fraction;
    if hour > 24 || minute > 59 || second > 60 || total > DAY {
        return Err(range(whole));
    }
    Ok((total, rest))
}

/// The digits behind the point of seconds; the seventh rounds.
pub(super) fn micros_of(digits: &str) -> i64 {
    let digits: String = digits.chars().take(15).collect();
    let value: f64 = format!("0.{digits}").parse().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "below a million")]
    {
        (value * 1_000_000.0).round_ties_even() as i64
    }
}
