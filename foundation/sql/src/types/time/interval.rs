//! Intervals: months, days and microseconds, which do not turn into one another but in comparisons.

use super::calendar::{DAY, SECOND};
use super::fields::Unit;
use super::input::{invalid, micros_of};
use super::print_clock;
use crate::error::SqlError;
use crate::types::Type;
use std::cmp::Ordering;

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interval {
    pub months: i64,
    pub days: i64,
    pub micros: i64,
}

fn overflow() -> SqlError {
    SqlError::new("22008", "interval out of range")
}

impl Interval {
    /// Within the bounds of Postgres' fields.
    pub(crate) fn checked(self) -> Result<Interval, SqlError> {
        if i32::try_from(self.months).is_err() || i32::try_from(self.days).is_err() {
            Err(overflow())
        } else {
            Ok(self)
        }
    }

    /// Only microseconds.
    pub(crate) fn of_micros(micros: i64) -> Interval {
        Interval {
            micros,
            ..Interval::default()
        }
    }

    /// Microseconds, a month being 30 days: what comparisons look at.
    fn span(&self) -> i128 {
        i128::from(self.months * 30 + self.days) * i128::from(DAY) + i128::from(self.micros)
    }

    pub(crate) fn compare(&self, other: &Interval) -> Ordering {
        self.span().cmp(&other.span())
    }

    /// Reads the stored form, which is the printed one.
    pub(crate) fn stored(text: &str) -> Result<Interval, SqlError> {
        Interval::read(text)
    }

