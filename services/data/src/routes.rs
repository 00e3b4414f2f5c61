//! Every route of the service, and nothing else.

mod delete;
mod insert;
mod openapi;
mod options;
mod put;
mod read;
mod rpc;
mod update;

use crate::error::RestError;
use crate::store::Store;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::Method;
use pando_kernel::ApiError;
use pando_net::{Access, RequestHead, Routes};
use std::sync::Arc;

/// The routes, with how each may be reached.
pub(crate) fn routes(store: Arc<Store>) -> Routes {
    const ROOT: &str = "/rest/v1/";
    const TABLE: &str = "/rest/v1/{table}";
    const FUNCTION: &str = "/rest/v1/rpc/{function}";
    Routes::new(render)
        .route(
            Method::GET,
            ROOT,
            Access::Service,
            openapi::describe_api.with_state(store.clone()),
        )
        .route(
            Method::GET,
            TABLE,
            Access::Key,
            read::read_table.with_state(store.clone()),
        )
        .route(
            Method::HEAD,
            TABLE,
            Access::Key,
            read::read_table.with_state(store.clone()),
        )
        .route(
            Method::POST,
            TABLE,
            Access::Key,
            insert::insert_rows.with_state(store.clone()),
        )
        .route(
            Method::PATCH,
            TABLE,
            Access::Key,
            update::update_rows.with_state(store.clone()),
        )
        .route(
            Method::PUT,
            TABLE,
            Access::Key,
            put::put_row.with_state(store.clone()),
        )
        .route(
            Method::DELETE,
            TABLE,
            Access::Key,
            delete::delete_rows.with_state(store.clone()),
        )
        .route(
            Method::OPTIONS,
            TABLE,
            Access::Open,
            options::list_methods.with_state(store.clone()),
        )
        .route(
            Method::GET,
            FUNCTION,
            Access::Key,
            rpc::call_function.with_state(store.clone()),
        )
        .route(
            Method::HEAD,
            FUNCTION,
            Access::Key,
            rpc::call_function.with_state(store.clone()),
        )
        .route(
            Method::POST,
            FUNCTION,
            Access::Key,
            rpc::call_function.with_state(store),
        )
}

/// An error raised before a handler runs.
fn render(error: &ApiError, _: &RequestHead) -> Response {
    RestError::from(error).into_response()
}
