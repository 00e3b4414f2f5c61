//! `like`, `ilike`, `~` and `~*`.

use super::registry::Row;
use super::{strict, text};
use crate::error::SqlError;
use crate::value::Value;
use regex::{Regex, RegexBuilder};
use std::cell::RefCell;

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict!("pg_like", 2, |a: &[Value]| Ok(like(
            &text(&a[0]),
            &text(&a[1])
        )?
        .into())),
        strict!("pg_ilike", 2, |a: &[Value]| Ok(like(
            &text(&a[0]).to_lowercase(),
            &text(&a[1]).to_lowercase()
        )?
        .into())),
        strict!("pg_regex", 2, |a: &[Value]| Ok(matches(
            &text(&a[0]),
            &text(&a[1]),
            false
        )?
        .into())),
        strict!("pg_iregex", 2, |a: &[Value]| Ok(matches(
            &text(&a[0]),
            &text(&a[1]),
            true
        )?
        .into())),
    ]
}

/// `%` any run, `_` any character, `\` escapes. Work is bounded by the product of the lengths.
fn like(text: &str, pattern: &str) -> Result<bool, SqlError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Part {
        Run,
        Any,
        One(char),
    }
    let mut parts = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '%' if parts.last() == Some(&Part::Run) => continue,
            '%' => Part::Run,
            '_' => Part::Any,
            '\\' => Part::One(chars.next().ok_or_else(|| {
                SqlError::new("22025", "LIKE pattern must not end with escape character")
            })?),
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

thread_local! {
    /// The last few patterns: a scan asks for the same one for every row.
    static COMPILED: RefCell<Vec<(String, bool, Regex)>> = const { RefCell::new(Vec::new()) };
}

/// Linear in the text, whatever the pattern; back references and look-around are refused (2201B).
fn matches(text: &str, pattern: &str, fold: bool) -> Result<bool, SqlError> {
    COMPILED.with_borrow_mut(|compiled| {
        if let Some((_, _, regex)) = compiled
            .iter()
            .find(|(known, folded, _)| known == pattern && *folded == fold)
        {
            return Ok(regex.is_match(text));
        }
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(fold)
            .size_limit(1 << 20)
            .dfa_size_limit(1 << 20)
            .build()
            .map_err(|error| {
                let reason = error.to_string();
                let reason = reason
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                SqlError::new("2201B", format!("invalid regular expression: {reason}"))
            })?;
        let found = regex.is_match(text);
        if compiled.len() >= 8 {
            compiled.remove(0);
        }
        compiled.push((pattern.to_owned(), fold, regex));
        Ok(found)
    })
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
            like("a", "a\\").map_err(|error| error.state),
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
        assert_eq!(matches("aaaa", "(a+)+$", false), Ok(true));
        assert!(matches("a", "(", false).is_err());
    }
}
