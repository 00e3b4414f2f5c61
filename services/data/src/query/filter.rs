//! Filters: `col=op.value`, and the trees of `and=(..)` and `or=(..)`.

use super::Shape;
use super::cursor::{Cursor, QueryError, echo};
use pando_plan::request::{Filter, Input, Is, Op, Path, Quantifier, Test};
use pando_sql::search::Mode;

/// Nesting of `and(..)` and `or(..)`.
const LOGIC_DEPTH_MAX: usize = 16;

/// What may stand where an operator is expected, for errors.
const OPERATORS: &str = "\"not\" or an operator (eq, neq, gt, gte, lt, lte, like, ilike, match, imatch, in, is, \
                         isdistinct, cs, cd, ov, fts, plfts, phfts, wfts)";

/// Reads `not.op.value` of the filter on `path`.
pub(super) fn horizontal(path: Path, value: &str, shape: &mut Shape) -> Result<Filter, QueryError> {
    let mut cursor = Cursor::new(value, "filter");
    shape.count_term()?;
    let (negated, test) = match test(&mut cursor, shape, false) {
        Ok(read) => read,
        Err(error) if error.code == "PGRST100" && error.hint.is_none() && !value.contains('.') => {
            return Err(error.hint(format!(
                "Write a filter as {}=eq.{}",
                echo(&path.column),
                echo(value)
            )));
        }
        Err(error) => return Err(error),
    };
    cursor.expect_end("the end of the filter")?;
    Ok(Filter::Compare {
        path,
        negated,
        test,
    })
}

/// Reads `(cond,cond)` of `and=`, `or=`, `not.and=`, `not.or=`.
pub(super) fn logic(
    negated: bool,
    any: bool,
    value: &str,
    shape: &mut Shape,
) -> Result<Filter, QueryError> {
    let mut cursor = Cursor::new(value, "logic tree");
    cursor.skip_spaces();
    let filters = group(&mut cursor, shape, 1)?;
    cursor.expect_end("the end of the logic tree")?;
    Ok(Filter::Group {
        negated,
        any,
        filters,
    })
}

fn group(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    depth: usize,
) -> Result<Vec<Filter>, QueryError> {
    if depth > LOGIC_DEPTH_MAX {
        return Err(cursor.fail("a logic tree of at most 16 levels"));
    }
    cursor.expect("(", "\"(\"")?;
    let mut filters = Vec::new();
    loop {
        cursor.skip_spaces();
        filters.push(condition(cursor, shape, depth)?);
        cursor.skip_spaces();
        if cursor.eat(")") {
            cursor.skip_spaces();
            return Ok(filters);
        }
        cursor.expect(",", "\",\" or \")\"")?;
    }
}

fn condition(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    depth: usize,
) -> Result<Filter, QueryError> {
    shape.count_term()?;
    let mut ahead = cursor.clone();
    let negated = ahead.eat("not.");
    for (word, any) in [("and", false), ("or", true)] {
        let mut inner = ahead.clone();
        if inner.eat(word) {
            inner.skip_spaces();
            if inner.looking_at("(") {
                *cursor = inner;
                return Ok(Filter::Group {
                    negated,
                    any,
                    filters: group(cursor, shape, depth + 1)?,
                });
            }
        }
    }
    let path = cursor.path()?;
    cursor.expect(".", "\".\" and an operator")?;
    let (negated, test) = test(cursor, shape, true)?;
    Ok(Filter::Compare {
        path,
        negated,
        test,
    })
}

/// Reads `not.op(any).value`. Inside a logic tree a value ends before `,` and `)` unless quoted or an array.
fn test(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    in_tree: bool,
) -> Result<(bool, Test), QueryError> {
    let negated = cursor.eat("not.");
    let start = cursor.clone();
    let word = cursor.take_while(|c| c.is_ascii_alphabetic());
    if word == "in" {
        cursor.expect(".", "\".\"")?;
        let list = list(cursor)?;
        return Ok((negated, Test::In(shape.input(Input::List(list)))));
    }
    if word == "is" {
        cursor.expect(".", "\".\"")?;
        return Ok((negated, Test::Is(is(cursor)?)));
    }
    if let Some(mode) = search(word) {
        let config = if cursor.eat("(") {
            let name = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
            let name = name.to_owned();
            cursor.expect(")", "\")\"")?;
            Some(name)
        } else {
            None
        };
        cursor.expect(".", "\".\" and a query")?;
        let value = if in_tree {
            tree_value(cursor)?
        } else {
            cursor.take_rest().to_owned()
        };
        let query = shape.input(Input::Text(value));
        let test = Test::Search {
            mode,
            config,
            query,
        };
        return Ok((negated, test));
    }
    if ["sl", "sr", "nxr", "nxl", "adj"].contains(&word) {
        return Err(
            QueryError::new("PGRST127", "Feature not implemented").detail(format!(
                "The operator '{word}' works on ranges, which are not there yet."
            )),
        );
    }
    let Some((op, quantifiable)) = operator(word) else {
        return Err(start.fail(OPERATORS));
    };
    let quantifier = if !quantifiable || !cursor.looking_at("(") {
        None
    } else if cursor.eat("(any)") {
        Some(Quantifier::Any)
    } else if cursor.eat("(all)") {
        Some(Quantifier::All)
    } else {
        return Err(cursor.fail("\"(any)\" or \"(all)\""));
    };
    cursor.expect(".", "\".\" and a value")?;
    let mut value = if in_tree {
        tree_value(cursor)?
    } else {
        cursor.take_rest().to_owned()
    };
    if matches!(op, Op::Like | Op::Ilike) && value.contains('*') {
        // `%` has to be escaped in a URL, so `*` stands for it.
        value = value.replace('*', "%");
    }
    let slot = shape.input(Input::Text(value));
    Ok((
        negated,
        quantifier.map_or(Test::Op(op, slot), |quantifier| {
            Test::Quantified(op, quantifier, slot)
        }),
    ))
}

