//! Regular expressions. Matching is linear in the text, whatever the pattern; back references and look-around are refused (2201B).
//!
//! Postgres prefers the longest alternative, this engine the first: they differ only where one alternative is the start of another and
//! nothing behind decides.

use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::functions::{int, text};
use crate::types::{Type, store};
use crate::value::Value;
use regex::{Captures, Regex, RegexBuilder};
use std::cell::RefCell;

thread_local! {
    /// The last few patterns: a scan asks for the same one for every row.
    static COMPILED: RefCell<Vec<(String, String, Regex)>> = const { RefCell::new(Vec::new()) };
}

fn invalid(reason: &str) -> SqlError {
    SqlError::new("2201B", format!("invalid regular expression: {reason}"))
}

/// Whether all matches are meant, from the flags of a call; the rest of the flags.
fn global(flags: &str) -> (bool, String) {
    (flags.contains('g'), flags.replace('g', ""))
}

/// Compiles a pattern with Postgres' flags.
fn compiled<T>(
    pattern: &str,
    flags: &str,
    then: impl FnOnce(&Regex) -> Result<T, SqlError>,
) -> Result<T, SqlError> {
    let known = COMPILED.with_borrow(|compiled| {
        compiled
            .iter()
            .find(|(known, known_flags, _)| known == pattern && known_flags == flags)
            .map(|(.., regex)| regex.clone())
    });
    if let Some(regex) = known {
        return then(&regex);
    }
    let regex = compile(pattern, flags)?;
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= 8 {
            compiled.remove(0);
        }
        compiled.push((pattern.to_owned(), flags.to_owned(), regex.clone()));
    });
    then(&regex)
}

fn compile(pattern: &str, flags: &str) -> Result<Regex, SqlError> {
    let mut pattern = pattern;
    let (mut fold, mut lines, mut dot, mut loose, mut quoted) = (false, false, true, false, false);
    let mut flags = flags.to_owned();
    if let Some(rest) = pattern.strip_prefix("***=") {
        quoted = true;
        pattern = rest;
    } else if let Some(rest) = pattern.strip_prefix("***:") {
        pattern = rest;
    }
    if let Some((own, rest)) = pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        && !own.is_empty()
        && own.bytes().all(|byte| byte.is_ascii_lowercase())
    {
        flags.push_str(own);
        pattern = rest;
    }
    for flag in flags.chars() {
        match flag {
            'i' => fold = true,
            'c' => fold = false,
            'n' | 'm' => (lines, dot) = (true, false),
            'p' => (lines, dot) = (false, false),
            'w' => (lines, dot) = (true, true),
            's' => (lines, dot) = (false, true),
            'x' => loose = true,
            't' => loose = false,
            'q' => quoted = true,
            'e' => {}
            other => {
                return Err(SqlError::new(
                    "22023",
                    format!("invalid regular expression option: \"{other}\""),
                ));
            }
        }
    }
    let translated = if quoted {
        regex::escape(pattern)
    } else {
        translate(pattern)?
    };
    RegexBuilder::new(&translated)
        .case_insensitive(fold)
        .multi_line(lines)
        .dot_matches_new_line(dot)
        .ignore_whitespace(loose)
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
            invalid(match reason {
                "unclosed group" | "unopened group" => "parentheses () not balanced",
                "unclosed character class" => "brackets [] not balanced",
                "repetition operator missing expression" => "quantifier operand invalid",
                reason => reason,
            })
        })
}

