//! `GET` and `HEAD` of a table.

use crate::error::RestError;
use crate::prefer::Applies;
use crate::range::{self, Page};
use crate::request::{CONTENT_RANGE, TableRequest};
use crate::store::Store;
use axum::extract::{Request, State};
use axum::response::Response;
use http::Method;
use http::header::CONTENT_TYPE;
use pando_plan::request::Read;
use std::sync::Arc;

/// Reads a page of rows.
pub(crate) async fn read_table(
    State(store): State<Arc<Store>>,
    request: Request,
) -> Result<Response, RestError> {
    let (parts, _) = request.into_parts();
    let mut asked = TableRequest::read(&parts, &store.config)?;
    let bodyless = parts.method == Method::HEAD;
    let page = Page::read(&parts.headers, asked.query.limit, asked.query.offset)?;
    asked.query.set_page(page.limit, page.offset);

    let read = Read {
        schema: asked.schema.to_owned(),
        table: std::mem::take(&mut asked.table),
        node: std::mem::take(&mut asked.query.node),
        count: asked.prefer.count.is_some(),
        bodyless,
        values: false,
        call: None,
    };
    let (plan, found) = store
        .read(&asked.caller, read, &asked.query.inputs, asked.deadline)
        .await?;

    let status = range::status(page.offset, found.rows, found.total)?;
    let body = asked.media.write(
        found.body,
        found.rows,
        plan.columns.iter().map(|column| &*column.name),
    )?;
    let mut response = asked.respond(
        status,
        (!bodyless).then_some(body),
        Applies::Read,
        &store.config,
    );
    if bodyless {
        // HEAD tells what GET would (RFC 9110 section 9.3.2).
        response
            .headers_mut()
            .insert(CONTENT_TYPE, asked.media.content_type());
    }
    response.headers_mut().insert(
        CONTENT_RANGE,
        range::content_range(page.offset, found.rows, found.total),
    );
    Ok(response)
}
