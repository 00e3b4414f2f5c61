//! `POST` to a table: insert one row or many, or upsert them.

use crate::body;
use crate::change;
use crate::error::RestError;
use crate::media::Form;
use crate::prefer::{Applies, Missing, Resolution, Return};
use crate::range;
use crate::request::{CONTENT_RANGE, TableRequest, location};
use crate::store::Store;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::LOCATION;
use pando_plan::request::{Change, Expect, Mutation, OnConflict};
use std::sync::Arc;

/// Inserts the rows of the body.
pub(crate) async fn insert_rows(
    State(store): State<Arc<Store>>,
    request: Request,
) -> Result<Response, RestError> {
    let (parts, body) = request.into_parts();
    let mut asked = TableRequest::read(&parts, &store.config)?;
    let body = change::read_body(body, &store.config).await?;
    let text = change::json_text(&parts, &body)?;
    let payload = body::read(
        &text,
        asked.query.columns.take(),
        change::bounds(&store.config),
    )?;

    let merge = asked.prefer.resolution == Some(Resolution::Merge);
    let mut node = change::node(&mut asked);
    node.filters.clear();
    let columns = std::mem::take(&mut asked.query.on_conflict);
    let mutation = Mutation {
        schema: asked.schema.to_owned(),
        table: asked.table.clone(),
        change: Change::Insert {
            columns: payload.columns.clone(),
            on_conflict: asked
                .prefer
                .resolution
                .map(|_| OnConflict { columns, merge }),
            missing_default: asked.prefer.missing == Some(Missing::Default),
        },
        node,
        returning: change::returns_rows(&asked),
        keys: asked.prefer.returning == Some(Return::HeadersOnly),
        count: asked.prefer.count.is_some(),
        expect: if asked.media.form == Form::Object {
            Expect::One
        } else {
            Expect::Any
        },
    };
    let plan = store.plan_mutation(&asked.caller, mutation)?;
    let changed = if payload.rows == 0 {
        change::unchanged()
    } else {
        let inputs = change::bind_inputs(&plan, &asked)?;
        let rows = change::bind_rows(&plan, &payload, &asked)?;
        store
            .mutate(&asked.caller, plan.clone(), inputs, rows, asked.deadline)
            .await?
    };

    let status = if merge && changed.inserted == 0 {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let body = change::rows_body(&asked, &plan, &changed)?;
    let mut response = asked.respond(status, body, Applies::Insert, &store.config);
    let total = asked.prefer.count.map(|_| changed.rows);
    response
        .headers_mut()
        .insert(CONTENT_RANGE, range::content_range(0, 0, total));
    if let Some(location) = location(&asked.table, &changed) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}
