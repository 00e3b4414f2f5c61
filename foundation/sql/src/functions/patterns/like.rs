//! `like` and `ilike`.

use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::functions::text;
use crate::functions::texts::lowered;
use crate::value::Value;

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("~~(text, text) bool as pg_like", |a| {
            Ok(like(&text(&a[0]), &text(&a[1]))?.into())
        }),
        strict("~~*(text, text) bool as pg_ilike", |a| {
            Ok(like(&lowered(&text(&a[0])), &lowered(&text(&a[1])))?.into())
        }),
        strict(".escape(text, text) text as pg_like_escape", |a| {
            escaped(&text(&a[0]), &text(&a[1]))
        }),
    ]
}

/// A pattern with another escape character, as one with the usual one.
fn escaped(pattern: &str, escape: &str) -> Result<Value, SqlError> {
    let mut chars = escape.chars();
    let escape = chars.next();
    if chars.next().is_some() {
        return Err(SqlError::new("22025", "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    let mut out = String::with_capacity(pattern.len());
    let mut after_escape = false;
    for c in pattern.chars() {
        if Some(c) == escape && !after_escape {
            out.push('\\');
            after_escape = true;
            continue;
        }
        if c == '\\' && !after_escape {
            out.push('\\');
        }
        out.push(c);
        after_escape = false;
    }
    Ok(out.into())
}

/// `%` any run, `_` any character, `\` escapes. Work is bounded by the product of the lengths.
fn like(text: &str, pattern: &str) -> Result<bool, SqlError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Part {
        Run,
        Any,
        One(char),
        /// An escape with nothing behind it: wrong only where the text goes on.
        Open,
    }
    let mut parts = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '%' if parts.last() == Some(&Part::Run) => continue,
            '%' => Part::Run,
            '_' => Part::Any,
            '\\' => chars.next().map_or(Part::Open, Part::One),
            c => Part::One(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Run) => {
                retry = Some((part, at));
                part += 1;
                continue;
            }
            Some(Part::Any) => {
                at += 1;
                part += 1;
                continue;
            }
            Some(Part::One(c)) if *c == text[at] => {
                at += 1;
                part += 1;
                continue;
            }
            Some(Part::Open) => {
                return Err(SqlError::new(
                    "22025",
                    "LIKE pattern must not end with escape character",
                ));
            }
            _ => {}
        }
        // The last run takes one character more.
        let Some((run, from)) = retry else {
            return Ok(false);
        };
        retry = Some((run, from + 1));
        at = from + 1;
        part = run + 1;
    }
    Ok(parts[part..].iter().all(|part| *part == Part::Run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_matches_as_postgres_does() {
        for (text, pattern, found) in [
            ("hello", "h%o", true),
            ("hello", "h_llo", true),
            ("hello", "%", true),
            ("", "%", true),
            ("", "_", false),
            ("a%b", r"a\%b", true),
            ("axb", r"a\%b", false),
            ("aaab", "%a%b", true),
            ("äb", "_b", true),
            ("hello", "hello%", true),
            ("hello", "ello", false),
            ("aXbXc", "a%X%c", true),
        ] {
            assert_eq!(like(text, pattern), Ok(found), "{text} like {pattern}");
        }
        assert_eq!(
            like("ab", "a\\").map_err(|error| error.state),
            Err("22025".into())
        );
    }

    #[test]
    fn a_pattern_made_to_backtrack_ends_soon() {
        let start = std::time::Instant::now();
        assert_eq!(
            like(&"a".repeat(10_000), &("%a".repeat(1_000) + "b")),
            Ok(false)
        );
        assert!(start.elapsed().as_secs() < 5);
    }
}
