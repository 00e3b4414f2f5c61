//! `PATCH` of a table: update the rows that the filters choose.

use crate::body;
use crate::change;
use crate::error::RestError;
use crate::media::Form;
use crate::prefer::Applies;
use crate::range;
use crate::request::{CONTENT_RANGE, TableRequest};
use crate::store::Store;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use pando_plan::request::{Change, Expect, Mutation};
use std::sync::Arc;

/// Updates the chosen rows with the object in the body.
pub(crate) async fn update_rows(
    State(store): State<Arc<Store>>,
    request: Request,
) -> Result<Response, RestError> {
    let (parts, body) = request.into_parts();
    let mut asked = TableRequest::read(&parts, &store.config)?;
    let body = change::read_body(body, &store.config).await?;
    let text = change::json_text(&parts, &body)?;
    let mut payload = body::read(
        &text,
        asked.query.columns.take(),
        change::bounds(&store.config),
    )?;
    if payload.rows > 1 {
        return Err(RestError::new(
            StatusCode::BAD_REQUEST,
            "PGRST102",
            "An update takes one object",
        )
        .detail(format!("the body has {}", payload.rows)));
    }
    payload.drop_absent();

    let at_most = change::affected_max(&mut asked).map(Expect::AtMost);
    let node = change::page_node(&mut asked);
    change::refuse_unfiltered(&node, "UPDATE")?;
    let mutation = Mutation {
        schema: asked.schema.to_owned(),
        table: asked.table.clone(),
        change: Change::Update {
            columns: payload.columns.clone(),
        },
        node,
        returning: change::returns_rows(&asked),
        keys: false,
        count: asked.prefer.count.is_some(),
        expect: if asked.media.form == Form::Object {
            Expect::One
        } else {
            at_most.unwrap_or_default()
        },
    };
    let plan = store.plan_mutation(&asked.caller, mutation)?;
    let changed = if payload.columns.is_empty() {
        change::unchanged()
    } else {
        let inputs = change::bind_inputs(&plan, &asked)?;
        let rows = change::bind_rows(&plan, &payload, &asked)?;
        store
            .mutate(&asked.caller, plan.clone(), inputs, rows, asked.deadline)
            .await?
    };

    let body = change::rows_body(&asked, &plan, &changed)?;
    let status = if body.is_some() {
        StatusCode::OK
    } else {
        StatusCode::NO_CONTENT
    };
    let mut response = asked.respond(status, body, Applies::Update, &store.config);
    let total = asked.prefer.count.map(|_| changed.rows);
    response
        .headers_mut()
        .insert(CONTENT_RANGE, range::content_range(0, changed.rows, total));
    Ok(response)
}
