//! What an engine answers to a request, as text.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The values as Postgres prints them.
    Rows {
        columns: Vec<String>,
        rows: Vec<Vec<Option<String>>>,
    },
    /// How many rows a statement that returns none has changed.
    Done(u64),
    Error {
        state: String,
        message: String,
    },
}

impl Answer {
    /// Whether two answers are the same: rows in any order unless one was asked, errors by their SQLSTATE, and by their text where
    /// an app shows it or names a constraint by it.
    pub fn same(&self, other: &Answer, ordered: bool) -> bool {
        match (self, other) {
            (
                Answer::Rows { columns, rows },
                Answer::Rows {
                    columns: other_columns,
                    rows: other_rows,
                },
            ) if !ordered => {
                let (mut left, mut right) = (rows.clone(), other_rows.clone());
                left.sort();
                right.sort();
                columns == other_columns && left == right
            }
            (
                Answer::Error { state, message },
                Answer::Error {
                    state: other_state,
                    message: other_message,
                },
            ) => {
                let told = state.starts_with("23") || matches!(state.as_str(), "42501" | "P0001");
                state == other_state && (!told || message == other_message)
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Done(count) => write!(f, "{count} changed"),
            Answer::Error { state, message } => write!(f, "{state} {message}"),
            Answer::Rows { columns, rows } => {
                write!(f, "{}", columns.join(" | "))?;
                for row in rows {
                    let values: Vec<&str> = row
                        .iter()
                        .map(|value| value.as_deref().unwrap_or("null"))
                        .collect();
                    write!(f, "\n            {}", values.join(" | "))?;
                }
                Ok(())
            }
        }
    }
}

#[test]
fn only_an_asked_order_counts() {
    let rows = |values: [&str; 2]| Answer::Rows {
        columns: vec!["a".to_owned()],
        rows: values.map(|value| vec![Some(value.to_owned())]).to_vec(),
    };
    assert!(rows(["1", "2"]).same(&rows(["2", "1"]), false));
    assert!(!rows(["1", "2"]).same(&rows(["2", "1"]), true));
    assert!(!rows(["1", "2"]).same(&rows(["1", "1"]), false));
    assert!(!rows(["1", "2"]).same(&Answer::Done(2), false));
}
