//! What may be added to and taken from what.

use super::{moment, span};
use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::functions::{int, text};
use crate::types::Type;
use crate::types::cast::integer;
use crate::types::time::calendar::{DAY, SECOND, civil_from_days, days_from_civil, days_in};
use crate::types::time::interval::Interval;
use crate::types::time::zone::Zone;
use crate::types::time::{Micros, date_from, endless, time_from, timestamp_from, timestamptz_from};
use crate::value::Value;

fn range(what: &str) -> SqlError {
    SqlError::new("22008", format!("{what} out of range"))
}

/// A moment and a span: months first, then days, then time.
pub(super) fn shift(from: Micros, by: &Interval, forth: bool) -> Result<Micros, SqlError> {
    if endless(from) {
        return Ok(from);
    }
    let sign = if forth { 1 } else { -1 };
    let (mut date, clock) = (from.div_euclid(DAY), from.rem_euclid(DAY));
    if by.months != 0 {
        let (year, month, day) = civil_from_days(date);
        let total = year * 12 + month - 1 + sign * by.months;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        date = days_from_civil(year, month, day.min(days_in(year, month)));
    }
    (date + sign * by.days)
        .checked_mul(DAY)
        .and_then(|at| at.checked_add(clock))
        .and_then(|at| at.checked_add(by.micros.checked_mul(sign)?))
        .ok_or_else(|| range("timestamp"))
}

fn timestamp_shift(a: &Value, b: &Value, forth: bool) -> Result<Value, SqlError> {
    Ok(timestamp_from(shift(moment(a)?, &span(b)?, forth)?)?.into())
}

fn timestamptz_shift(a: &Value, b: &Value, forth: bool) -> Result<Value, SqlError> {
    Ok(timestamptz_from(shift(moment(a)?, &span(b)?, forth)?)?.into())
}

fn time_shift(a: &Value, b: &Value, forth: bool) -> Result<Value, SqlError> {
    let by = span(b)?.micros % DAY;
    let sum = moment(a)? + if forth { by } else { -by };
    Ok(time_from(sum.rem_euclid(DAY)).into())
}

fn date_shift(a: &Value, days: i64) -> Result<Value, SqlError> {
    let date = moment(a)?;
    if endless(date) {
        return Ok(a.clone());
    }
    let sum = days.checked_mul(DAY).and_then(|by| date.checked_add(by));
    Ok(date_from(sum.ok_or_else(|| range("date"))?)?.into())
}

fn date_time(date: &Value, time: &Value) -> Result<Value, SqlError> {
    let date = moment(date)?;
    let sum = if endless(date) {
        date
    } else {
        date + moment(time)?
    };
    Ok(timestamp_from(sum)?.into())
}

fn difference(a: &[Value]) -> Result<Value, SqlError> {
    let (left, right) = (moment(&a[0])?, moment(&a[1])?);
    if endless(left) || endless(right) {
        return Err(SqlError::new(
            "22008",
            "cannot subtract infinite timestamps",
        ));
    }
    Ok(Interval::of_micros(left - right)
        .justify_hours()?
        .print()
        .into())
}

fn factor(value: &Value) -> f64 {
    match value {
        Value::Real(real) => *real,
        other => text(other).parse().unwrap_or(0.0),
    }
}

fn times(interval: &Value, by: &Value) -> Result<Value, SqlError> {
    Ok(span(interval)?.times(factor(by))?.print().into())
}

/// What lies between two moments, counted in years, months and days as people do.
fn age(a: &[Value]) -> Result<Value, SqlError> {
    let (left, right) = (moment(&a[0])?, moment(&a[1])?);
    if endless(left) || endless(right) {
        return Err(SqlError::new(
            "22008",
            "cannot subtract infinite timestamps",
        ));
    }
    let back = left < right;
    let (later, earlier) = if back { (right, left) } else { (left, right) };
    let (y1, m1, d1) = civil_from_days(later.div_euclid(DAY));
    let (y0, m0, d0) = civil_from_days(earlier.div_euclid(DAY));
    let mut clock = later.rem_euclid(DAY) - earlier.rem_euclid(DAY);
    let mut days = d1 - d0;
    let mut months = (y1 - y0) * 12 + m1 - m0;
    if clock < 0 {
        clock += DAY;
        days -= 1;
    }
    while days < 0 {
        // The month that is borrowed is the one the earlier moment is in.
        days += days_in(y0, m0);
        months -= 1;
    }
    let sign = if back { -1 } else { 1 };
    let age = Interval {
        months: sign * months,
        days: sign * days,
        micros: sign * clock,
    };
    Ok(age.print().into())
}

fn at_zone(zone: &Zone, value: &Value, from_utc: bool) -> Result<Value, SqlError> {
    let at = moment(value)?;
    if endless(at) {
        return Ok(value.clone());
    }
    Ok(if from_utc {
        timestamp_from(at + zone.offset_at(at) * SECOND)?.into()
    } else {
        timestamptz_from(zone.moment(at))?.into()
    })
}

fn interval_zone(value: &Value) -> Result<Zone, SqlError> {
    let interval = span(value)?;
    if interval.months != 0 || interval.days != 0 {
        return Err(SqlError::new(
            "22023",
            format!(
                "interval time zone \"{}\" must not include months or days",
                interval.print()
            ),
        ));
    }
    Ok(Zone::Fixed(interval.micros / SECOND))
}

