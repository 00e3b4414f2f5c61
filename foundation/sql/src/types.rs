//! The Postgres types a column may have, and how each is stored embedded.

mod array;
pub(crate) mod cast;
pub(crate) mod compare;
pub mod conversion;
pub(crate) mod input;
mod name;
pub(crate) mod output;
mod tag;
pub(crate) mod time;

pub(crate) use array::{members, store};
pub(crate) use tag::tags;

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A Postgres type. Storage on the embedded engine:
///
/// | Postgres | SQLite | notes |
/// |---|---|---|
/// | int2/4/8 | INTEGER | range checked on the way in (22003) |
/// | boolean | INTEGER 0/1 | |
/// | float4/8 | REAL | printed as Postgres prints it: `1`, not `1.0` |
/// | numeric | TEXT, canonical | collation `pg_numeric`; exact, scale kept |
/// | text, varchar, char | TEXT | code-point order, as `COLLATE "C"` |
/// | uuid | TEXT, lower case | |
/// | timestamptz, timestamp | TEXT, ISO 8601 as printed in JSON | UTC; years 1 to 9999 and infinities, so text order is time order |
/// | date, time | TEXT, ISO 8601 | |
/// | interval | TEXT, as Postgres prints it | collation `pg_interval` |
/// | json | TEXT, verbatim | |
/// | jsonb | TEXT, normalised as Postgres does | keys by length then bytes, last duplicate wins; collation `pg_jsonb` |
/// | enum | TEXT with a check | sorts by declaration |
/// | arrays | TEXT, a JSON array | collation `pg_array` where bytes would not do |
/// | bytea | BLOB | printed `\x..` |
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric`, with precision and scale if declared.
    Numeric(Option<(u16, i16)>),
    /// `boolean`
    Bool,
    /// `text`
    Text,
    /// `varchar(n)`, n in characters.
    Varchar(Option<u32>),
    /// `char(n)`, blank-padded, n in characters.
    Char(u32),
    /// `uuid`
    Uuid,
    /// `timestamp with time zone`
    Timestamptz,
    /// `timestamp without time zone`
    Timestamp,
    /// `date`
    Date,
    /// `time without time zone`
    Time,
    /// `interval`: months, days and microseconds.
    Interval,
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// `bytea`
    Bytea,
    /// An enum of the team's; the labels stand in declaration order.
    Enum(Arc<EnumType>),
    /// A one-dimensional array.
    Array(Box<Type>),
}

/// An enum type with its labels in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnumType {
    /// The schema it lives in.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Labels, first sorts lowest.
    pub labels: Vec<String>,
}

impl Type {
    /// The collation by which values of the type compare as Postgres compares them; none where their bytes do.
    pub fn collation(&self) -> Option<&'static str> {
        match self {
            Type::Numeric(_) => Some("pg_numeric"),
            Type::Interval => Some("pg_interval"),
            Type::Jsonb => Some("pg_jsonb"),
            Type::Array(item) => Some(match **item {
                Type::Interval => "pg_interval_array",
                _ => "pg_array",
            }),
            _ => None,
        }
    }
}