    /// As Postgres prints it: `1 year 2 mons -3 days +04:05:06.7`.
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        let mut negative = false;
        for (value, unit) in [
            (self.months / 12, "year"),
            (self.months % 12, "mon"),
            (self.days, "day"),
        ] {
            if value == 0 {
                continue;
            }
            if !out.is_empty() {
                out.push(' ');
            }
            if negative && value > 0 {
                out.push('+');
            }
            out.push_str(&format!(
                "{value} {unit}{}",
                if value == 1 { "" } else { "s" }
            ));
            negative = value < 0;
        }
        if out.is_empty() || self.micros != 0 {
            if !out.is_empty() {
                out.push(' ');
            }
            if self.micros < 0 {
                out.push('-');
            } else if negative {
                out.push('+');
            }
            let micros = self.micros.unsigned_abs();
            let micros = i64::try_from(micros).unwrap_or(i64::MAX);
            print_clock(micros, &mut out);
        }
        out
    }

    pub(crate) fn negate(&self) -> Result<Interval, SqlError> {
        Interval {
            months: -self.months,
            days: -self.days,
            micros: self.micros.checked_neg().ok_or_else(overflow)?,
        }
        .checked()
    }

    pub(crate) fn plus(&self, other: &Interval) -> Result<Interval, SqlError> {
        Interval {
            months: self.months + other.months,
            days: self.days + other.days,
            micros: self.micros.checked_add(other.micros).ok_or_else(overflow)?,
        }
        .checked()
    }

    /// Times a number.
    pub(crate) fn times(&self, factor: f64) -> Result<Interval, SqlError> {
        self.scaled(|value| value * factor)
    }

    /// Divided by a number that is not zero.
    pub(crate) fn over(&self, by: f64) -> Result<Interval, SqlError> {
        self.scaled(|value| value / by)
    }

    /// What is left of months goes to days, and of days to time.
    fn scaled(&self, scale: impl Fn(f64) -> f64) -> Result<Interval, SqlError> {
        let whole = |value: f64| {
            if value.is_nan() || value.abs() > f64::from(i32::MAX) {
                Err(overflow())
            } else {
                Ok(value.trunc())
            }
        };
        // Rounded to microseconds, so that a float's last digits do not show.
        let settled = |value: f64| (value * 1_000_000.0).round_ties_even() / 1_000_000.0;
        let exact_months = scale(self.months as f64);
        let exact_days = scale(self.days as f64);
        let months = whole(exact_months)?;
        let mut days = whole(exact_days)?;
        let month_days = settled((exact_months - months) * 30.0);
        let mut seconds = settled((exact_days - days + month_days - month_days.trunc()) * 86_400.0);
        if seconds.abs() >= 86_400.0 {
            days += (seconds / 86_400.0).trunc();
            seconds -= (seconds / 86_400.0).trunc() * 86_400.0;
        }
        days += month_days.trunc();
        let micros = (scale(self.micros as f64) + seconds * 1_000_000.0).round_ties_even();
        if micros.is_nan() || micros.abs() >= 9_223_372_036_854_775_807.0 {
            return Err(overflow());
        }
        #[expect(clippy::cast_possible_truncation, reason = "the bounds were looked at")]
        Interval {
            months: months as i64,
            days: days as i64,
            micros: micros as i64,
        }
        .checked()
    }

    /// Whole days of hours become days, with one sign.
    pub(crate) fn justify_hours(mut self) -> Result<Interval, SqlError> {
        self.days += self.micros / DAY;
        self.micros %= DAY;
        if self.days > 0 && self.micros < 0 {
            self.micros += DAY;
            self.days -= 1;
        } else if self.days < 0 && self.micros > 0 {
            self.micros -= DAY;
            self.days += 1;
        }
        self.checked()
    }

    /// Thirty days become a month, with one sign.
    pub(crate) fn justify_days(mut self) -> Result<Interval, SqlError> {
        self.months += self.days / 30;
        self.days %= 30;
        if self.months > 0 && self.days < 0 {
            self.days += 30;
            self.months -= 1;
        } else if self.months < 0 && self.days > 0 {
            self.days -= 30;
            self.months += 1;
        }
        self.checked()
    }

    /// Both.
    pub(crate) fn justify(mut self) -> Result<Interval, SqlError> {
        let pre = (self.days > 0 && self.micros > 0) || (self.days < 0 && self.micros < 0);
        if pre {
            self.months += self.days / 30;
            self.days %= 30;
        }
        self.days += self.micros / DAY;
        self.micros %= DAY;
        self.months += self.days / 30;
        self.days %= 30;
        let tail =
            |interval: &Interval| interval.days > 0 || (interval.days == 0 && interval.micros > 0);
        let short =
            |interval: &Interval| interval.days < 0 || (interval.days == 0 && interval.micros < 0);
        if self.months > 0 && short(&self) {
            self.days += 30;
            self.months -= 1;
        } else if self.months < 0 && tail(&self) {
            self.days -= 30;
            self.months += 1;
        }
        if self.days > 0 && self.micros < 0 {
            self.micros += DAY;
            self.days -= 1;
        } else if self.days < 0 && self.micros > 0 {
            self.micros -= DAY;
            self.days += 1;
        }
        self.checked()
    }

    /// Reads any of the forms Postgres takes.
    pub(crate) fn read(text: &str) -> Result<Interval, SqlError> {
        let lower = text.trim().to_ascii_lowercase();
        let read = if lower.starts_with('p') {
            iso(&lower)
        } else {
            words(&lower)
        };
        match read {
            Some(Ok(interval)) => interval.checked(),
            Some(Err(())) => Err(SqlError::new(
                "22015",
                format!("interval field value out of range: \"{text}\""),
            )),
            None => Err(invalid(&Type::Interval, text)),
        }
    }

    /// Adds so many of a unit, fractions going to the next smaller one.
    fn add(&mut self, whole: i64, fraction: f64, unit: Unit) -> Result<(), ()> {
        let months = |each: i64| whole.checked_mul(each).ok_or(());
        match unit {
            Unit::Microsecond => self.add_micros(whole, fraction, 1),
            Unit::Millisecond => self.add_micros(whole, fraction, 1_000),
            Unit::Second => self.add_micros(whole, fraction, SECOND),
            Unit::Minute => self.add_micros(whole, fraction, 60 * SECOND),
            Unit::Hour => self.add_micros(whole, fraction, 3_600 * SECOND),
            Unit::Day => {
                self.days = self.days.checked_add(whole).ok_or(())?;
                self.add_micros(0, fraction, DAY)
            }
            Unit::Week => {
                self.days = self.days.checked_add(months(7)?).ok_or(())?;
                self.add_days(fraction * 7.0)
            }
            Unit::Month => {
                self.add_months(0, whole)?;
                self.add_days(fraction * 30.0)
            }
            Unit::Quarter => Err(()),
            Unit::Year | Unit::Decade | Unit::Century | Unit::Millennium => {
                let each = match unit {
                    Unit::Year => 12,
                    Unit::Decade => 120,
                    Unit::Century => 1_200,
                    _ => 12_000,
                };
                #[expect(clippy::cast_possible_truncation, reason = "below a millennium")]
                let part = (fraction * each as f64).round_ties_even() as i64;
                i32::try_from(whole).map_err(|_| ())?;
                let more = months(each)?.checked_add(part).ok_or(())?;
                self.months = self.months.checked_add(more).ok_or(())?;
                Ok(())
            }
        }?;
        if i32::try_from(self.days).is_err() {
            return Err(());
        }
        Ok(())
    }

    /// Adds years and months, of one sign.
    fn add_months(&mut self, years: i64, months: i64) -> Result<(), ()> {
        let total = years
            .checked_mul(12)
            .and_then(|total| total.checked_add(months))
            .and_then(|total| self.months.checked_add(total))
            .filter(|total| i32::try_from(*total).is_ok());
        self.months = total.ok_or(())?;
        Ok(())
    }

    fn add_days(&mut self, days: f64) -> Result<(), ()> {
        #[expect(clippy::cast_possible_truncation, reason = "below a month")]
        let whole = days.trunc() as i64;
        self.days += whole;
        self.add_micros(0, days - days.trunc(), DAY)
    }

    fn add_micros(&mut self, whole: i64, fraction: f64, each: i64) -> Result<(), ()> {
        let exact = fraction * each as f64;
        // What is exactly half goes down, as Postgres has it.
        let rest = exact - exact.trunc();
        let up = f64::from(i8::from(rest > 0.5) - i8::from(rest < -0.5));
        #[expect(clippy::cast_possible_truncation, reason = "below one unit")]
        let part = (exact.trunc() + up) as i64;
        self.micros = whole
            .checked_mul(each)
            .and_then(|micros| self.micros.checked_add(micros))
            .and_then(|micros| micros.checked_add(part))
            .ok_or(())?;
        Ok(())
    }
}