/// What Postgres and this engine write differently.
fn translate(pattern: &str) -> Result<String, SqlError> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                None => return Err(invalid("invalid escape \\ sequence")),
                Some('m') => out.push_str(r"\b{start}"),
                Some('M') => out.push_str(r"\b{end}"),
                Some('y') => out.push_str(r"\b"),
                Some('Y') => out.push_str(r"\B"),
                Some('Z') => out.push_str(r"\z"),
                Some('1'..='9') => {
                    return Err(invalid(
                        "back references are not available on the embedded engine",
                    ));
                }
                Some(c) => {
                    out.push('\\');
                    out.push(c);
                }
            },
            '[' => {
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str(r"\]");
                }
                loop {
                    match chars.next() {
                        None => return Err(invalid("brackets [] not balanced")),
                        Some(']') => {
                            out.push(']');
                            break;
                        }
                        Some('[') if matches!(chars.peek(), Some(':')) => {
                            // A class by name, to its end.
                            out.push('[');
                            for c in chars.by_ref() {
                                out.push(c);
                                if c == ']' {
                                    break;
                                }
                            }
                        }
                        Some(c @ ('[' | '&' | '~')) => {
                            out.push('\\');
                            out.push(c);
                        }
                        Some('\\') => {
                            out.push('\\');
                            out.extend(chars.next());
                        }
                        Some(c) => out.push(c),
                    }
                }
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// A pattern of `similar to` as a regular expression over the whole text.
fn similar(pattern: &str, escape: Option<char>) -> Result<String, SqlError> {
    let mut out = String::from("^(?:");
    let mut chars = pattern.chars();
    let mut bracket = false;
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some(c) => out.push_str(&regex::escape(&c.to_string())),
                None => return Err(SqlError::new("22025", "invalid escape string")),
            }
            continue;
        }
        match c {
            '[' => bracket = true,
            ']' => bracket = false,
            _ => {}
        }
        match c {
            '%' if !bracket => out.push_str(".*"),
            '_' if !bracket => out.push('.'),
            '(' if !bracket => out.push_str("(?:"),
            '.' | '^' | '$' if !bracket => {
                out.push('\\');
                out.push(c);
            }
            '\\' => out.push_str(r"\\"),
            c => out.push(c),
        }
    }
    out.push_str(")$");
    Ok(out)
}

fn array(parts: Vec<Value>) -> Value {
    store(&Type::Text, &parts)
}

fn captured(captures: &Captures<'_>) -> Value {
    let parts = |from: usize| {
        (from..captures.len())
            .map(|at| {
                captures
                    .get(at)
                    .map(|found| found.as_str().to_owned())
                    .into()
            })
            .collect::<Vec<Value>>()
    };
    array(if captures.len() > 1 {
        parts(1)
    } else {
        parts(0)
    })
}

/// Appends a replacement: `\1` to `\9` and `\&` stand for what was found.
fn replaced(captures: &Captures<'_>, by: &str, out: &mut String) {
    let mut chars = by.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let group = match chars.next() {
            Some('&') => Some(0),
            Some(digit @ '1'..='9') => digit.to_digit(10).map(|digit| digit as usize),
            Some('\\') => {
                out.push('\\');
                continue;
            }
            Some(other) => {
                out.push('\\');
                out.push(other);
                continue;
            }
            None => {
                out.push('\\');
                continue;
            }
        };
        if let Some(found) = group.and_then(|group| captures.get(group)) {
            out.push_str(found.as_str());
        }
    }
}

/// The byte where a character stands, counted from 1.
fn place(text: &str, start: i64) -> Result<usize, SqlError> {
    let skip = usize::try_from(start - 1).ok().filter(|_| start > 0);
    let skip = skip.ok_or_else(|| {
        SqlError::new(
            "22023",
            format!("invalid value for parameter \"start\": {start}"),
        )
    })?;
    Ok(text
        .char_indices()
        .nth(skip)
        .map_or(text.len(), |(at, _)| at))
}

/// The n-th match, or all of them for 0.
fn replace(
    text: &str,
    pattern: &str,
    by: &str,
    start: i64,
    nth: usize,
    flags: &str,
) -> Result<Value, SqlError> {
    let from = place(text, start)?;
    compiled(pattern, flags, |regex| {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        let mut at = from;
        let mut count = 0;
        while let Some(captures) = (at <= text.len())
            .then(|| regex.captures_at(text, at))
            .flatten()
        {
            let Some(found) = captures.get(0) else { break };
            count += 1;
            if nth == 0 || count == nth {
                out.push_str(&text[copied..found.start()]);
                replaced(&captures, by, &mut out);
                copied = found.end();
                if nth > 0 {
                    break;
                }
            }
            // An empty match moves on by a character.
            at = if found.end() > found.start() {
                found.end()
            } else {
                found.end() + text[found.end()..].chars().next().map_or(1, char::len_utf8)
            };
        }
        out.push_str(&text[copied..]);
        Ok(out.into())
    })
}

fn no_global(flags: &str, function: &str) -> Result<(), SqlError> {
    if flags.contains('g') {
        return Err(SqlError::new(
            "22023",
            format!("{function} does not support the \"global\" option"),
        ));
    }
    Ok(())
}

