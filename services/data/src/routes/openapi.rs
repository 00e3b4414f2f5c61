//! `GET /rest/v1/`: the exposed tables, views and functions as an OpenAPI 2.0 document, as PostgREST describes them. Service key only.

use crate::config::Config;
use crate::error::RestError;
use crate::request;
use crate::store::Store;
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use pando_plan::{callable, is_exposed};
use pando_sql::Type;
use pando_sql::catalog::{Catalog, Table};
use pando_sql::routine::{Returns, Routine};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Describes every table, view and function of the schema asked for.
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
    for routine in callable(catalog, schema) {
        // Of several functions of one name, the document has room for the last.
        paths.insert(format!("/rpc/{}", routine.name), call(routine));
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

fn call(routine: &Routine) -> Value {
    let named = || {
        let params = routine.params.iter();
        params.filter_map(|param| Some((param.name.as_deref()?, param)))
    };
    let required: Vec<&str> = named()
        .filter(|(_, param)| param.default.is_none())
        .map(|(name, _)| name)
        .collect();
    let properties: Map<String, Value> = named()
        .map(|(name, param)| (name.to_owned(), property(&param.ty, None)))
        .collect();
    let answer = match &routine.returns {
        Returns::Void | Returns::Trigger => json!({"204": {"description": "No Content"}}),
        _ => json!({"200": {"description": "OK"}}),
    };
    let tags = json!([format!("(rpc) {}", routine.name)]);
    let mut operations = json!({
        "post": {
            "tags": tags,
            "parameters": [{
                "name": "args", "in": "body", "required": true,
                "schema": {"type": "object", "required": required, "properties": properties},
            }],
            "responses": answer,
        },
    });
    if !routine.writes() {
        let params: Vec<Value> = named()
            .map(|(name, param)| {
                let mut param_of_query = property(&param.ty, None);
                param_of_query["name"] = json!(name);
                param_of_query["in"] = json!("query");
                param_of_query["required"] = json!(param.default.is_none());
                if json_type(&param.ty) == "object" {
                    param_of_query["type"] = json!("string");
                }
                param_of_query
            })
            .collect();
        operations["get"] = json!({"tags": tags, "parameters": params, "responses": answer});
    }
    operations
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