/// A number at the start of a text: its sign, its digits, and what is behind the point with the sign.
struct Number<'a> {
    negative: bool,
    signed: bool,
    whole: i64,
    fraction: f64,
    rest: &'a str,
}

fn number(text: &str) -> Option<Number<'_>> {
    let (negative, signed, rest) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = rest.split_at(length);
    let (fraction, rest, pointed) = match rest.strip_prefix('.') {
        Some(after) => {
            let length = after.bytes().take_while(u8::is_ascii_digit).count();
            let fraction: f64 = format!("0.{}", &after[..length]).parse().unwrap_or(0.0);
            (fraction, &after[length..], length > 0)
        }
        None => (0.0, rest, false),
    };
    if digits.is_empty() && !pointed {
        return None;
    }
    let whole: i64 = if digits.is_empty() {
        0
    } else {
        digits.parse().ok()?
    };
    Some(Number {
        negative,
        signed,
        whole: if negative { -whole } else { whole },
        fraction: if negative { -fraction } else { fraction },
        rest,
    })
}

fn bit(unit: Unit) -> u32 {
    1 << (unit as u32)
}

/// Seconds and their parts.
const SECONDS: u32 =
    (1 << Unit::Second as u32) | (1 << Unit::Millisecond as u32) | (1 << Unit::Microsecond as u32);
/// The units of a time of day.
const CLOCK: u32 = SECONDS | (1 << Unit::Minute as u32) | (1 << Unit::Hour as u32);

type Found = Option<Result<Interval, ()>>;

