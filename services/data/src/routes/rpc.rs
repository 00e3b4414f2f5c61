//! `/rest/v1/rpc/*`: functions. The embedded engine has none yet, which is what a client is told.

use crate::error::RestError;
use crate::query::echo;
use crate::request::{self, PREFIX};
use crate::store::Store;
use axum::extract::{Request, State};
use http::StatusCode;
use std::sync::Arc;

/// Refuses a call in the way PostgREST tells that a function is not there.
pub(crate) async fn call_function(State(store): State<Arc<Store>>, request: Request) -> RestError {
    let (parts, _) = request.into_parts();
    let schema = match request::schema(&parts, &store.config) {
        Ok(schema) => schema,
        Err(error) => return error,
    };
    let raw = parts
        .uri
        .path()
        .strip_prefix(PREFIX)
        .and_then(|path| path.strip_prefix("rpc/"))
        .unwrap_or("");
    let name = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
    let name = echo(&name);
    RestError::new(
        StatusCode::NOT_FOUND,
        "PGRST202",
        format!("Could not find the function {schema}.{name} in the schema cache"),
    )
    .detail(format!(
        "Searched for the function {schema}.{name}, but no matches were found in the schema cache."
    ))
    .hint("Functions can't be called on this server yet; read and write tables instead.")
}
