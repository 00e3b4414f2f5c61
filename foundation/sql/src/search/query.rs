//! Queries, and when a document has what they ask for.

use super::document::Document;
use std::fmt;

/// A query without words that are passed over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Query {
    /// A lexeme.
    Lexeme {
        text: String,
        /// `:*`: whatever starts with it.
        prefix: bool,
        /// Weights asked for, as letters; documents have D alone.
        weights: String,
    },
    Not(Box<Query>),
    And(Box<Query>, Box<Query>),
    Or(Box<Query>, Box<Query>),
    /// The second so many places after the first.
    Phrase(Box<Query>, Box<Query>, u32),
}

impl Query {
    /// Whether a document has what it asks for.
    pub(crate) fn holds(&self, document: &Document) -> bool {
        match self {
            Query::Lexeme {
                text,
                prefix,
                weights,
            } => weighs(weights) && document.has(text, *prefix),
            Query::Not(inner) => !inner.holds(document),
            Query::And(left, right) => left.holds(document) && right.holds(document),
            Query::Or(left, right) => left.holds(document) || right.holds(document),
            Query::Phrase(..) => self.matches(document).is_some(),
        }
    }

    /// Where it matches; none where it does not.
    fn matches(&self, document: &Document) -> Option<Places> {
        match self {
            Query::Lexeme {
                text,
                prefix,
                weights,
            } => {
                let ends = if weighs(weights) {
                    document.places(text, *prefix)
                } else {
                    Vec::new()
                };
                (!ends.is_empty()).then_some(Places {
                    ends,
                    width: 0,
                    elsewhere: false,
                })
            }
            Query::Not(inner) => match inner.matches(document) {
                // Nowhere becomes everywhere.
                None => Some(Places {
                    ends: Vec::new(),
                    width: 0,
                    elsewhere: true,
                }),
                Some(places) if places.ends.is_empty() => None,
                Some(places) => Some(Places {
                    elsewhere: !places.elsewhere,
                    ..places
                }),
            },
            Query::Phrase(left, right, distance) => {
                let (left, right) = (left.matches(document)?, right.matches(document)?);
                let shift = distance + right.width;
                let width = distance + left.width + right.width;
                both(left, right, shift, 0, width)
            }
            Query::And(left, right) => {
                let (left, right) = (left.matches(document)?, right.matches(document)?);
                let width = left.width.max(right.width);
                let shifts = (width - left.width, width - right.width);
                both(left, right, shifts.0, shifts.1, width)
            }
            Query::Or(left, right) => {
                let (left, right) = (left.matches(document), right.matches(document));
                if left.is_none() && right.is_none() {
                    return None;
                }
                let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
                let width = left.width.max(right.width);
                let shifts = (width - left.width, width - right.width);
                either(left, right, shifts.0, shifts.1, width)
            }
        }
    }
}

/// Documents have the weight D alone.
fn weighs(weights: &str) -> bool {
    weights.is_empty() || weights.contains('D')
}

/// The places where a match ends, or all others.
#[derive(Default)]
struct Places {
    ends: Vec<u32>,
    /// How many places before its end it starts.
    width: u32,
    /// It matches at every place but these.
    elsewhere: bool,
}

fn shifted(places: &Places, by: u32) -> Vec<u32> {
    places.ends.iter().map(|place| place + by).collect()
}

/// Places of two sorted lists: those in both, and those in one alone.
fn merged(left: &[u32], right: &[u32], common: bool, lefts: bool, rights: bool) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for place in left {
        let shared = right.binary_search(place).is_ok();
        if shared && common || !shared && lefts {
            found.push(*place);
        }
    }
    if rights {
        found.extend(
            right
                .iter()
                .filter(|place| left.binary_search(place).is_err()),
        );
        found.sort_unstable();
    }
    found
}

fn some(ends: Vec<u32>, width: u32) -> Option<Places> {
    (!ends.is_empty()).then_some(Places {
        ends,
        width,
        elsewhere: false,
    })
}

fn both(left: Places, right: Places, by: u32, and_by: u32, width: u32) -> Option<Places> {
    let (l, r) = (shifted(&left, by), shifted(&right, and_by));
    match (left.elsewhere, right.elsewhere) {
        (true, true) => Some(Places {
            ends: merged(&l, &r, true, true, true),
            width,
            elsewhere: true,
        }),
        (true, false) => some(merged(&l, &r, false, false, true), width),
        (false, true) => some(merged(&l, &r, false, true, false), width),
        (false, false) => some(merged(&l, &r, true, false, false), width),
    }
}

fn either(left: Places, right: Places, by: u32, and_by: u32, width: u32) -> Option<Places> {
    let (l, r) = (shifted(&left, by), shifted(&right, and_by));
    let all_but = |ends| {
        Some(Places {
            ends,
            width,
            elsewhere: true,
        })
    };
    match (left.elsewhere, right.elsewhere) {
        (true, true) => all_but(merged(&l, &r, true, false, false)),
        (true, false) => all_but(merged(&l, &r, false, true, false)),
        (false, true) => all_but(merged(&l, &r, false, false, true)),
        (false, false) => some(merged(&l, &r, true, true, true), width),
    }
}

impl fmt::Display for Query {
    /// As Postgres prints a tsquery.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0, false)
    }
}

impl Query {
    /// How tightly it binds.
    fn rank(&self) -> u8 {
        match self {
            Query::Or(..) => 1,
            Query::And(..) => 2,
            Query::Phrase(..) => 3,
            Query::Not(_) => 4,
            Query::Lexeme { .. } => 5,
        }
    }

    /// `right`: it stands to the right of a phrase, which binds to the left.
    fn write(&self, f: &mut fmt::Formatter<'_>, around: u8, right: bool) -> fmt::Result {
        let rank = self.rank();
        let open = rank < around || right && matches!(self, Query::Phrase(..));
        if open {
            f.write_str("( ")?;
        }
        match self {
            Query::Lexeme {
                text,
                prefix,
                weights,
            } => {
                write!(f, "'{}'", text.replace('\\', "\\\\").replace('\'', "''"))?;
                if *prefix || !weights.is_empty() {
                    write!(f, ":{}{weights}", if *prefix { "*" } else { "" })?;
                }
            }
            Query::Not(inner) => {
                f.write_str("!")?;
                inner.write(f, rank, false)?;
            }
            Query::And(left, right) | Query::Or(left, right) => {
                left.write(f, rank, false)?;
                f.write_str(if rank == 1 { " | " } else { " & " })?;
                right.write(f, rank, false)?;
            }
            Query::Phrase(left, right, distance) => {
                left.write(f, rank, false)?;
                match distance {
                    1 => f.write_str(" <-> ")?,
                    distance => write!(f, " <{distance}> ")?,
                }
                right.write(f, rank, true)?;
            }
        }
        if open { f.write_str(" )") } else { Ok(()) }
    }
}
