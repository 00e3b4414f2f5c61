//! The query string of PostgREST, read into the shape of a request with its values beside it.
//!
//! Pure: text in, [`Query`] out. Invariants
//! - A value of the client's never gets into the shape: it becomes an [`Input`], the shape holds its number.
//! - Every nesting, every list and every name is bounded before anything is planned.
//! - What can't be read is refused with PGRST100 and the place where reading stopped; nothing is ignored silently.
//!
//! Deliberately absent: whether names exist (the planner knows), headers (see `prefer`, `range`, `media`).
//! Source of the grammar: <https://docs.postgrest.org/en/stable/references/api/tables_views.html>.

mod cursor;
mod filter;
mod name;
mod order;
mod select;

pub use cursor::QueryError;
pub(crate) use cursor::echo;

use cursor::Cursor;
use pando_plan::request::{Embed, Filter, Input, Is, Item, Node, Path, Slot, Test};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Columns, filters and order terms in one request: SQLite refuses statements much larger than this allows.
const TERMS_MAX: usize = 500;

/// A query string, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What is selected, filtered and ordered, at every level. Root's `limit` and `offset` are not in it yet:
    /// see [`Query::set_page`].
    pub node: Node,
    /// The values the shape refers to.
    pub inputs: Vec<Input>,
    /// `columns=`: the columns of a payload that count.
    pub columns: Option<Vec<String>>,
    /// `on_conflict=`
    pub on_conflict: Vec<String>,
    /// `limit=` at the root.
    pub limit: Option<u64>,
    /// `offset=` at the root.
    pub offset: Option<u64>,
}

impl Query {
    /// Puts the root's page into the shape, after `limit=` and `offset=` were combined with the `Range` header.
    pub fn set_page(&mut self, limit: Option<u64>, offset: u64) {
        self.node.limit = limit.map(|rows| self.push_rows(rows));
        self.node.offset = (offset > 0).then(|| self.push_rows(offset));
    }

    /// Adds a number of rows to the inputs.
    pub(crate) fn push_rows(&mut self, rows: u64) -> Slot {
        self.inputs.push(Input::Rows(rows));
        Slot(self.inputs.len() as u32 - 1)
    }
}

/// The inputs and the size of a shape while it is read.
struct Shape {
    inputs: Vec<Input>,
    terms: usize,
    embed_depth_max: usize,
}

impl Shape {
    fn input(&mut self, input: Input) -> Slot {
        self.inputs.push(input);
        Slot(self.inputs.len() as u32 - 1)
    }

    fn count_term(&mut self) -> Result<(), QueryError> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(QueryError::new(
                "PGRST100",
                format!(
                    "a request has at most {TERMS_MAX} columns, filters and order terms together"
                ),
            ));
        }
        Ok(())
    }
}

/// Reads a raw query string, the part after `?`, still percent-encoded.
///
/// # Errors
/// PGRST100 for what the grammar does not know, PGRST103 for negative pages, PGRST108 for a filter on a resource that
/// is not embedded, PGRST123 for aggregates, PGRST127 for operators that are not there, 22021 for NUL.
pub fn parse(raw: &str, embed_depth_max: usize) -> Result<Query, QueryError> {
    let mut shape = Shape {
        inputs: Vec::new(),
        terms: 0,
        embed_depth_max,
    };
    let mut query = Query::default();

    // `select` names the levels that the other parameters refer to, wherever it stands.
    let mut select = None;
    for pair in raw.split('&') {
        if let Some(value) = pair.strip_prefix("select=") {
            select = Some(value);
        }
    }
    query.node.items = match select {
        Some(value) => select::items(&decode(value)?, &mut shape)?,
        None => vec![Item::Star],
    };

    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // The key may come in the query string where headers can't be set.
        if key == "select" || key == "apikey" {
            continue;
        }
        read_parameter(&decode(key)?, &decode(value)?, &mut query, &mut shape)?;
    }

    settle_embedded_filters(&mut query.node);
    query.inputs = shape.inputs;
    Ok(query)
}

fn read_parameter(
    key: &str,
    value: &str,
    query: &mut Query,
    shape: &mut Shape,
) -> Result<(), QueryError> {
    match key {
        "columns" => query.columns = Some(names(value, "columns parameter")?),
        "on_conflict" => query.on_conflict = names(value, "on_conflict parameter")?,
        "limit" => query.limit = Some(rows(value, "limit")?),
        "offset" => query.offset = Some(rows(value, "offset")?),
        _ => match key
            .rsplit_once('.')
            .map_or((None, key), |(path, last)| (Some(path), last))
        {
            (path, "order") => level(&mut query.node, path)?.order = order::terms(value, shape)?,
            (path, "limit") => {
                let slot = shape.input(Input::Rows(rows(value, "limit")?));
                level(&mut query.node, path)?.limit = Some(slot);
            }
            (path, "offset") => {
                let slot = shape.input(Input::Rows(rows(value, "offset")?));
                level(&mut query.node, path)?.offset = Some(slot);
            }
            (path, word @ ("and" | "or")) => {
                let (path, negated) = match path {
                    Some("not") => (None, true),
                    Some(path) => path
                        .strip_suffix(".not")
                        .map_or((Some(path), false), |path| (Some(path), true)),
                    None => (None, false),
                };
                let group = filter::logic(negated, word == "or", value, shape)?;
                level(&mut query.node, path)?.filters.push(group);
            }
            _ => {
                let mut cursor = Cursor::new(key, "filter");
                let mut levels = Vec::new();
                let path = loop {
                    let name = cursor.name("a column name")?;
                    if cursor.eat(".") {
                        levels.push(name);
                        continue;
                    }
                    break Path {
                        column: name,
                        steps: cursor.json_steps()?,
                    };
                };
                cursor.expect_end("\"->\", \"->>\" or the end of the column name")?;
                let filter = filter::horizontal(path, value, shape)?;
                descend(&mut query.node, &levels)?.filters.push(filter);
            }
        },
    }
    Ok(())
}

