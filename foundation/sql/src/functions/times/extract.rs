//! `extract` and `date_part`.

use super::{moment, span};
use crate::decimal::Decimal;
use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::functions::text;
use crate::types::Type;
use crate::types::cast::{float, print_decimal};
use crate::types::time::calendar::{
    DAY, SECOND, civil_from_days, days_from_civil, iso_week, weekday,
};
use crate::types::time::{FOREVER, endless};
use crate::value::Value;

fn unknown(field: &str, ty: &Type) -> SqlError {
    SqlError::new(
        "22023",
        format!("unit \"{field}\" not recognized for type {}", ty.name()),
    )
}

fn unsupported(field: &str, ty: &Type) -> SqlError {
    SqlError::new(
        "0A000",
        format!("unit \"{field}\" not supported for type {}", ty.name()),
    )
}

/// An integer with its point moved to the left.
fn scaled(value: i64, scale: usize) -> Decimal {
    let text = format!("{value}e-{scale}");
    Decimal::parse(&text).unwrap_or_else(Decimal::nan)
}

/// The parts of a time of day.
fn clock(field: &str, micros: i64) -> Option<Decimal> {
    Some(match field {
        "microseconds" => Decimal::int(micros % (60 * SECOND)),
        "milliseconds" => scaled(micros % (60 * SECOND), 3),
        "second" => scaled(micros % (60 * SECOND), 6),
        "minute" => Decimal::int(micros / (60 * SECOND) % 60),
        "hour" => Decimal::int(micros / (3600 * SECOND)),
        _ => return None,
    })
}

/// The names a field goes by, as one.
fn canonical(field: &str) -> String {
    let lower = field.to_ascii_lowercase();
    match lower.as_str() {
        "us" | "usec" | "microsecond" | "usecs" => "microseconds",
        "ms" | "msec" | "millisecond" | "msecs" => "milliseconds",
        "s" | "sec" | "secs" | "seconds" => "second",
        "m" | "min" | "mins" | "minutes" => "minute",
        "h" | "hr" | "hrs" | "hours" => "hour",
        "d" | "days" => "day",
        "w" | "weeks" => "week",
        "mon" | "mons" | "months" => "month",
        "qtr" => "quarter",
        "y" | "yr" | "yrs" | "years" => "year",
        "decades" | "dec" => "decade",
        "c" | "cent" | "centuries" => "century",
        "mil" | "mils" | "millennia" => "millennium",
        other => other,
    }
    .to_owned()
}

const CLOCK: &[&str] = &["microseconds", "milliseconds", "second", "minute", "hour"];

fn date_field(field: &str, days: i64) -> Option<i64> {
    let (year, month, day) = civil_from_days(days);
    Some(match field {
        "day" => day,
        "month" => month,
        "year" => year,
        "quarter" => (month - 1) / 3 + 1,
        "decade" => year.div_euclid(10),
        "century" => (year + 99).div_euclid(100),
        "millennium" => (year + 999).div_euclid(1000),
        "week" => iso_week(days).1,
        "isoyear" => iso_week(days).0,
        "dow" => weekday(days),
        "isodow" => (weekday(days) + 6) % 7 + 1,
        "doy" => days - days_from_civil(year, 1, 1) + 1,
        _ => return None,
    })
}

fn of_moment(field: &str, value: &Value, ty: &Type) -> Result<Option<Decimal>, SqlError> {
    let name = canonical(field);
    let zone = matches!(&*name, "timezone" | "timezone_hour" | "timezone_minute");
    if *ty == Type::Date && (CLOCK.contains(&&*name) || zone) {
        return Err(unsupported(field, ty));
    }
    let at = moment(value)?;
    let days = if endless(at) { 0 } else { at.div_euclid(DAY) };
    let within = if endless(at) { 0 } else { at.rem_euclid(DAY) };
    let found = match &*name {
        "epoch" if *ty == Type::Date => Decimal::int(days * 86_400),
        "epoch" => scaled(days * DAY + within, 6),
        "julian" if *ty == Type::Date => Decimal::int(days + 2_440_588),
        "julian" => {
            let part = Decimal::int(within)
                .over(&Decimal::int(DAY))
                .unwrap_or_else(|_| Decimal::nan());
            Decimal::int(days + 2_440_588).plus(&part)
        }
        _ if zone && *ty == Type::Timestamptz => Decimal::int(0),
        _ if zone => return Err(unsupported(field, ty)),
        name => match date_field(name, days)
            .map(Decimal::int)
            .or_else(|| clock(name, within))
        {
            Some(found) => found,
            None => return Err(unknown(field, ty)),
        },
    };
    if endless(at) {
        // What grows without end is infinite, what comes round again is unknown.
        let grows = matches!(
            &*name,
            "year" | "decade" | "century" | "millennium" | "isoyear" | "epoch" | "julian"
        );
        let text = if at == FOREVER {
            "Infinity"
        } else {
            "-Infinity"
        };
        return Ok(grows.then(|| Decimal::parse(text)).flatten());
    }
    Ok(Some(found))
}

