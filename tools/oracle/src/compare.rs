//! Whether two answers are one.

use crate::engine::Outcome;
use std::fmt;

/// What is not alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// One failed, the other did not.
    Failure,
    /// Both failed, with another SQLSTATE.
    State,
    /// The rows.
    Rows,
    /// The rows are the same, in another order.
    Order,
    /// The types of the columns.
    Types,
    /// What is in the tables afterwards.
    Effects,
    /// The words of the error. Everything else is alike.
    Message,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Difference::Failure => "failure",
            Difference::State => "sqlstate",
            Difference::Rows => "rows",
            Difference::Order => "order",
            Difference::Types => "types",
            Difference::Effects => "effects",
            Difference::Message => "message",
        })
    }
}

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Alike.
    Same,
    /// The embedded engine does not have a construct, and said which.
    Refused(String),
    /// Not alike.
    Different(Difference),
}

/// Compares what Postgres says with what the embedded engine says.
pub fn compare(postgres: &Outcome, embedded: &Outcome, ordered: bool) -> Verdict {
    match (postgres, embedded) {
        // What Postgres has no more than we have is an error on both.
        (Outcome::Failed { state, .. }, Outcome::Refused { .. }) if state == "0A000" => {
            Verdict::Same
        }
        (_, Outcome::Refused { construct }) => Verdict::Refused(construct.clone()),
        (
            Outcome::Failed {
                state: one,
                message: a,
            },
            Outcome::Failed {
                state: other,
                message: b,
            },
        ) => {
            if one != other {
                Verdict::Different(Difference::State)
            } else if a == b {
                Verdict::Same
            } else {
                Verdict::Different(Difference::Message)
            }
        }
        (
            Outcome::Done { rows, types },
            Outcome::Done {
                rows: ours,
                types: our_types,
            },
        ) => {
            let sorted = |rows: &[String]| {
                let mut rows = rows.to_vec();
                rows.sort();
                rows
            };
            if sorted(rows) != sorted(ours) {
                Verdict::Different(Difference::Rows)
            } else if ordered && rows != ours {
                Verdict::Different(Difference::Order)
            } else if !types.is_empty() && types != our_types {
                Verdict::Different(Difference::Types)
            } else {
                Verdict::Same
            }
        }
        _ => Verdict::Different(Difference::Failure),
    }
}

/// A statement or a construct without what tells two of a kind apart: names of sources, numbers, texts.
pub fn skeleton(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            out.push_str("'..'");
            while let Some(c) = chars.next() {
                if c == '\'' && chars.next_if_eq(&'\'').is_none() {
                    break;
                }
            }
        } else if c.is_ascii_digit() && !out.ends_with(|last: char| last.is_ascii_alphanumeric()) {
            out.push('0');
            while chars.next_if(|c| c.is_ascii_digit() || *c == '.').is_some() {}
        } else {
            out.push(c);
        }
    }
    let words: Vec<String> = out
        .split_whitespace()
        .map(|word| {
            let mut made = String::new();
            let mut rest = word;
            // `x12.` is a source's name.
            while let Some(at) = rest.find('x') {
                let digits = rest[at + 1..]
                    .bytes()
                    .take_while(u8::is_ascii_digit)
                    .count();
                made.push_str(&rest[..=at]);
                rest = &rest[at + 1 + digits..];
            }
            made.push_str(rest);
            made
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(rows: &[&str]) -> Outcome {
        Outcome::Done {
            rows: rows.iter().map(|row| (*row).to_owned()).collect(),
            types: Vec::new(),
        }
    }

    fn failed(state: &str) -> Outcome {
        Outcome::Failed {
            state: state.to_owned(),
            message: "no".to_owned(),
        }
    }

    #[test]
    fn order_counts_only_where_it_is_asked_for() {
        let (one, other) = (done(&["1", "2"]), done(&["2", "1"]));
        assert_eq!(compare(&one, &other, false), Verdict::Same);
        assert_eq!(
            compare(&one, &other, true),
            Verdict::Different(Difference::Order)
        );
        assert_eq!(
            compare(&one, &done(&["1", "2", "2"]), false),
            Verdict::Different(Difference::Rows)
        );
    }

    #[test]
    fn a_failure_is_no_empty_answer_and_a_refusal_is_no_difference() {
        assert_eq!(
            compare(&failed("22012"), &done(&[]), false),
            Verdict::Different(Difference::Failure)
        );
        assert_eq!(
            compare(&failed("22012"), &failed("22003"), false),
            Verdict::Different(Difference::State)
        );
        let refused = Outcome::Refused {
            construct: "window".to_owned(),
        };
        assert_eq!(
            compare(&done(&[]), &refused, false),
            Verdict::Refused("window".to_owned())
        );
    }

    #[test]
    fn two_of_a_kind_have_one_skeleton() {
        assert_eq!(
            skeleton("select x1.a, 'it''s' from t1 x1 where x1.b > 12.5"),
            "select x.a, '..' from t1 x where x.b > 0"
        );
    }
}