fn first_match(whole: &Value, pattern: &Value, flags: &str) -> Result<Value, SqlError> {
    if flags.contains('g') {
        return Err(SqlError::new(
            "22023",
            "regexp_match() does not support the \"global\" option",
        )
        .hint("Use the regexp_matches function instead."));
    }
    compiled(&text(pattern), flags, |regex| {
        Ok(regex
            .captures(&text(whole))
            .map_or(Value::Null, |captures| captured(&captures)))
    })
}

fn split(whole: &Value, pattern: &Value, flags: &str) -> Result<Value, SqlError> {
    no_global(flags, "regexp_split_to_array()")?;
    let whole = text(whole);
    compiled(&text(pattern), flags, |regex| {
        let mut parts = Vec::new();
        let mut from = 0;
        for found in regex.find_iter(&whole) {
            // Postgres passes over empty matches at either end, and right behind a match.
            if found.is_empty()
                && (found.start() == 0 || found.start() == whole.len() || found.start() == from)
            {
                continue;
            }
            parts.push(Value::text(&whole[from..found.start()]));
            from = found.end();
        }
        parts.push(Value::text(&whole[from..]));
        Ok(array(parts))
    })
}

fn test(whole: &Value, pattern: &Value, flags: &str) -> Result<Value, SqlError> {
    compiled(&text(pattern), flags, |regex| {
        Ok(regex.is_match(&text(whole)).into())
    })
}

/// The n-th match from a place on: where it starts and ends, and one of its groups.
fn nth(
    a: &[Value],
    start: i64,
    nth: i64,
    flags: &str,
    group: i64,
) -> Result<Option<(usize, usize)>, SqlError> {
    let whole = text(&a[0]);
    let from = place(&whole, start)?;
    let wanted = usize::try_from(nth)
        .ok()
        .filter(|nth| *nth > 0)
        .ok_or_else(|| {
            SqlError::new("22023", format!("invalid value for parameter \"n\": {nth}"))
        })?;
    let group = usize::try_from(group).map_err(|_| {
        SqlError::new(
            "22023",
            format!("invalid value for parameter \"subexpr\": {group}"),
        )
    })?;
    compiled(&text(&a[1]), flags, |regex| {
        Ok(regex
            .captures_iter(&whole[from..])
            .nth(wanted - 1)
            .and_then(|captures| captures.get(group))
            .map(|found| (from + found.start(), from + found.end())))
    })
}

fn substr(a: &[Value], start: i64, n: i64, flags: &str, group: i64) -> Result<Value, SqlError> {
    let whole = text(&a[0]);
    Ok(nth(a, start, n, flags, group)?
        .map(|(from, to)| whole[from..to].to_owned())
        .into())
}

fn instr(
    a: &[Value],
    start: i64,
    n: i64,
    end: i64,
    flags: &str,
    group: i64,
) -> Result<Value, SqlError> {
    let whole = text(&a[0]);
    Ok(Value::Int(nth(a, start, n, flags, group)?.map_or(
        0,
        |(from, to)| {
            let at = if end == 0 { from } else { to };
            i64::try_from(whole[..at].chars().count()).unwrap_or(i64::MAX) + 1
        },
    )))
}