fn of_time(field: &str, value: &Value) -> Result<Option<Decimal>, SqlError> {
    let name = canonical(field);
    let at = moment(value)?;
    match &*name {
        "epoch" => Ok(Some(scaled(at, 6))),
        name => match clock(name, at) {
            Some(found) => Ok(Some(found)),
            None if date_field(name, 0).is_some() || name.starts_with("timezone") => {
                Err(unsupported(field, &Type::Time))
            }
            None => Err(unknown(field, &Type::Time)),
        },
    }
}

fn of_interval(field: &str, value: &Value) -> Result<Option<Decimal>, SqlError> {
    let name = canonical(field);
    let interval = span(value)?;
    let (years, months) = (interval.months / 12, interval.months % 12);
    Ok(Some(match &*name {
        "year" => Decimal::int(years),
        "month" => Decimal::int(months),
        "quarter" => Decimal::int(months / 3 + 1),
        "decade" => Decimal::int(years / 10),
        "century" => Decimal::int(years / 100),
        "millennium" => Decimal::int(years / 1000),
        "day" => Decimal::int(interval.days),
        "epoch" => {
            // A year is 365.25 days here, so quarters of a day are counted.
            let quarters = years * 1_461 + (months * 30 + interval.days) * 4;
            scaled(quarters * 21_600, 0).plus(&scaled(interval.micros, 6))
        }
        name => match clock(name, interval.micros) {
            Some(found) => found,
            None if date_field(name, 0).is_some() || name.starts_with("timezone") => {
                return Err(unsupported(field, &Type::Interval));
            }
            None => return Err(unknown(field, &Type::Interval)),
        },
    }))
}

fn exact(found: Option<Decimal>) -> Result<Value, SqlError> {
    found.map_or(Ok(Value::Null), |decimal| print_decimal(&decimal))
}

fn rough(found: Option<Decimal>) -> Result<Value, SqlError> {
    found.map_or(Ok(Value::Null), |decimal| float(decimal.to_f64()))
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("extract(text, date) numeric", |a| {
            exact(of_moment(&text(&a[0]), &a[1], &Type::Date)?)
        }),
        strict("extract(text, timestamp) numeric", |a| {
            exact(of_moment(&text(&a[0]), &a[1], &Type::Timestamp)?)
        }),
        strict("extract(text, timestamptz) numeric", |a| {
            exact(of_moment(&text(&a[0]), &a[1], &Type::Timestamptz)?)
        }),
        strict("extract(text, time) numeric", |a| {
            exact(of_time(&text(&a[0]), &a[1])?)
        }),
        strict("extract(text, interval) numeric", |a| {
            exact(of_interval(&text(&a[0]), &a[1])?)
        }),
        strict("date_part(text, date) float8", |a| {
            // Through a timestamp, which has the parts of a day as well.
            let field = text(&a[0]);
            if CLOCK.contains(&&*canonical(&field)) {
                return Ok(Value::Real(0.0));
            }
            rough(of_moment(&field, &a[1], &Type::Date)?)
        }),
        strict("date_part(text, timestamp) float8", |a| {
            rough(of_moment(&text(&a[0]), &a[1], &Type::Timestamp)?)
        }),
        strict("date_part(text, timestamptz) float8", |a| {
            rough(of_moment(&text(&a[0]), &a[1], &Type::Timestamptz)?)
        }),
        strict("date_part(text, time) float8", |a| {
            rough(of_time(&text(&a[0]), &a[1])?)
        }),
        strict("date_part(text, interval) float8", |a| {
            rough(of_interval(&text(&a[0]), &a[1])?)
        }),
    ]
}
