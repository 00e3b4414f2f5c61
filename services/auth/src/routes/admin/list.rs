//! `GET /admin/users`.

use super::answer;
use crate::Auth;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::store::users;
use crate::user::{AUDIENCE, User};
use axum::response::Response;
use http::{HeaderValue, header};
use serde_json::{Value, json};
use std::sync::Arc;

/// Accounts in a page unless the request says otherwise.
const PER_PAGE: i64 = 50;
/// Accounts in a page at most.
const PER_PAGE_MAX: i64 = 1_000;

/// A page of accounts, newest first, with `x-total-count` and `link` (RFC 8288) saying what else there is.
pub async fn list_users(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let number = |name: &str, default: i64| match ask.query(name) {
        None => Ok(default),
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|number| (1..=1_000_000_000).contains(number))
            .ok_or_else(|| {
                AuthError::validation(format!(
                    "Bad Pagination Parameters: {name} has to be a positive number"
                ))
            }),
    };
    let (page, per_page) = (
        number("page", 1)?,
        number("per_page", PER_PAGE)?.min(PER_PAGE_MAX),
    );
    let filter = ask.query("filter").map(str::to_owned);
    let (found, total) = auth
        .read(ask.deadline, move |tx| {
            Ok(Ok(users::page(
                tx,
                filter.as_deref(),
                per_page,
                (page - 1) * per_page,
            )?))
        })
        .await?;
    let users: Vec<Value> = found.iter().map(User::to_json).collect();
    let mut response = answer(&json!({"users": users, "aud": AUDIENCE}));
    let last = ((total + per_page - 1) / per_page).max(1);
    // `page` comes first: client libraries read it from there.
    let link = |page: i64, rel: &str| {
        let url = &auth.config.external_url;
        format!("<{url}/admin/users?page={page}&per_page={per_page}>; rel=\"{rel}\"")
    };
    let mut links = Vec::new();
    if page < last {
        links.push(link(page + 1, "next"));
    }
    links.push(link(last, "last"));
    let headers = response.headers_mut();
    headers.insert("x-total-count", HeaderValue::from(total));
    headers.insert(
        header::LINK,
        HeaderValue::from_str(&links.join(", ")).map_err(AuthError::internal)?,
    );
    Ok(response)
}
