//! The arguments of a call: which of the query string's pairs they are, or what of the body.
//!
//! As PostgREST has it, a pair whose value starts with an operator is a filter, any other an argument. Where no function takes what is
//! left of it, pairs that are named as parameters are arguments whatever they look like.

use crate::body::{self, Bounds};
use crate::error::RestError;
use crate::query::{self, echo};
use http::{HeaderValue, StatusCode};
use pando_kernel::Role;
use pando_plan::request::Input;
use pando_plan::{Passed, PlanError, find_routine, overloads};
use pando_sql::Catalog;
use pando_sql::routine::Routine;
use std::borrow::Cow;

/// What a call names.
pub(crate) struct Called<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) schema: &'a str,
    pub(crate) name: &'a str,
}

/// Arguments by the places of their parameters.
pub(crate) type Given = Vec<(u32, Input)>;

/// Arguments as a body has them.
pub(crate) struct Arguments {
    /// By name; unless the body can't be read so.
    named: Result<Vec<(String, Input)>, RestError>,
    /// The body as it is.
    whole: Input,
    passed: Passed,
}

impl Arguments {
    /// Reads a body. `columns` are those of `columns=`: others are left out.
    pub(crate) fn of_body(
        content_type: Option<&HeaderValue>,
        body: &[u8],
        columns: Option<Vec<String>>,
        bounds: Bounds,
    ) -> Result<Arguments, RestError> {
        let media = content_type
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase());
        if media.as_deref() == Some("application/octet-stream") {
            let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok(Arguments {
                named: Ok(Vec::new()),
                whole: Input::Text(format!("\\x{hex}")),
                passed: Passed::Bytes,
            });
        }
        if media.as_deref() == Some("text/plain") {
            let text = std::str::from_utf8(body).map_err(|_| {
                RestError::new(
                    StatusCode::BAD_REQUEST,
                    "22021",
                    "invalid byte sequence for encoding \"UTF8\"",
                )
            })?;
            return Ok(Arguments {
                named: Ok(Vec::new()),
                whole: Input::Text(text.to_owned()),
                passed: Passed::Text,
            });
        }
        let form = media.as_deref() == Some("application/x-www-form-urlencoded");
        let text = body::as_json(content_type, body)?;
        let text = if text.trim().is_empty() {
            Cow::Borrowed("{}")
        } else {
            text
        };
        let named = body::read(&text, columns, bounds).map(|payload| {
            let row = payload.rows().next().unwrap_or(&[]);
            payload
                .columns
                .iter()
                .zip(row)
                .map(|(name, cell)| {
                    let json = cell.map_or("null", |cell| cell.get());
                    // What a form sends is text, which is read as a literal.
                    let input = match serde_json::from_str::<String>(json) {
                        Ok(text) if form => Input::Text(text),
                        _ => Input::Json(json.to_owned()),
                    };
                    (name.clone(), input)
                })
                .collect()
        });
        Ok(Arguments {
            named,
            whole: Input::Text(text.into_owned()),
            passed: if form { Passed::Form } else { Passed::Json },
        })
    }
}

impl<'a> Called<'a> {
    /// The function that takes what a body holds.
    pub(crate) fn by_body(
        &self,
        read: Result<Arguments, RestError>,
    ) -> Result<(&'a Routine, Given), RestError> {
        let read = read?;
        let takes_body = overloads(self.catalog, self.schema, self.name)
            .any(|routine| pando_plan::takes_body(routine, read.passed));
        let named = match read.named {
            Ok(named) => named,
            // A body that is no object may still be taken as it is.
            Err(_) if takes_body => Vec::new(),
            Err(error) => return Err(error),
        };
        let found = self.find(&named, read.passed)?;
        if found.1 {
            return Ok((found.0, vec![(0, read.whole)]));
        }
        Ok((found.0, places(found.0, named)))
    }

