//! What the handlers that change rows share: the body in, the changed rows out.

use crate::body::{self, Bounds, Payload};
use crate::config::Config;
use crate::error::RestError;
use crate::prefer::Return;
use crate::request::TableRequest;
use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use pando_db::Changed;
use pando_plan::MutationPlan;
use pando_plan::request::{Node, Slot};
use pando_sql::Value;
use std::borrow::Cow;

/// Reads a body whole. `net` bounds it too; this is the bound where it is turned into rows.
pub(crate) async fn read_body(body: Body, config: &Config) -> Result<Bytes, RestError> {
    axum::body::to_bytes(body, config.limits.json_body_bytes_max)
        .await
        .map_err(|error| {
            RestError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "54000",
                "the request body can't be read whole",
            )
            .detail(format!(
                "{error}; at most {} bytes are read",
                config.limits.json_body_bytes_max
            ))
        })
}

/// The body's text as JSON, whatever it came as.
pub(crate) fn json_text<'a>(parts: &Parts, body: &'a [u8]) -> Result<Cow<'a, str>, RestError> {
    body::as_json(parts.headers.get(CONTENT_TYPE), body)
}

/// The bounds of a payload.
pub(crate) fn bounds(config: &Config) -> Bounds {
    Bounds {
        depth_max: config.limits.json_depth_max,
        rows_max: config.payload_rows_max,
    }
}

/// Whether the changed rows are the answer.
pub(crate) fn returns_rows(asked: &TableRequest<'_>) -> bool {
    asked.prefer.returning == Some(Return::Representation)
}

/// The shape of what is returned and, for updates and deletes, of which rows are changed.
/// Without rows in the answer nothing is selected, so that all such requests share a plan.
pub(crate) fn node(asked: &mut TableRequest<'_>) -> Node {
    let node = std::mem::take(&mut asked.query.node);
    if returns_rows(asked) {
        node
    } else {
        Node {
            items: Vec::new(),
            ..node
        }
    }
}

/// As [`node`], with `limit=` and `offset=`, which the planner refuses where they do not fit.
pub(crate) fn page_node(asked: &mut TableRequest<'_>) -> Node {
    asked
        .query
        .set_page(asked.query.limit, asked.query.offset.unwrap_or(0));
    node(asked)
}

/// `max-affected`, as an input of the shape.
pub(crate) fn affected_max(asked: &mut TableRequest<'_>) -> Option<Slot> {
    asked
        .prefer
        .affected_max()
        .map(|rows| asked.query.push_rows(rows))
}

/// An update or delete of every row is refused, as on the hosted gateways: it is mostly a filter forgotten.
pub(crate) fn refuse_unfiltered(node: &Node, verb: &str) -> Result<(), RestError> {
    if node.filters.is_empty() {
        return Err(RestError::new(StatusCode::BAD_REQUEST, "21000", format!("{verb} requires a WHERE clause"))
            .hint("Choose the rows with a filter, for all of them with one that always holds, such as id=not.is.null."));
    }
    Ok(())
}

/// The payload's rows in storage form.
pub(crate) fn bind_rows(
    plan: &MutationPlan,
    payload: &Payload<'_>,
    asked: &TableRequest<'_>,
) -> Result<Vec<Vec<Value>>, RestError> {
    payload
        .rows()
        .map(|cells| plan.bind_row(cells))
        .collect::<Result<_, _>>()
        .map_err(|error| RestError::sql(error, asked.caller.role()))
}

/// The request's values in storage form.
pub(crate) fn bind_inputs(
    plan: &MutationPlan,
    asked: &TableRequest<'_>,
) -> Result<Vec<Value>, RestError> {
    plan.bind(&asked.query.inputs)
        .map_err(|error| RestError::sql(error, asked.caller.role()))
}

/// The answer's body, if the changed rows are asked for.
pub(crate) fn rows_body(
    asked: &TableRequest<'_>,
    plan: &MutationPlan,
    changed: &Changed,
) -> Result<Option<Bytes>, RestError> {
    if !returns_rows(asked) {
        return Ok(None);
    }
    let body = changed.body.clone().unwrap_or(Bytes::from_static(b"[]"));
    asked
        .media
        .write(
            body,
            changed.rows,
            plan.columns.iter().map(|column| &*column.name),
        )
        .map(Some)
}

/// What came of changing nothing.
pub(crate) fn unchanged() -> Changed {
    Changed::default()
}
