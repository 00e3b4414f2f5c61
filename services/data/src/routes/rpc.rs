//! `/rest/v1/rpc/*`: functions, called with arguments from the query string or the body.

use crate::arguments::{self, Arguments};
use crate::change;
use crate::error::RestError;
use crate::media::{Form, Media};
use crate::prefer::{Applies, Prefer};
use crate::query::{self, echo};
use crate::range::{self, Page};
use crate::request::{self, CONTENT_RANGE, PREFIX, TableRequest};
use crate::store::Store;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, StatusCode};
use pando_db::CallBound;
use pando_plan::request::{Call, Item, Read, Slot};
use pando_sql::routine::{Returns, Routine};
use std::sync::Arc;

/// Calls a function.
pub(crate) async fn call_function(
    State(store): State<Arc<Store>>,
    request: Request,
) -> Result<Response, RestError> {
    let (parts, body) = request.into_parts();
    let (caller, deadline) = request::identity(&parts)?;
    let schema = request::schema(&parts, &store.config)?;
    let name = function(&parts)?;
    let media = Media::read(&parts.headers)?;
    let prefer = Prefer::read(&parts.headers)?;
    let catalog = store.catalog();
    let called = arguments::Called {
        catalog: &catalog,
        schema,
        name: &name,
    };
    let raw = parts.uri.query().unwrap_or("");
    let depth = store.config.limits.embed_depth_max;
    let posted = parts.method == Method::POST;
    let (routine, given, mut query) = if posted {
        let body = change::read_body(body, &store.config).await?;
        let mut query = query::parse(raw, depth)?;
        let read = Arguments::of_body(
            parts.headers.get(CONTENT_TYPE),
            &body,
            query.columns.take(),
            change::bounds(&store.config),
        );
        let (routine, given) = called.by_body(read)?;
        (routine, given, query)
    } else {
        let (routine, given, rest) = called.by_query(raw)?;
        (routine, given, query::parse(&rest, depth)?)
    };

    let page = Page::read(&parts.headers, query.limit, query.offset)?;
    let shape = Shape::of(routine);
    if shape != Shape::Rows && shape != Shape::Row {
        // A value has no columns to choose from.
        query.node.items = vec![Item::Star];
    }
    query.set_page(page.limit, page.offset);
    let args = given
        .into_iter()
        .map(|(index, input)| {
            query.inputs.push(input);
            (index, Slot(query.inputs.len() as u32 - 1))
        })
        .collect();
    let call = Call {
        routine: routine.id(),
        args,
    };
    let bodyless = parts.method == Method::HEAD;
    let at_most = prefer.affected_max();
    if at_most.is_some() && !routine.set {
        return Err(RestError::new(
            StatusCode::BAD_REQUEST,
            "PGRST128",
            "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
        ));
    }
    let read = Read {
        schema: schema.to_owned(),
        table: name.clone(),
        node: std::mem::take(&mut query.node),
        count: prefer.count.is_some() && shape != Shape::Nothing,
        bodyless,
        values: matches!(shape, Shape::Value | Shape::Values) && media.form != Form::Csv,
        call: Some(Box::new(call.clone())),
    };
    let bound = CallBound {
        one: media.form == Form::Object && matches!(shape, Shape::Rows | Shape::Values),
        at_most,
    };
    let asked = TableRequest {
        caller,
        deadline,
        schema,
        table: name,
        media,
        prefer,
        query,
    };
    let (plan, found) = store
        .call(&asked, &catalog, read, &call, bound, posted)
        .await?;

    let Some(read) = plan.read.as_ref().filter(|_| shape != Shape::Nothing) else {
        return Ok(asked.respond(StatusCode::NO_CONTENT, None, Applies::Read, &store.config));
    };
    let status = range::status(page.offset, found.rows, found.total)?;
    let columns = read.columns.iter().map(|column| &*column.name);
    let body = if media.form == Form::Csv || matches!(shape, Shape::Rows | Shape::Values) {
        media.write(found.body, found.rows, columns)?
    } else if found.rows == 1 {
        media.single().write(found.body, found.rows, columns)?
    } else {
        Bytes::from_static(b"null")
    };
    let mut response = asked.respond(
        status,
        (!bodyless).then_some(body),
        Applies::Read,
        &store.config,
    );
    if bodyless {
        response
            .headers_mut()
            .insert(CONTENT_TYPE, media.content_type());
    }
    response.headers_mut().insert(
        CONTENT_RANGE,
        range::content_range(page.offset, found.rows, found.total),
    );
    Ok(response)
}

/// What a function's answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `void`
    Nothing,
    /// One value.
    Value,
    /// An array of values.
    Values,
    /// One object.
    Row,
    /// An array of objects.
    Rows,
}

impl Shape {
    fn of(routine: &Routine) -> Shape {
        match (&routine.returns, routine.set) {
            (Returns::Void | Returns::Trigger, _) => Shape::Nothing,
            (Returns::Scalar(_), false) => Shape::Value,
            (Returns::Scalar(_), true) => Shape::Values,
            (Returns::Row { .. }, false) => Shape::Row,
            (Returns::Row { .. }, true) => Shape::Rows,
        }
    }
}

/// The function's name in the path.
fn function(parts: &Parts) -> Result<String, RestError> {
    let raw = parts
        .uri
        .path()
        .strip_prefix(PREFIX)
        .and_then(|path| path.strip_prefix("rpc/"))
        .unwrap_or("")
        .trim_end_matches('/');
    let name = percent_encoding::percent_decode_str(raw)
        .decode_utf8()
        .ok()
        .filter(|name| !name.is_empty() && !name.contains('\0'));
    match name {
        Some(name) => Ok(name.into_owned()),
        None => Err(RestError::new(
            StatusCode::NOT_FOUND,
            "PGRST125",
            "Invalid path specified in request URL",
        )
        .detail(format!("found in ({})", echo(raw)))),
    }
}