/// How the query of a text search operator is read.
fn search(word: &str) -> Option<Mode> {
    Some(match word {
        "fts" => Mode::Operators,
        "plfts" => Mode::Plain,
        "phfts" => Mode::Phrase,
        "wfts" => Mode::Web,
        _ => return None,
    })
}

/// The operator of a word, and whether `(any)` and `(all)` may follow.
fn operator(word: &str) -> Option<(Op, bool)> {
    Some(match word {
        "eq" => (Op::Eq, true),
        "neq" => (Op::Neq, false),
        "gt" => (Op::Gt, true),
        "gte" => (Op::Gte, true),
        "lt" => (Op::Lt, true),
        "lte" => (Op::Lte, true),
        "like" => (Op::Like, true),
        "ilike" => (Op::Ilike, true),
        "match" => (Op::Match, true),
        "imatch" => (Op::Imatch, true),
        "cs" => (Op::Contains, false),
        "cd" => (Op::ContainedIn, false),
        "ov" => (Op::Overlaps, false),
        "isdistinct" => (Op::IsDistinct, false),
        _ => return None,
    })
}

fn is(cursor: &mut Cursor<'_>) -> Result<Is, QueryError> {
    let start = cursor.clone();
    let word = cursor
        .take_while(|c| c.is_ascii_alphabetic() || c == '_')
        .to_ascii_lowercase();
    Ok(match word.as_str() {
        "null" => Is::Null,
        "not_null" => Is::NotNull,
        "true" => Is::True,
        "false" => Is::False,
        "unknown" => Is::Unknown,
        _ => return Err(start.fail("null, not_null, true, false or unknown")),
    })
}

/// `(a,"b,c",d)`; `()` has no members.
fn list(cursor: &mut Cursor<'_>) -> Result<Vec<String>, QueryError> {
    cursor.skip_spaces();
    cursor.expect("(", "\"(\"")?;
    cursor.skip_spaces();
    let mut members = Vec::new();
    if cursor.eat(")") {
        return Ok(members);
    }
    loop {
        members.push(match quoted_value(cursor) {
            Some(quoted) => quoted,
            None => cursor.take_while(|c| c != ',' && c != ')').to_owned(),
        });
        if cursor.eat(")") {
            cursor.skip_spaces();
            return Ok(members);
        }
        cursor.expect(",", "\",\" or \")\"")?;
        cursor.skip_spaces();
    }
}

/// A value inside a logic tree: quoted, `{an,array}` or an object, or plain up to `,` or `)`.
fn tree_value(cursor: &mut Cursor<'_>) -> Result<String, QueryError> {
    if let Some(quoted) = quoted_value(cursor) {
        return Ok(quoted);
    }
    if let Some(end) = braced(cursor.rest()) {
        return Ok(cursor.take(end).to_owned());
    }
    Ok(cursor.take_while(|c| c != ',' && c != ')').to_owned())
}

/// A quoted value, if one stands here and the value ends with it.
fn quoted_value(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut ahead = cursor.clone();
    let quoted = ahead.quoted().ok()?;
    if !ahead.at_end() && !matches!(ahead.peek(), Some(',' | ')')) {
        return None;
    }
    *cursor = ahead;
    Some(quoted)
}

/// The length of a balanced `{..}` at the start of `text`, if the value ends with it. Braces in quotes don't count.
fn braced(text: &str) -> Option<usize> {
    if !text.starts_with('{') {
        return None;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    let ends = matches!(text[at + 1..].chars().next(), None | Some(',' | ')'));
                    return ends.then_some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