    /// The function that takes what a query string holds, and the rest of the string.
    pub(crate) fn by_query(&self, raw: &str) -> Result<(&'a Routine, Given, String), RestError> {
        let params: Vec<&str> = overloads(self.catalog, self.schema, self.name)
            .flat_map(|routine| &routine.params)
            .filter_map(|param| param.name.as_deref())
            .collect();
        let mut failed = None;
        for by_name in [false, true] {
            let mut named: Vec<(String, Input)> = Vec::new();
            let mut rest: Vec<&str> = Vec::new();
            for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                let (key, value) = (query::decode(key)?, query::decode(value)?);
                let argument = !is_reserved(&key)
                    && (!is_filter(&key, &value) || by_name && params.contains(&&*key));
                if !argument {
                    rest.push(pair);
                    continue;
                }
                // The last of several counts.
                named.retain(|(known, _)| *known != *key);
                named.push((key.into_owned(), Input::Text(value.into_owned())));
            }
            match self.find(&named, Passed::Query) {
                Ok((routine, _)) => return Ok((routine, places(routine, named), rest.join("&"))),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        Err(failed.unwrap_or_else(|| RestError::internal("no way to read arguments")))
    }

    fn find(
        &self,
        named: &[(String, Input)],
        passed: Passed,
    ) -> Result<(&'a Routine, bool), RestError> {
        let mut names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        match find_routine(self.catalog, self.schema, self.name, &names, passed) {
            Ok(found) => Ok((found.routine, found.whole)),
            Err(error) => Err(self.told(error)),
        }
    }

    /// A name that is not there is repeated no longer than other names are.
    fn told(&self, error: PlanError) -> RestError {
        match error {
            PlanError::UnknownRoutine {
                schema,
                name,
                names,
                near,
                passed,
            } => RestError::plan(
                PlanError::UnknownRoutine {
                    schema,
                    name: echo(&name).to_owned(),
                    names: names.iter().map(|name| echo(name).to_owned()).collect(),
                    near,
                    passed,
                },
                Role::Anon,
            ),
            error => RestError::plan(error, Role::Anon),
        }
    }
}

fn places(routine: &Routine, named: Vec<(String, Input)>) -> Given {
    let mut given: Given = named
        .into_iter()
        .filter_map(|(name, input)| {
            let place = routine
                .params
                .iter()
                .position(|param| param.name.as_deref() == Some(&*name))?;
            Some((u32::try_from(place).ok()?, input))
        })
        .collect();
    // One order, so that calls with the same arguments share a plan.
    given.sort_unstable_by_key(|(place, _)| *place);
    given
}

/// Whether a pair is never an argument.
fn is_reserved(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    matches!(key, "select" | "columns" | "on_conflict" | "apikey")
        || matches!(last, "order" | "limit" | "offset" | "and" | "or")
}

/// Whether a pair looks like a filter.
fn is_filter(key: &str, value: &str) -> bool {
    if key.contains('.') || key.contains("->") {
        return true;
    }
    let dotted = value.split_once('.').map(|(word, _)| word);
    let bare = dotted.map(|word| word.split('(').next().unwrap_or(word));
    let called = value.split_once('(').map(|(word, _)| word);
    dotted.is_some_and(|word| matches!(word, "not" | "is" | "in"))
        || bare.is_some_and(|word| OPERATORS.contains(&word))
        || called.is_some_and(|word| matches!(word, "fts" | "plfts" | "phfts" | "wfts"))
}

const OPERATORS: &[&str] = &[
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "like",
    "ilike",
    "match",
    "imatch",
    "cs",
    "cd",
    "ov",
    "sl",
    "sr",
    "nxr",
    "nxl",
    "adj",
    "isdistinct",
    "fts",
    "plfts",
    "phfts",
    "wfts",
];

#[cfg(test)]
mod tests {
    use super::{is_filter, is_reserved};

    #[test]
    fn a_value_with_an_operator_is_a_filter() {
        for value in [
            "eq.1",
            "not.eq.1",
            "in.(1,2)",
            "is.null",
            "fts(english).a",
            "like(any).{a}",
        ] {
            assert!(is_filter("a", value), "{value}");
        }
        for value in ["1", "", "equal.1", "a.b", "1.5", "{a,b}", "(eq.1)"] {
            assert!(!is_filter("a", value), "{value}");
        }
        assert!(is_filter("a.b", "1"));
        assert!(is_reserved("a.order") && is_reserved("limit") && !is_reserved("orders"));
    }
}