fn count(a: &[Value], start: i64, flags: &str) -> Result<Value, SqlError> {
    no_global(flags, "regexp_count()")?;
    let whole = text(&a[0]);
    let from = place(&whole, start)?;
    compiled(&text(&a[1]), flags, |regex| {
        let count = regex.find_iter(&whole[from..]).count();
        Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    })
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("~(text, text) bool as pg_regex", |a| test(&a[0], &a[1], "")),
        strict("~*(text, text) bool as pg_iregex", |a| {
            test(&a[0], &a[1], "i")
        }),
        strict("regexp_like(text, text) bool", |a| test(&a[0], &a[1], "")),
        strict("regexp_like(text, text, text) bool", |a| {
            no_global(&text(&a[2]), "regexp_like()")?;
            test(&a[0], &a[1], &text(&a[2]))
        }),
        strict("regexp_match(text, text) text[]", |a| {
            first_match(&a[0], &a[1], "")
        }),
        strict("regexp_match(text, text, text) text[]", |a| {
            first_match(&a[0], &a[1], &text(&a[2]))
        }),
        strict("regexp_replace(text, text, text) text", |a| {
            replace(&text(&a[0]), &text(&a[1]), &text(&a[2]), 1, 1, "")
        }),
        strict("regexp_replace(text, text, text, text) text", |a| {
            let flags = text(&a[3]);
            if let Some(digit) = flags.chars().next().filter(char::is_ascii_digit) {
                return Err(SqlError::new(
                    "22023",
                    format!("invalid regular expression option: \"{digit}\""),
                )
                .hint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
            }
            let (all, flags) = global(&flags);
            let nth = usize::from(!all);
            replace(&text(&a[0]), &text(&a[1]), &text(&a[2]), 1, nth, &flags)
        }),
        strict("regexp_replace(text, text, text, int4) text", |a| {
            replace(&text(&a[0]), &text(&a[1]), &text(&a[2]), int(&a[3]), 1, "")
        }),
        strict("regexp_replace(text, text, text, int4, int4) text", |a| {
            let nth = usize::try_from(int(&a[4])).unwrap_or(0);
            replace(
                &text(&a[0]),
                &text(&a[1]),
                &text(&a[2]),
                int(&a[3]),
                nth,
                "",
            )
        }),
        strict("regexp_split_to_array(text, text) text[]", |a| {
            split(&a[0], &a[1], "")
        }),
        strict("regexp_split_to_array(text, text, text) text[]", |a| {
            split(&a[0], &a[1], &text(&a[2]))
        }),
        strict("regexp_count(text, text) int4", |a| count(a, 1, "")),
        strict("regexp_count(text, text, int4) int4", |a| {
            count(a, int(&a[2]), "")
        }),
        strict("regexp_count(text, text, int4, text) int4", |a| {
            count(a, int(&a[2]), &text(&a[3]))
        }),
        strict("regexp_substr(text, text) text", |a| substr(a, 1, 1, "", 0)),
        strict("regexp_substr(text, text, int4) text", |a| {
            substr(a, int(&a[2]), 1, "", 0)
        }),
        strict("regexp_substr(text, text, int4, int4) text", |a| {
            substr(a, int(&a[2]), int(&a[3]), "", 0)
        }),
        strict("regexp_substr(text, text, int4, int4, text) text", |a| {
            substr(a, int(&a[2]), int(&a[3]), &text(&a[4]), 0)
        }),
        strict(
            "regexp_substr(text, text, int4, int4, text, int4) text",
            |a| substr(a, int(&a[2]), int(&a[3]), &text(&a[4]), int(&a[5])),
        ),
        strict("regexp_instr(text, text) int4", |a| {
            instr(a, 1, 1, 0, "", 0)
        }),
        strict("regexp_instr(text, text, int4) int4", |a| {
            instr(a, int(&a[2]), 1, 0, "", 0)
        }),
        strict("regexp_instr(text, text, int4, int4) int4", |a| {
            instr(a, int(&a[2]), int(&a[3]), 0, "", 0)
        }),
        strict("regexp_instr(text, text, int4, int4, int4) int4", |a| {
            instr(a, int(&a[2]), int(&a[3]), int(&a[4]), "", 0)
        }),
        strict("substring(text, text) text as pg_substring_regex", |a| {
            let whole = text(&a[0]);
            compiled(&text(&a[1]), "", |regex| {
                Ok(regex
                    .captures(&whole)
                    .and_then(|captures| captures.get(usize::from(captures.len() > 1)))
                    .map(|found| found.as_str().to_owned())
                    .into())
            })
        }),
        strict(".similar(text, text) bool as pg_similar", |a| {
            test(&a[0], &similar(&text(&a[1]), Some('\\'))?.into(), "")
        }),
        strict(
            ".similar(text, text, text) bool as pg_similar_escape",
            |a| {
                let escape = text(&a[2]);
                if escape.chars().count() > 1 {
                    return Err(SqlError::new("22025", "invalid escape string")
                        .hint("Escape string must be empty or one character."));
                }
                let pattern = similar(&text(&a[1]), escape.chars().next())?;
                test(&a[0], &pattern.into(), "")
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_made_to_backtrack_ends_soon() {
        let start = std::time::Instant::now();
        let text = Value::from("a".repeat(20_000));
        assert_eq!(test(&text, &"(a+)+b$".into(), ""), Ok(false.into()));
        assert!(start.elapsed().as_secs() < 5);
        assert!(test(&text, &"(".into(), "").is_err());
    }
}
