//! `to_char` of dates and times.

use super::{moment, span};
use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::functions::text;
use crate::types::time::calendar::{
    DAY, SECOND, civil_from_days, days_from_civil, iso_week, weekday,
};
use crate::types::time::endless;
use crate::types::time::interval::Interval;
use crate::value::Value;

/// What the patterns are filled with.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    /// Days since 1970; none for an interval, which has no date.
    date: Option<i64>,
    hour: i64,
    micros: i64,
    zone: &'static str,
    offset: &'static str,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The patterns, a longer one before those it begins with.
const PATTERNS: &[&str] = &[
    "SSSSS", "SSSS", "Y,YYY", "YYYY", "IYYY", "MONTH", "Month", "month", "A.M.", "P.M.", "a.m.",
    "p.m.", "B.C.", "A.D.", "b.c.", "a.d.", "HH24", "HH12", "YYY", "IYY", "MON", "Mon", "mon",
    "DAY", "Day", "day", "DDD", "IDDD", "YY", "IY", "MM", "MI", "MS", "US", "SS", "HH", "DD", "DY",
    "Dy", "dy", "ID", "IW", "WW", "CC", "AM", "PM", "am", "pm", "BC", "AD", "bc", "ad", "TZH",
    "TZM", "TZ", "tz", "OF", "RM", "rm", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "Y", "I", "D",
    "W", "Q", "J",
];

fn pattern(rest: &str) -> Option<&'static str> {
    // Numbers are the same in any case; words take theirs from the pattern.
    let longest = |same: &dyn Fn(&str) -> bool| {
        PATTERNS
            .iter()
            .copied()
            .filter(|pattern| same(pattern))
            .max_by_key(|pattern| pattern.len())
    };
    longest(&|pattern| rest.starts_with(pattern)).or_else(|| {
        longest(&|pattern| {
            rest.get(..pattern.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(pattern))
                && pattern.bytes().all(|byte| !byte.is_ascii_lowercase())
        })
    })
}

fn cased(word: &str, pattern: &str) -> String {
    let mut letters = pattern.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_uppercase() => {
            word.to_uppercase()
        }
        (Some(first), _) if first.is_uppercase() => word.to_owned(),
        _ => word.to_lowercase(),
    }
}

impl Parts {
    fn fill(&self, pattern: &str, narrow: bool) -> Result<String, SqlError> {
        let date = || {
            self.date.ok_or_else(|| {
                SqlError::new(
                    "22007",
                    "invalid format specification for an interval value",
                )
                .hint("Intervals are not tied to specific calendar dates.")
            })
        };
        let number = |value: i64, width: usize| {
            if narrow {
                value.to_string()
            } else if value < 0 {
                format!("-{:0width$}", -value)
            } else {
                format!("{value:0width$}")
            }
        };
        let named = |names: &[&str], at: i64, whole: bool| {
            let name = names[usize::try_from(at).unwrap_or(0) % names.len()];
            let name = if whole { name } else { &name[..3] };
            let name = cased(name, pattern);
            if whole && !narrow {
                format!("{name:9}")
            } else {
                name
            }
        };
        let twelve = |hour: i64| if hour % 12 == 0 { 12 } else { hour % 12 };
        let fraction = self.micros % SECOND;
        Ok(match pattern {
            "YYYY" => number(self.year, 4),
            "YYY" => number(self.year % 1000, 3),
            "YY" => number(self.year % 100, 2),
            "Y" => number(self.year % 10, 1),
            "Y,YYY" => format!("{},{:03}", self.year / 1000, self.year % 1000),
            "IYYY" => number(iso_week(date()?).0, 4),
            "IYY" => number(iso_week(date()?).0 % 1000, 3),
            "IY" => number(iso_week(date()?).0 % 100, 2),
            "I" => number(iso_week(date()?).0 % 10, 1),
            "CC" => number((self.year + 99).div_euclid(100), 2),
            "MM" => number(self.month, 2),
            "DD" => number(self.day, 2),
            "DDD" => {
                let first = days_from_civil(self.year, 1, 1);
                number(date()? - first + 1, 3)
            }
            "IDDD" => {
                let (_, week) = iso_week(date()?);
                number((week - 1) * 7 + (weekday(date()?) + 6) % 7 + 1, 3)
            }
            "HH24" => number(self.hour, 2),
            "HH" | "HH12" => number(twelve(self.hour), 2),
            "MI" => number(self.micros / (60 * SECOND) % 60, 2),
            "SS" => number(self.micros / SECOND % 60, 2),
            "SSSS" | "SSSSS" => (self.hour * 3600 + self.micros / SECOND % 3600).to_string(),
            "MS" | "FF3" => format!("{:03}", fraction / 1_000),
            "US" | "FF6" => format!("{fraction:06}"),
            "FF1" => format!("{:01}", fraction / 100_000),
            "FF2" => format!("{:02}", fraction / 10_000),
            "FF4" => format!("{:04}", fraction / 100),
            "FF5" => format!("{:05}", fraction / 10),
            "MONTH" | "Month" | "month" | "MON" | "Mon" | "mon" => {
                if self.month == 0 {
                    return Ok(String::new());
                }
                named(&MONTHS, self.month - 1, pattern.len() == 5)
            }
            "DAY" | "Day" | "day" => named(&DAYS, weekday(date()?), true),
            "DY" | "Dy" | "dy" => named(&DAYS, weekday(date()?), false),
            "D" => (weekday(date()?) + 1).to_string(),
            "ID" => ((weekday(date()?) + 6) % 7 + 1).to_string(),
            "IW" => number(iso_week(date()?).1, 2),
            "WW" => {
                let first = days_from_civil(self.year, 1, 1);
                number((date()? - first) / 7 + 1, 2)
            }
            "W" => ((self.day - 1) / 7 + 1).to_string(),
            "Q" => ((self.month - 1) / 3 + 1).to_string(),
            "J" => (date()? + 2_440_588).to_string(),
            "AM" | "PM" => if self.hour % 24 >= 12 { "PM" } else { "AM" }.to_owned(),
            "am" | "pm" => if self.hour % 24 >= 12 { "pm" } else { "am" }.to_owned(),
            "A.M." | "P.M." => if self.hour % 24 >= 12 { "P.M." } else { "A.M." }.to_owned(),
            "a.m." | "p.m." => if self.hour % 24 >= 12 { "p.m." } else { "a.m." }.to_owned(),
            "BC" | "AD" => "AD".to_owned(),
            "bc" | "ad" => "ad".to_owned(),
            "B.C." | "A.D." => "A.D.".to_owned(),
            "b.c." | "a.d." => "a.d.".to_owned(),
            "TZ" => self.zone.to_owned(),
            "tz" => self.zone.to_lowercase(),
            "TZH" if self.zone.is_empty() => String::new(),
            "TZH" => "+00".to_owned(),
            "TZM" if self.zone.is_empty() => String::new(),
            "TZM" => "00".to_owned(),
            "OF" => self.offset.to_owned(),
            "RM" | "rm" => {
                const ROMAN: [&str; 12] = [
                    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII",
                ];
                let name = ROMAN[usize::try_from(self.month - 1).unwrap_or(0) % 12];
                let name = if pattern == "rm" {
                    name.to_lowercase()
                } else {
                    name.to_owned()
                };
                if narrow { name } else { format!("{name:4}") }
            }
            other => {
                return Err(SqlError::new(
                    "0A000",
                    format!(
                        "the pattern {other} of to_char is not available on the embedded engine"
                    ),
                ));
            }
        })
    }

