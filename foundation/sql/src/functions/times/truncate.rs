//! `date_trunc`, and rounding to fewer digits of a second.

use super::{moment, span};
use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::functions::{int, text};
use crate::types::Type;
use crate::types::time::calendar::{DAY, SECOND, civil_from_days, days_from_civil, weekday};
use crate::types::time::interval::Interval;
use crate::types::time::zone::Zone;
use crate::types::time::{Micros, Unit, endless, time_from, timestamp_from, timestamptz_from};
use crate::value::Value;

fn unit(field: &str, ty: &Type) -> Result<Unit, SqlError> {
    Unit::named(&field.to_ascii_lowercase()).ok_or_else(|| {
        SqlError::new(
            "22023",
            format!("unit \"{field}\" not recognized for type {}", ty.name()),
        )
    })
}

fn cut(unit: Unit, at: Micros) -> Micros {
    let day = at.div_euclid(DAY);
    let within = |size: i64| day * DAY + at.rem_euclid(DAY) / size * size;
    let (year, month, _) = civil_from_days(day);
    let first = |year: i64, month: i64| days_from_civil(year, month, 1) * DAY;
    match unit {
        Unit::Microsecond => at,
        Unit::Millisecond => within(1_000),
        Unit::Second => within(SECOND),
        Unit::Minute => within(60 * SECOND),
        Unit::Hour => within(3_600 * SECOND),
        Unit::Day => day * DAY,
        Unit::Week => (day - (weekday(day) + 6) % 7) * DAY,
        Unit::Month => first(year, month),
        Unit::Quarter => first(year, (month - 1) / 3 * 3 + 1),
        Unit::Year => first(year, 1),
        Unit::Decade => first(year.div_euclid(10) * 10, 1),
        Unit::Century => first((year + 99).div_euclid(100) * 100 - 99, 1),
        Unit::Millennium => first((year + 999).div_euclid(1000) * 1000 - 999, 1),
    }
}

fn cut_interval(field: &str, interval: Interval) -> Result<Interval, SqlError> {
    let Interval {
        months,
        days,
        micros,
    } = interval;
    let within = |size: i64| Interval {
        months,
        days,
        micros: micros / size * size,
    };
    let only = |each: i64| Interval {
        months: months / each * each,
        ..Interval::default()
    };
    Ok(match unit(field, &Type::Interval)? {
        Unit::Microsecond => interval,
        Unit::Millisecond => within(1_000),
        Unit::Second => within(SECOND),
        Unit::Minute => within(60 * SECOND),
        Unit::Hour => within(3_600 * SECOND),
        Unit::Day => Interval {
            micros: 0,
            ..interval
        },
        Unit::Month => only(1),
        Unit::Quarter => only(3),
        Unit::Year => only(12),
        Unit::Decade => only(120),
        Unit::Century => only(1_200),
        Unit::Millennium => only(12_000),
        Unit::Week => {
            return Err(SqlError::new(
                "0A000",
                format!("unit \"{field}\" not supported for type interval"),
            )
            .detail("Months usually have fractional weeks."));
        }
    })
}

fn zoned(zone: &Zone, field: &str, value: &Value) -> Result<Value, SqlError> {
    let unit = unit(field, &Type::Timestamptz)?;
    let at = moment(value)?;
    if endless(at) {
        return Ok(value.clone());
    }
    let local = at + zone.offset_at(at) * SECOND;
    Ok(timestamptz_from(zone.moment(cut(unit, local)))?.into())
}

/// Rounded to so many digits of a second.
fn round(at: Micros, digits: i64) -> Micros {
    let size = 10_i64.pow(u32::try_from(6 - digits.clamp(0, 6)).unwrap_or(0));
    if endless(at) {
        return at;
    }
    // Half away from the origin Postgres counts from, 2000-01-01.
    let epoch = 10_957 * DAY;
    let off = at - epoch;
    let half = size / 2;
    let rounded = if off >= 0 {
        (off + half) / size * size
    } else {
        -((-off + half) / size * size)
    };
    rounded + epoch
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("date_trunc(text, timestamp) timestamp", |a| {
            let unit = unit(&text(&a[0]), &Type::Timestamp)?;
            let at = moment(&a[1])?;
            Ok(timestamp_from(if endless(at) { at } else { cut(unit, at) })?.into())
        }),
        strict("date_trunc(text, timestamptz) timestamptz", |a| {
            zoned(&Zone::Fixed(0), &text(&a[0]), &a[1])
        }),
        strict("date_trunc(text, timestamptz, text) timestamptz", |a| {
            zoned(&Zone::asked(&text(&a[2]))?, &text(&a[0]), &a[1])
        }),
        strict("date_trunc(text, interval) interval", |a| {
            Ok(cut_interval(&text(&a[0]), span(&a[1])?)?.print().into())
        }),
        strict(
            ".precision(timestamp, int4) timestamp as pg_timestamp_precision",
            |a| Ok(timestamp_from(round(moment(&a[0])?, int(&a[1])))?.into()),
        ),
        strict(
            ".precision(timestamptz, int4) timestamptz as pg_timestamptz_precision",
            |a| Ok(timestamptz_from(round(moment(&a[0])?, int(&a[1])))?.into()),
        ),
        strict(".precision(time, int4) time as pg_time_precision", |a| {
            let size = 10_i64.pow(u32::try_from(6 - int(&a[1]).clamp(0, 6)).unwrap_or(0));
            Ok(time_from((moment(&a[0])? + size / 2) / size * size).into())
        }),
    ]
}
