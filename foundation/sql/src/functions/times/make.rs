//! Dates, times and intervals out of their parts.

use super::moment;
use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::functions::{int, text};
use crate::types::time::calendar::{DAY, SECOND, days_from_civil, days_in};
use crate::types::time::interval::Interval;
use crate::types::time::zone::Zone;
use crate::types::time::{
    FOREVER, Micros, NEVER, date_from, endless, time_from, timestamp_from, timestamptz_from,
};
use crate::value::Value;

fn real(value: &Value) -> f64 {
    match value {
        Value::Real(real) => *real,
        other => text(other).parse().unwrap_or(0.0),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of a day")]
fn micros(seconds: f64) -> i64 {
    (seconds * 1_000_000.0).round_ties_even() as i64
}

fn day(year: i64, month: i64, day: i64) -> Option<Micros> {
    let fits = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month) && year > 0;
    fits.then(|| days_from_civil(year, month, day) * DAY)
}

fn clock(hour: i64, minute: i64, seconds: f64) -> Option<Micros> {
    let fits =
        (0..=24).contains(&hour) && (0..60).contains(&minute) && (0.0..=60.0).contains(&seconds);
    let total = (hour * 60 + minute) * 60 * SECOND + micros(seconds);
    (fits && total <= DAY).then_some(total)
}

fn timestamp(a: &[Value]) -> Result<Micros, SqlError> {
    let (year, month, date) = (int(&a[0]), int(&a[1]), int(&a[2]));
    let Some(midnight) = day(year, month, date) else {
        return Err(SqlError::new(
            "22008",
            format!("date field value out of range: {year}-{month:02}-{date:02}"),
        ));
    };
    let (hour, minute, seconds) = (int(&a[3]), int(&a[4]), real(&a[5]));
    let Some(time) = clock(hour, minute, seconds) else {
        return Err(SqlError::new(
            "22008",
            format!("time field value out of range: {hour}:{minute:02}:{seconds:02}"),
        ));
    };
    Ok(midnight + time)
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("make_date(int4, int4, int4) date", |a| {
            let (year, month, date) = (int(&a[0]), int(&a[1]), int(&a[2]));
            match day(year, month, date) {
                Some(midnight) => Ok(date_from(midnight)?.into()),
                None => Err(SqlError::new(
                    "22008",
                    format!("date field value out of range: {year}-{month:02}-{date:02}"),
                )),
            }
        }),
        strict("make_time(int4, int4, float8) time", |a| {
            let (hour, minute, seconds) = (int(&a[0]), int(&a[1]), real(&a[2]));
            match clock(hour, minute, seconds) {
                Some(time) => Ok(time_from(time).into()),
                None => Err(SqlError::new(
                    "22008",
                    format!("time field value out of range: {hour}:{minute:02}:{seconds:02}"),
                )),
            }
        }),
        strict(
            "make_timestamp(int4, int4, int4, int4, int4, float8) timestamp",
            |a| Ok(timestamp_from(timestamp(a)?)?.into()),
        ),
        strict(
            "make_timestamptz(int4, int4, int4, int4, int4, float8) timestamptz",
            |a| Ok(timestamptz_from(timestamp(a)?)?.into()),
        ),
        strict(
            "make_timestamptz(int4, int4, int4, int4, int4, float8, text) timestamptz",
            |a| {
                let zone = Zone::asked(&text(&a[6]))?;
                Ok(timestamptz_from(zone.moment(timestamp(a)?))?.into())
            },
        ),
        strict(
            "make_interval(int4, int4, int4, int4, int4, int4, float8) interval",
            |a| {
                let part = |at: usize| int(&a[at]);
                let interval = Interval {
                    months: part(0) * 12 + part(1),
                    days: part(2) * 7 + part(3),
                    micros: (part(4) * 60 + part(5)) * 60 * SECOND + micros(real(&a[6])),
                };
                Ok(interval.checked()?.print().into())
            },
        ),
        strict("to_timestamp(float8) timestamptz", |a| {
            let seconds = real(&a[0]);
            if seconds.is_infinite() {
                let end = if seconds > 0.0 { FOREVER } else { NEVER };
                return Ok(timestamptz_from(end)?.into());
            }
            if seconds.abs() > 1e12 {
                return Err(SqlError::new(
                    "22008",
                    format!("timestamp out of range: \"{seconds}\""),
                ));
            }
            Ok(timestamptz_from(micros(seconds))?.into())
        }),
        strict("isfinite(date) bool", |a| {
            Ok((!endless(moment(&a[0])?)).into())
        }),
        strict("isfinite(timestamp) bool", |a| {
            Ok((!endless(moment(&a[0])?)).into())
        }),
        strict("isfinite(timestamptz) bool", |a| {
            Ok((!endless(moment(&a[0])?)).into())
        }),
        strict("isfinite(interval) bool", |_| Ok(true.into())),
    ]
}
