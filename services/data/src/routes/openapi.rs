//! `GET /rest/v1/`: the exposed tables as an OpenAPI 2.0 document, as PostgREST describes them. Service key only.

use crate::config::Config;
use crate::error::RestError;
use crate::request;
use crate::store::Store;
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use pando_plan::is_exposed;
use pando_sql::Type;
use pando_sql::catalog::{Catalog, Table};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Describes every table of the schema asked for.
pub(crate) async fn describe_api(
    State(store): State<Arc<Store>>,
    request: Request,
) -> Result<Response, RestError> {
    let (parts, _) = request.into_parts();
    let schema = request::schema(&parts, &store.config)?;
    let document = document(&store.catalog(), schema, &store.config);
    let mut response = Response::new(document.to_string().into());
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/openapi+json; charset=utf-8"),
    );
    Ok(response)
}

fn document(catalog: &Catalog, schema: &str, config: &Config) -> Value {
    let (mut paths, mut definitions) = (Map::new(), Map::new());
    for table in catalog.tables.values() {
        if table.schema != schema || !is_exposed(catalog, table, config.allow_unprotected) {
            continue;
        }
        paths.insert(format!("/{}", table.name), operations(table));
        definitions.insert(table.name.clone(), definition(table));
    }
    json!({
        "swagger": "2.0",
        "info": {"title": "Pando REST API", "version": env!("CARGO_PKG_VERSION")},
        "basePath": "/rest/v1",
        "consumes": ["application/json", "text/csv"],
        "produces": ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
        "paths": paths,
        "definitions": definitions,
    })
}

fn operations(table: &Table) -> Value {
    let rows = json!({"type": "array", "items": {"$ref": format!("#/definitions/{}", table.name)}});
    let body = json!([{
        "name": "body", "in": "body", "schema": {"$ref": format!("#/definitions/{}", table.name)},
    }]);
    let filters: Vec<Value> = table
        .columns
        .iter()
        .map(|column| json!({"name": column.name, "in": "query", "required": false, "type": "string"}))
        .collect();
    let tags = json!([table.name]);
    json!({
        "get": {"tags": tags, "parameters": filters, "responses": {"200": {"description": "OK", "schema": rows}}},
        "post": {"tags": tags, "parameters": body, "responses": {"201": {"description": "Created"}}},
        "patch": {"tags": tags, "parameters": filters, "responses": {"204": {"description": "No Content"}}},
        "delete": {"tags": tags, "parameters": filters, "responses": {"204": {"description": "No Content"}}},
    })
}

fn definition(table: &Table) -> Value {
    let required: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| column.not_null && column.default.is_none() && column.identity.is_none())
        .map(|column| column.name.as_str())
        .collect();
    let properties: Map<String, Value> = table
        .columns
        .iter()
        .map(|column| {
            (
                column.name.clone(),
                property(&column.ty, column.comment.as_deref()),
            )
        })
        .collect();
    json!({"type": "object", "description": table.comment, "required": required, "properties": properties})
}

fn property(ty: &Type, comment: Option<&str>) -> Value {
    let mut property = json!({"format": ty.name(), "type": json_type(ty)});
    match ty {
        Type::Enum(labels) => property["enum"] = json!(labels.labels),
        Type::Array(member) => property["items"] = json!({"type": json_type(member)}),
        Type::Varchar(Some(length)) | Type::Char(length) => property["maxLength"] = json!(length),
        _ => {}
    }
    if let Some(comment) = comment {
        property["description"] = json!(comment);
    }
    property
}

fn json_type(ty: &Type) -> &'static str {
    match ty {
        Type::Int2 | Type::Int4 | Type::Int8 => "integer",
        Type::Float4 | Type::Float8 | Type::Numeric(_) => "number",
        Type::Bool => "boolean",
        Type::Array(_) => "array",
        Type::Json | Type::Jsonb => "object",
        _ => "string",
    }
}
