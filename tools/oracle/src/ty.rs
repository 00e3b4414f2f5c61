//! The types columns and expressions have, and the values worth trying of each.

use crate::random::Random;

/// A type. Sizes are a column's affair: an expression of `varchar(3)` has the type `Text` here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
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
    /// `numeric`, of any precision or one declared.
    Numeric(Option<(u8, u8)>),
    /// `boolean`
    Bool,
    /// `text`
    Text,
    /// `varchar(n)`
    Varchar(u8),
    /// `char(n)`
    Char(u8),
    /// `uuid`
    Uuid,
    /// `timestamptz`
    Timestamptz,
    /// `timestamp`
    Timestamp,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `interval`
    Interval,
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// `bytea`
    Bytea,
    /// The enum every generated schema has.
    Mood,
    /// A one-dimensional array.
    Array(Box<Ty>),
}

/// The enum's labels, in an order that is not the alphabet's.
pub const MOODS: &[&str] = &["sad", "ok", "happy", "Ärger"];

/// Two users, and one who never signs in.
pub const USERS: &[&str] = &[
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
];

impl Ty {
    /// Its name in SQL.
    pub fn sql(&self) -> String {
        match self {
            Ty::Int2 => "smallint",
            Ty::Int4 => "integer",
            Ty::Int8 => "bigint",
            Ty::Float4 => "real",
            Ty::Float8 => "double precision",
            Ty::Numeric(None) => "numeric",
            Ty::Numeric(Some((precision, scale))) => {
                return format!("numeric({precision}, {scale})");
            }
            Ty::Bool => "boolean",
            Ty::Text => "text",
            Ty::Varchar(limit) => return format!("varchar({limit})"),
            Ty::Char(length) => return format!("char({length})"),
            Ty::Uuid => "uuid",
            Ty::Timestamptz => "timestamptz",
            Ty::Timestamp => "timestamp",
            Ty::Date => "date",
            Ty::Time => "time",
            Ty::Interval => "interval",
            Ty::Json => "json",
            Ty::Jsonb => "jsonb",
            Ty::Bytea => "bytea",
            Ty::Mood => "mood",
            Ty::Array(item) => return format!("{}[]", item.sql()),
        }
        .to_owned()
    }

    /// The type an expression of a column of this type has for the generator.
    pub fn base(&self) -> Ty {
        match self {
            Ty::Numeric(_) => Ty::Numeric(None),
            Ty::Varchar(_) => Ty::Text,
            other => other.clone(),
        }
    }