/// The level that the dotted names lead to.
fn level<'a>(root: &'a mut Node, path: Option<&str>) -> Result<&'a mut Node, QueryError> {
    let Some(path) = path else { return Ok(root) };
    let mut cursor = Cursor::new(path, "embedded resource path");
    let mut levels = Vec::new();
    loop {
        levels.push(cursor.name("the name of an embedded resource")?);
        if !cursor.eat(".") {
            cursor.expect_end("\".\"")?;
            return descend(root, &levels);
        }
    }
}

fn descend<'a>(root: &'a mut Node, levels: &[String]) -> Result<&'a mut Node, QueryError> {
    let mut node = root;
    for name in levels {
        let embed = node.items.iter_mut().find_map(|item| match item {
            Item::Embed(embed) if answer_name(embed) == name => Some(embed),
            _ => None,
        });
        let Some(embed) = embed else {
            let name = echo(name);
            return Err(QueryError::new(
                "PGRST108",
                format!("'{name}' is not an embedded resource in this request"),
            )
            .hint(format!(
                "Verify that '{name}' is included in the 'select' query parameter."
            )));
        };
        node = &mut embed.node;
    }
    Ok(node)
}

/// The name an embedded resource has in the answer, by which the other parameters refer to it.
pub(crate) fn answer_name(embed: &Embed) -> &str {
    embed.alias.as_deref().unwrap_or(&embed.relation)
}

/// `rel=is.null` and `rel=not.is.null` ask whether an embedded resource is there, not for a column.
fn settle_embedded_filters(node: &mut Node) {
    let Node { items, filters, .. } = node;
    for filter in filters {
        settle(filter, items);
    }
    for item in items {
        if let Item::Embed(embed) = item {
            settle_embedded_filters(&mut embed.node);
        }
    }
}

fn settle(filter: &mut Filter, items: &[Item]) {
    match filter {
        Filter::Group { filters, .. } => {
            filters.iter_mut().for_each(|filter| settle(filter, items))
        }
        Filter::Compare {
            path,
            negated,
            test: Test::Is(is @ (Is::Null | Is::NotNull)),
        } if path.steps.is_empty() => {
            let embedded = items.iter().any(
                |item| matches!(item, Item::Embed(embed) if answer_name(embed) == path.column),
            );
            if embedded {
                let present = *negated != (*is == Is::NotNull);
                *filter = Filter::Embedded {
                    name: std::mem::take(&mut path.column),
                    present,
                };
            }
        }
        Filter::Compare { .. } | Filter::Embedded { .. } => {}
    }
}

/// `"a","b"` or `a,b`.
fn names(value: &str, what: &'static str) -> Result<Vec<String>, QueryError> {
    let mut cursor = Cursor::new(value, what);
    let mut names: Vec<String> = Vec::new();
    if cursor.at_end() {
        return Ok(names);
    }
    loop {
        cursor.skip_spaces();
        if names.len() == TERMS_MAX {
            return Err(cursor.fail("fewer columns"));
        }
        let name = cursor.name("a column name")?;
        if !names.contains(&name) {
            names.push(name);
        }
        cursor.skip_spaces();
        if !cursor.eat(",") {
            cursor.expect_end("\",\"")?;
            return Ok(names);
        }
    }
}

fn rows(value: &str, parameter: &'static str) -> Result<u64, QueryError> {
    let digits = value.trim();
    if let Some(negative) = digits.strip_prefix('-')
        && negative.bytes().all(|byte| byte.is_ascii_digit())
    {
        let name = if parameter == "limit" {
            "Limit"
        } else {
            "Offset"
        };
        return Err(
            QueryError::new("PGRST103", "Requested range not satisfiable")
                .detail(format!("{name} should be greater than or equal to zero.")),
        );
    }
    match digits.parse::<u64>() {
        Ok(rows) if i64::try_from(rows).is_ok() => Ok(rows),
        _ => Err(Cursor::new(value, parameter).fail("a number of rows")),
    }
}

/// Percent-decoding as forms have it: `+` is a space.
pub(crate) fn decode(raw: &str) -> Result<Cow<'_, str>, QueryError> {
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+' | 0)) {
        return Ok(Cow::Borrowed(raw));
    }
    let spaced = raw.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| {
        QueryError::new("PGRST100", "the query string is not valid UTF-8")
            .detail(format!("found in ({})", echo(raw)))
    })?;
    if text.contains('\0') {
        return Err(QueryError::new(
            "22021",
            "invalid byte sequence for encoding \"UTF8\": 0x00",
        ));
    }
    Ok(Cow::Owned(text.into_owned()))
}

#[cfg(test)]
mod tests;
