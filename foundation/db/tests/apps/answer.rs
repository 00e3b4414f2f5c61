//! What an engine answers to a request.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The names and types of columns, and each row as a JSON object in canonical form.
    Rows {
        columns: Vec<(String, String)>,
        rows: Vec<String>,
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

/// JSON without white space between its signs, and with strings escaped in one way. Numbers keep their digits.
pub fn canonical(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            let end = string_end(rest);
            let text: String = serde_json::from_str(&rest[..end]).unwrap();
            out.push_str(&serde_json::to_string(&text).unwrap());
            rest = &rest[end..];
            continue;
        }
        if !c.is_ascii_whitespace() {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Where the string at the start of a text ends.
fn string_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// The elements of a JSON array, each in canonical form.
pub fn elements(array: &str) -> Vec<String> {
    let elements: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(array).unwrap();
    elements
        .iter()
        .map(|element| canonical(element.get()))
        .collect()
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Done(count) => write!(f, "{count} changed"),
            Answer::Error { state, message } => write!(f, "{state} {message}"),
            Answer::Rows { columns, rows } => {
                let columns: Vec<String> = columns
                    .iter()
                    .map(|(name, ty)| format!("{name} {ty}"))
                    .collect();
                write!(f, "{}:", columns.join(", "))?;
                match rows.as_slice() {
                    [] => write!(f, " no rows")?,
                    [row] => write!(f, " {row}")?,
                    rows => rows
                        .iter()
                        .try_for_each(|row| write!(f, "\n            {row}"))?,
                }
                Ok(())
            }
        }
    }
}

#[test]
fn only_an_asked_order_counts() {
    let rows = |values: [&str; 2]| Answer::Rows {
        columns: vec![("a".to_owned(), "integer".to_owned())],
        rows: values.map(str::to_owned).to_vec(),
    };
    assert!(rows(["1", "2"]).same(&rows(["2", "1"]), false));
    assert!(!rows(["1", "2"]).same(&rows(["2", "1"]), true));
    assert!(!rows(["1", "2"]).same(&rows(["1", "1"]), false));
    assert!(!rows(["1", "2"]).same(&Answer::Done(2), false));
}

#[test]
fn json_is_told_apart_by_its_values_and_digits_alone() {
    assert_eq!(
        elements(r#"[{"a" : [1.50,"b \" \u00e9"] }, 2]"#),
        ["{\"a\":[1.50,\"b \\\" é\"]}", "2"]
    );
}