    fn format(&self, format: &str) -> Result<String, SqlError> {
        let mut out = String::new();
        let mut rest = format;
        let mut narrow = false;
        while let Some(first) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("FM").or_else(|| rest.strip_prefix("fm")) {
                narrow = true;
                rest = after;
                continue;
            }
            if let Some(after) = rest.strip_prefix("TM").or_else(|| rest.strip_prefix("FX")) {
                rest = after;
                continue;
            }
            if first == '"' {
                let mut quoted = rest[1..].char_indices();
                let mut end = rest.len();
                while let Some((at, c)) = quoted.next() {
                    match c {
                        '"' => {
                            end = at + 2;
                            break;
                        }
                        '\\' => {
                            if let Some((_, c)) = quoted.next() {
                                out.push(c);
                            }
                        }
                        c => out.push(c),
                    }
                }
                rest = &rest[end..];
                continue;
            }
            if first == '\\' && rest[1..].starts_with('"') {
                out.push('"');
                rest = &rest[2..];
                continue;
            }
            let Some(found) = pattern(rest) else {
                out.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            };
            rest = &rest[found.len()..];
            let filled = self.fill(found, narrow)?;
            let ordinal = |rest: &str| {
                (rest.starts_with("TH") || rest.starts_with("th"))
                    .then(|| ending(&filled, rest.starts_with("TH")))
            };
            let digits = filled.bytes().all(|byte| byte.is_ascii_digit());
            match ordinal(rest).filter(|_| digits) {
                Some(end) => {
                    out.push_str(&filled);
                    out.push_str(end);
                    rest = &rest[2..];
                }
                None => out.push_str(&filled),
            }
            narrow = false;
        }
        Ok(out)
    }
}

fn ending(number: &str, upper: bool) -> &'static str {
    let number = number.as_bytes();
    let teen = number.len() > 1 && number[number.len() - 2] == b'1';
    let (lower_end, upper_end) = match number.last() {
        Some(b'1') if !teen => ("st", "ST"),
        Some(b'2') if !teen => ("nd", "ND"),
        Some(b'3') if !teen => ("rd", "RD"),
        _ => ("th", "TH"),
    };
    if upper { upper_end } else { lower_end }
}

fn of_moment(value: &Value, format: &Value, zoned: bool) -> Result<Value, SqlError> {
    let format = text(format);
    let at = moment(value)?;
    if format.is_empty() || endless(at) {
        return Ok(Value::Null);
    }
    let days = at.div_euclid(DAY);
    let (year, month, day) = civil_from_days(days);
    let micros = at.rem_euclid(DAY);
    let parts = Parts {
        year,
        month,
        day,
        date: Some(days),
        hour: micros / (3600 * SECOND),
        micros,
        zone: if zoned { "UTC" } else { "" },
        offset: "+00",
    };
    Ok(parts.format(&format)?.into())
}

fn of_interval(interval: Interval, format: &str) -> Result<Value, SqlError> {
    if format.is_empty() {
        return Ok(Value::Null);
    }
    if interval.micros < 0 || interval.months < 0 || interval.days < 0 {
        return Err(SqlError::new(
            "0A000",
            "to_char of an interval below zero is not available on the embedded engine",
        )
        .hint("Take its parts with extract."));
    }
    let parts = Parts {
        year: interval.months / 12,
        month: interval.months % 12,
        day: interval.days,
        date: None,
        hour: interval.micros / (3600 * SECOND),
        micros: interval.micros,
        zone: "",
        offset: "+00",
    };
    Ok(parts.format(format)?.into())
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("to_char(timestamp, text) text", |a| {
            of_moment(&a[0], &a[1], false)
        }),
        strict("to_char(timestamptz, text) text", |a| {
            of_moment(&a[0], &a[1], true)
        }),
        strict("to_char(interval, text) text", |a| {
            of_interval(span(&a[0])?, &text(&a[1]))
        }),
    ]
}