/// `1 year 2 days 03:04:05 ago`, `1-2 3 4:05:06`
fn words(text: &str) -> Found {
    let mut out = Interval::default();
    // Each unit may stand once; a time of day stands for all of its units.
    let mut seen = 0_u32;
    let mut once = |bits: u32| {
        let free = seen & bits == 0;
        seen |= bits;
        free.then_some(())
    };
    let mut rest = text.trim_start_matches('@').trim_start();
    let mut ago = false;
    let mut any = false;
    // A sign before everything, as the SQL standard writes it, holds for all fields if no other stands.
    let signs = text.matches(['-', '+']).count();
    let leading = text.starts_with('-') && !text.contains(|c: char| c.is_ascii_alphabetic());
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("ago") {
            ago = true;
            rest = after.trim_start();
            if !rest.is_empty() {
                return None;
            }
            break;
        }
        let read = number(rest)?;
        any = true;
        let negative = read.negative || (leading && signs <= 2 && !read.signed && rest != text);
        let after = read.rest;
        if let Some(after) = after.strip_prefix(':') {
            // hh:mm[:ss[.ffffff]], or mm:ss.ffffff
            let (first, fraction) = (read.whole.abs(), read.fraction);
            if fraction != 0.0 {
                return None;
            }
            let second = after.bytes().take_while(u8::is_ascii_digit).count();
            let minutes: i64 = after[..second].parse().ok()?;
            let after = &after[second..];
            let (hours, minutes, seconds, micros, after) = match after.as_bytes().first() {
                Some(b':') => {
                    let after = &after[1..];
                    let length = after.bytes().take_while(u8::is_ascii_digit).count();
                    let seconds: i64 = after[..length].parse().ok()?;
                    let after = &after[length..];
                    let (micros, after) = fraction_of(after);
                    (first, minutes, seconds, micros, after)
                }
                Some(b'.') => {
                    let (micros, after) = fraction_of(after);
                    (0, first, minutes, micros, after)
                }
                _ => (first, minutes, 0, 0, after),
            };
            if minutes > 59 || seconds > 60 {
                return Some(Err(()));
            }
            once(CLOCK)?;
            let total = hours
                .checked_mul(3_600)
                .and_then(|value| value.checked_add(minutes * 60 + seconds))
                .and_then(|value| value.checked_mul(SECOND))
                .and_then(|value| value.checked_add(micros));
            let Some(total) = total else {
                return Some(Err(()));
            };
            let total = if negative { -total } else { total };
            let Some(micros) = out.micros.checked_add(total) else {
                return Some(Err(()));
            };
            out.micros = micros;
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with("ago") && after == rest {
                return None;
            }
            continue;
        }
        if let Some(months) = after.strip_prefix('-') {
            // years-months
            let length = months.bytes().take_while(u8::is_ascii_digit).count();
            let count: i64 = months[..length].parse().ok()?;
            if count > 11 {
                return Some(Err(()));
            }
            once(bit(Unit::Month))?;
            let years = if negative {
                -read.whole.abs()
            } else {
                read.whole.abs()
            };
            let count = if negative { -count } else { count };
            if out.add_months(years, count).is_err() {
                return Some(Err(()));
            }
            rest = months[length..].trim_start();
            continue;
        }
        let trimmed = after.trim_start();
        let length = trimmed
            .bytes()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let (word, behind) = trimmed.split_at(length);
        let (unit, behind) = if length > 0 && word != "ago" {
            (Unit::named(word)?, behind)
        } else if trimmed.contains(':') {
            // A bare number before a time of day counts days.
            (Unit::Day, trimmed)
        } else {
            (Unit::Second, trimmed)
        };
        once(match unit {
            Unit::Second if read.fraction != 0.0 => SECONDS,
            unit => bit(unit),
        })?;
        let (whole, fraction) = if negative && !read.negative {
            (-read.whole, -read.fraction)
        } else {
            (read.whole, read.fraction)
        };
        if out.add(whole, fraction, unit).is_err() {
            return Some(Err(()));
        }
        rest = behind.trim_start();
    }
    if !any {
        return None;
    }
    if ago {
        let Some(micros) = out.micros.checked_neg() else {
            return Some(Err(()));
        };
        out = Interval {
            months: -out.months,
            days: -out.days,
            micros,
        };
    }
    Some(Ok(out))
}

fn fraction_of(text: &str) -> (i64, &str) {
    match text.strip_prefix('.') {
        Some(rest) => {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            (micros_of(&rest[..length]), &rest[length..])
        }
        None => (0, text),
    }
}

/// `P1Y2M3DT4H5M6S`, `P0001-02-03T04:05:06`
fn iso(text: &str) -> Found {
    let mut out = Interval::default();
    let mut rest = &text[1..];
    let mut clock = false;
    let mut any = false;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('t') {
            if clock {
                return None;
            }
            clock = true;
            rest = after;
            continue;
        }
        let read = number(rest)?;
        any = true;
        let unit = read.rest.bytes().next();
        let unit = match (clock, unit) {
            (false, Some(b'y')) => Unit::Year,
            (false, Some(b'm')) => Unit::Month,
            (false, Some(b'w')) => Unit::Week,
            (false, Some(b'd')) => Unit::Day,
            (true, Some(b'h')) => Unit::Hour,
            (true, Some(b'm')) => Unit::Minute,
            (true, Some(b's')) => Unit::Second,
            (false, Some(b'-')) => {
                let (months, after) = read.rest[1..].split_at_checked(2)?;
                let (days, after) = after.strip_prefix('-')?.split_at_checked(2)?;
                if out.add_months(read.whole, months.parse().ok()?).is_err() {
                    return Some(Err(()));
                }
                out.days += days.parse::<i64>().ok()?;
                rest = after;
                continue;
            }
            (true, Some(b':')) => {
                return match words(rest)? {
                    Ok(time) => {
                        let micros = out.micros.checked_add(time.micros);
                        Some(micros.map(|micros| Interval { micros, ..out }).ok_or(()))
                    }
                    Err(()) => Some(Err(())),
                };
            }
            _ => return None,
        };
        if out.add(read.whole, read.fraction, unit).is_err() {
            return Some(Err(()));
        }
        rest = &read.rest[1..];
    }
    any.then_some(Ok(out))
}
