//! `DELETE` of a table: delete the rows that the filters choose.

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

/// Deletes the chosen rows.
pub(crate) async fn delete_rows(
    State(store): State<Arc<Store>>,
    request: Request,
) -> Result<Response, RestError> {
    let (parts, _) = request.into_parts();
    let mut asked = TableRequest::read(&parts, &store.config)?;

    let at_most = change::affected_max(&mut asked).map(Expect::AtMost);
    let node = change::page_node(&mut asked);
    change::refuse_unfiltered(&node, "DELETE")?;
    let mutation = Mutation {
        schema: asked.schema.to_owned(),
        table: asked.table.clone(),
        change: Change::Delete,
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
    let inputs = change::bind_inputs(&plan, &asked)?;
    let changed = store
        .mutate(
            &asked.caller,
            plan.clone(),
            inputs,
            Vec::new(),
            asked.deadline,
        )
        .await?;

    let body = change::rows_body(&asked, &plan, &changed)?;
    let status = if body.is_some() {
        StatusCode::OK
    } else {
        StatusCode::NO_CONTENT
    };
    let mut response = asked.respond(status, body, Applies::Delete, &store.config);
    let total = asked.prefer.count.map(|_| changed.rows);
    response
        .headers_mut()
        .insert(CONTENT_RANGE, range::content_range(0, 0, total));
    Ok(response)
}