    /// Whether it is one of the numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Ty::Int2 | Ty::Int4 | Ty::Int8 | Ty::Float4 | Ty::Float8 | Ty::Numeric(_)
        )
    }

    /// Whether `=` is defined for it.
    pub fn has_equality(&self) -> bool {
        !matches!(self, Ty::Json) && !matches!(self, Ty::Array(item) if **item == Ty::Json)
    }

    /// What replaces an expression when a statement is made smaller.
    pub fn simplest(&self) -> Vec<String> {
        match self {
            Ty::Bool => vec!["true".into(), "false".into(), "null".into()],
            Ty::Int2 | Ty::Int4 | Ty::Int8 => vec!["1".into(), "0".into()],
            Ty::Text => vec!["''".into(), "'a'".into()],
            _ => vec![format!("null::{}", self.sql())],
        }
    }

    /// Any scalar type a column may have.
    pub fn any_scalar(random: &mut Random) -> Ty {
        match random.below(30) {
            0 => Ty::Int2,
            1..=4 => Ty::Int4,
            5..=6 => Ty::Int8,
            7 => Ty::Float4,
            8..=9 => Ty::Float8,
            10..=11 => Ty::Numeric(None),
            12 => Ty::Numeric(Some(*random.pick(&[(5, 2), (10, 0), (30, 10), (3, 3)]))),
            13..=14 => Ty::Bool,
            15..=17 => Ty::Text,
            18 => Ty::Varchar(*random.pick(&[1, 3, 20])),
            19 => Ty::Char(*random.pick(&[1, 4])),
            20 => Ty::Uuid,
            21..=22 => Ty::Timestamptz,
            23 => Ty::Timestamp,
            24..=25 => Ty::Date,
            26 => Ty::Time,
            27 => Ty::Mood,
            28 => Ty::Bytea,
            _ => Ty::Interval,
        }
    }

    /// Any type a column may have.
    pub fn any(random: &mut Random) -> Ty {
        match random.below(10) {
            0..=6 => Ty::any_scalar(random),
            7 => Ty::Jsonb,
            8 if random.chance(30) => Ty::Json,
            _ => Ty::Array(Box::new(
                random
                    .pick(&[
                        Ty::Int4,
                        Ty::Text,
                        Ty::Text,
                        Ty::Uuid,
                        Ty::Numeric(None),
                        Ty::Bool,
                        Ty::Date,
                        Ty::Timestamptz,
                        Ty::Int8,
                        Ty::Mood,
                    ])
                    .clone(),
            )),
        }
    }

    /// A value that fits the type, as the text between quotes of a literal.
    pub fn raw(&self, random: &mut Random) -> String {
        let pool: &[&'static str] = match self {
            Ty::Int2 => &["0", "1", "-1", "2", "7", "32767", "-32768"],
            Ty::Int4 => &["0", "1", "-1", "2", "3", "10", "2147483647", "-2147483648"],
            Ty::Int8 => &[
                "0",
                "1",
                "-1",
                "2",
                "5",
                "9007199254740993",
                "9223372036854775807",
                "-9223372036854775808",
            ],
            Ty::Float4 => &["0", "1", "-1.5", "0.1", "1e10", "NaN", "16777217", "3.4e38"],
            Ty::Float8 => &[
                "0",
                "1",
                "-1.5",
                "0.1",
                "2.5",
                "1e20",
                "1e-7",
                "1e15",
                "123456789012345678",
                "NaN",
                "Infinity",
                "-Infinity",
            ],
            Ty::Numeric(None) => &[
                "0",
                "1",
                "-1",
                "0.1",
                "1.10",
                "1.1",
                "2.5",
                "-2.5",
                "100",
                "1e5",
                "0.000000001",
                "12345678901234567890.123456789",
                "9007199254740993",
                "NaN",
            ],
            Ty::Numeric(Some((3, 3))) => &["0", "0.1", "0.999", "-0.5", "0.1234"],
            Ty::Numeric(Some(_)) => &["0", "1", "-1", "1.10", "99.99", "0.005", "-2.5", "123"],
            Ty::Bool => &["t", "f"],
            Ty::Text => &[
                "",
                "a",
                "A",
                "b",
                "ab",
                "abc",
                "abcabc",
                " a ",
                "Hello World",
                "x%y",
                "x_y",
                "1",
                "42",
                "-7",
                "true",
                "null",
                "it's",
                "back\\slash",
                "\"q\"",
                "tab\there",
                "中文",
                "😀!",
                "a,b",
                "{a}",
                "2024-01-01",
                "zz",
            ],
            Ty::Varchar(1) => &["", "a", "B", "中"],
            Ty::Varchar(_) => &["", "a", "abc", "A", " a", "x%", "中文"],
            Ty::Char(1) => &["a", "b", "A", ""],
            Ty::Char(_) => &["a", "ab", "abcd", "A", "", "a b"],
            Ty::Uuid => {
                return match random.below(5) {
                    at @ 0..=2 => USERS[at].to_owned(),
                    3 => "00000000-0000-0000-0000-000000000000".to_owned(),
                    _ => "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11".to_owned(),
                };
            }
            Ty::Timestamptz => &[
                "2024-01-01 00:00:00+00",
                "2024-02-29 23:59:59.999999+00",
                "1999-12-31 23:59:59.5+02",
                "2024-06-15 12:30:00+05:30",
                "2024-06-15T07:00:00Z",
                "0001-01-01 00:00:00+00",
                "9999-12-31 23:59:59+00",
                "1970-01-01",
            ],
            Ty::Timestamp => &[
                "2024-01-01 00:00:00",
                "2024-02-29 23:59:59.999999",
                "1999-12-31T23:59:59.5",
                "2024-06-15 12:30",
                "0001-01-01",
                "9999-12-31 23:59:59",
            ],
            Ty::Date => &[
                "2024-01-01",
                "2024-02-29",
                "2024-03-01",
                "1970-01-01",
                "0001-01-01",
                "9999-12-31",
            ],
            Ty::Time => &[
                "00:00",
                "23:59:59.999999",
                "12:30:15",
                "12:30",
                "24:00:00",
                "07:00:00.5",
            ],
            Ty::Interval => &[
                "1 day",
                "24 hours",
                "2 hours 30 minutes",
                "-3 days",
                "1 mon",
                "30 days",
                "1 year 2 mons 3 days 04:05:06",
                "00:00:00.000001",
                "P1DT2H",
                "0",
            ],
            Ty::Json => &[
                "{}",
                "[]",
                "{\"a\": 1, \"b\": {\"c\": [1, 2, 3]}}",
                "null",
                "\"s\"",
                "1.50",
                "{\"b\":1,\"a\":2,\"a\":3}",
                "[1,\"x\",null]",
            ],
            Ty::Jsonb => &[
                "{}",
                "[]",
                "{\"a\": 1, \"b\": {\"c\": [1, 2, 3]}}",
                "null",
                "\"s\"",
                "1.50",
                "true",
                "{\"b\":1,\"a\":2,\"a\":3}",
                "[1,\"x\",null]",
                "{\"aa\": 1, \"b\": \"x\"}",
                "1e3",
                "\"\\u00e9\"",
                "{\"a\": null}",
                "[[1], {\"a\": 1}]",
                "0.10",
                "12345678901234567890.5",
            ],
            Ty::Bytea => &["", "\\x", "\\x00ff", "\\xdeadbeef", "abc"],
            Ty::Mood => MOODS,
            Ty::Array(item) => {
                let mut text = "{".to_owned();
                for index in 0..random.below(4) {
                    text.push_str(if index > 0 { "," } else { "" });
                    if random.chance(15) {
                        text.push_str("NULL");
                        continue;
                    }
                    let member = item.raw(random);
                    text.push('"');
                    text.push_str(&member.replace('\\', "\\\\").replace('"', "\\\""));
                    text.push('"');
                }
                text.push('}');
                return text;
            }
        };
        random.word(pool).to_owned()
    }

    /// A literal whose type is plain to see.
    pub fn literal(&self, random: &mut Random) -> String {
        let raw = self.raw(random);
        let digits = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.')
        };
        match self {
            Ty::Bool => if raw == "t" { "true" } else { "false" }.to_owned(),
            Ty::Int4 if digits(&raw) => raw,
            Ty::Int4 if raw == "-1" => "(-1)".to_owned(),
            Ty::Numeric(None) if digits(&raw) && raw.contains('.') => raw,
            Ty::Date if random.chance(50) => format!("date '{raw}'"),
            _ => format!("{}::{}", quoted(&raw), self.sql()),
        }
    }
}

/// A text as a literal.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
