//! `PUT` of a table: make one row, named by its primary key, what the body says.

use crate::body::{self, Payload};
use crate::change;
use crate::error::RestError;
use crate::media::Form;
use crate::prefer::{Applies, Missing};
use crate::request::TableRequest;
use crate::store::Store;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use pando_kernel::Role;
use pando_plan::request::{Change, Expect, Filter, Input, Mutation, Node, OnConflict, Op, Test};
use pando_sql::catalog::Table;
use pando_sql::lineage::primary_key;
use std::sync::Arc;

/// Inserts the row, or replaces the values of the one there.
pub(crate) async fn put_row(
    State(store): State<Arc<Store>>,
    request: Request,
) -> Result<Response, RestError> {
    let (parts, body) = request.into_parts();
    let mut asked = TableRequest::read(&parts, &store.config)?;
    if asked.query.limit.is_some() || asked.query.offset.is_some() {
        let message = "limit/offset querystring parameters are not allowed for PUT";
        return Err(RestError::new(StatusCode::BAD_REQUEST, "PGRST114", message));
    }
    let body = change::read_body(body, &store.config).await?;
    let text = change::json_text(&parts, &body)?;
    let payload = body::read(
        &text,
        asked.query.columns.take(),
        change::bounds(&store.config),
    )?;

    let mut node = change::node(&mut asked);
    let filters = std::mem::take(&mut node.filters);
    let catalog = store.catalog();
    if let Some(table) = catalog.table(asked.schema, &asked.table) {
        let key = key_filters(&primary_key(&catalog, table), &filters)?;
        match_payload(
            table,
            &key,
            &payload,
            &asked.query.inputs,
            asked.caller.role(),
        )?;
    }
    let mutation = Mutation {
        schema: asked.schema.to_owned(),
        table: asked.table.clone(),
        change: Change::Insert {
            columns: payload.columns.clone(),
            on_conflict: Some(OnConflict {
                columns: Vec::new(),
                merge: true,
            }),
            missing_default: asked.prefer.missing == Some(Missing::Default),
        },
        node: Node {
            filters: Vec::new(),
            ..node
        },
        returning: change::returns_rows(&asked),
        keys: false,
        count: false,
        expect: if asked.media.form == Form::Object {
            Expect::One
        } else {
            Expect::Any
        },
    };
    let plan = store.plan_mutation(&asked.caller, mutation)?;
    let inputs = change::bind_inputs(&plan, &asked)?;
    let rows = change::bind_rows(&plan, &payload, &asked)?;
    let changed = store
        .mutate(&asked.caller, plan.clone(), inputs, rows, asked.deadline)
        .await?;

    let body = change::rows_body(&asked, &plan, &changed)?;
    let status = match (changed.inserted > 0, body.is_some()) {
        (true, _) => StatusCode::CREATED,
        (false, true) => StatusCode::OK,
        (false, false) => StatusCode::NO_CONTENT,
    };
    Ok(asked.respond(status, body, Applies::Insert, &store.config))
}

/// The filters as (column, input): exactly one `eq` for each column of the primary key.
fn key_filters<'a>(
    key: &[String],
    filters: &'a [Filter],
) -> Result<Vec<(&'a str, usize)>, RestError> {
    let refused = || {
        RestError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "PGRST105",
            "Filters must include all and only primary key columns with 'eq' operators",
        )
    };
    let mut named = Vec::new();
    for filter in filters {
        match filter {
            Filter::Compare {
                path,
                negated: false,
                test: Test::Op(Op::Eq, slot),
            } if path.steps.is_empty() => {
                named.push((path.column.as_str(), slot.0 as usize));
            }
            _ => return Err(refused()),
        }
    }
    let complete = !key.is_empty()
        && key.len() == named.len()
        && key
            .iter()
            .all(|column| named.iter().any(|(name, _)| name == column));
    if complete { Ok(named) } else { Err(refused()) }
}

/// The one row of the body has to carry the key that the URL names.
fn match_payload(
    table: &Table,
    key: &[(&str, usize)],
    payload: &Payload<'_>,
    inputs: &[Input],
    role: Role,
) -> Result<(), RestError> {
    let differs = || {
        RestError::new(
            StatusCode::BAD_REQUEST,
            "PGRST115",
            "Payload values do not match URL in primary key column(s)",
        )
    };
    let row = payload
        .rows()
        .next()
        .filter(|_| payload.rows == 1)
        .ok_or_else(differs)?;
    for (name, slot) in key {
        let place = payload.columns.iter().position(|column| column == name);
        let cell = place.and_then(|place| row[place]).ok_or_else(differs)?;
        let (Some(column), Some(Input::Text(text))) = (table.column(name), inputs.get(*slot))
        else {
            return Err(differs());
        };
        let told = |error| RestError::sql(error, role);
        if column.ty.read_json(cell).map_err(told)? != column.ty.read_text(text).map_err(told)? {
            return Err(differs());
        }
    }
    Ok(())
}