/// The start of the bin of a width that a moment falls in, counted from an origin.
fn bin(a: &[Value]) -> Result<Micros, SqlError> {
    let (stride, at, origin) = (span(&a[0])?, moment(&a[1])?, moment(&a[2])?);
    if endless(at) {
        return Ok(at);
    }
    if endless(origin) {
        return Err(SqlError::new("22008", "origin out of range"));
    }
    if stride.months != 0 {
        return Err(SqlError::new(
            "0A000",
            "timestamps cannot be binned into intervals containing months or years",
        ));
    }
    let width = stride.days * DAY + stride.micros;
    if width <= 0 {
        return Err(SqlError::new("22008", "stride must be greater than zero"));
    }
    Ok(origin + (at - origin).div_euclid(width) * width)
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("+(date, int4) date", |a| date_shift(&a[0], int(&a[1]))),
        strict("+(int4, date) date", |a| date_shift(&a[1], int(&a[0]))),
        strict("-(date, int4) date", |a| date_shift(&a[0], -int(&a[1]))),
        strict("-(date, date) int4", |a| {
            let (left, right) = (moment(&a[0])?, moment(&a[1])?);
            if endless(left) || endless(right) {
                return Err(SqlError::new("22008", "cannot subtract infinite dates"));
            }
            integer(Some((left - right) / DAY), &Type::Int4)
        }),
        strict("+(date, interval) timestamp", |a| {
            timestamp_shift(&a[0], &a[1], true)
        }),
        strict("+(interval, date) timestamp", |a| {
            timestamp_shift(&a[1], &a[0], true)
        }),
        strict("-(date, interval) timestamp", |a| {
            timestamp_shift(&a[0], &a[1], false)
        }),
        strict("+(date, time) timestamp", |a| date_time(&a[0], &a[1])),
        strict("+(time, date) timestamp", |a| date_time(&a[1], &a[0])),
        strict("+(timestamp, interval) timestamp", |a| {
            timestamp_shift(&a[0], &a[1], true)
        }),
        strict("+(interval, timestamp) timestamp", |a| {
            timestamp_shift(&a[1], &a[0], true)
        }),
        strict("-(timestamp, interval) timestamp", |a| {
            timestamp_shift(&a[0], &a[1], false)
        }),
        strict("+(timestamptz, interval) timestamptz", |a| {
            timestamptz_shift(&a[0], &a[1], true)
        }),
        strict("+(interval, timestamptz) timestamptz", |a| {
            timestamptz_shift(&a[1], &a[0], true)
        }),
        strict("-(timestamptz, interval) timestamptz", |a| {
            timestamptz_shift(&a[0], &a[1], false)
        }),
        strict("-(timestamp, timestamp) interval", difference),
        strict("-(timestamptz, timestamptz) interval", difference),
        strict("-(time, time) interval", |a| {
            Ok(Interval::of_micros(moment(&a[0])? - moment(&a[1])?)
                .print()
                .into())
        }),
        strict("+(time, interval) time", |a| time_shift(&a[0], &a[1], true)),
        strict("+(interval, time) time", |a| time_shift(&a[1], &a[0], true)),
        strict("-(time, interval) time", |a| {
            time_shift(&a[0], &a[1], false)
        }),
        strict("+(interval, interval) interval", |a| {
            Ok(span(&a[0])?.plus(&span(&a[1])?)?.print().into())
        }),
        strict("-(interval, interval) interval", |a| {
            Ok(span(&a[0])?.plus(&span(&a[1])?.negate()?)?.print().into())
        }),
        strict("-(interval) interval", |a| {
            Ok(span(&a[0])?.negate()?.print().into())
        }),
        strict("*(interval, float8) interval", |a| times(&a[0], &a[1])),
        strict("*(float8, interval) interval", |a| times(&a[1], &a[0])),
        strict("/(interval, float8) interval", |a| {
            let by = factor(&a[1]);
            if by == 0.0 {
                return Err(SqlError::new("22012", "division by zero"));
            }
            Ok(span(&a[0])?.over(by)?.print().into())
        }),
        strict("age(timestamp, timestamp) interval", age),
        strict("age(timestamptz, timestamptz) interval", age),
        strict("justify_hours(interval) interval", |a| {
            Ok(span(&a[0])?.justify_hours()?.print().into())
        }),
        strict("justify_days(interval) interval", |a| {
            Ok(span(&a[0])?.justify_days()?.print().into())
        }),
        strict("justify_interval(interval) interval", |a| {
            Ok(span(&a[0])?.justify()?.print().into())
        }),
        strict("timezone(text, timestamptz) timestamp", |a| {
            at_zone(&Zone::asked(&text(&a[0]))?, &a[1], true)
        }),
        strict("timezone(text, timestamp) timestamptz", |a| {
            at_zone(&Zone::asked(&text(&a[0]))?, &a[1], false)
        }),
        strict("timezone(interval, timestamptz) timestamp", |a| {
            at_zone(&interval_zone(&a[0])?, &a[1], true)
        }),
        strict("timezone(interval, timestamp) timestamptz", |a| {
            at_zone(&interval_zone(&a[0])?, &a[1], false)
        }),
        strict("date_bin(interval, timestamp, timestamp) timestamp", |a| {
            Ok(timestamp_from(bin(a)?)?.into())
        }),
        strict(
            "date_bin(interval, timestamptz, timestamptz) timestamptz",
            |a| Ok(timestamptz_from(bin(a)?)?.into()),
        ),
    ]
}
