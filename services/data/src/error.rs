//! Errors in PostgREST's shape: `{"code","details","hint","message"}` with its statuses and true SQLSTATEs.
//!
//! Which to use: a failure of the request's own making is built where it is found with [`RestError::new`]; what the
//! planner, the database or `net` raised is turned here, one by one. A failure of ours tells the client no more than that.
//! Source: <https://docs.postgrest.org/en/stable/references/errors.html>.

use crate::query::QueryError;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use pando_db::DbError;
use pando_kernel::{ApiError, ErrorKind, Role};
use pando_net::Cause;
use pando_plan::{Candidate, PlanError};
use pando_sql::SqlError;
use std::borrow::Cow;
use std::fmt;

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// What `details` holds.
#[derive(Debug)]
enum Details {
    Text(String),
    Relationships(Vec<Candidate>),
}

/// A failure as this wire tells it. Boxed, so that a success is not made larger by it.
#[derive(Debug)]
pub struct RestError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    details: Option<Details>,
    hint: Option<String>,
    /// Only errors of the gateway lack a code.
    coded: bool,
    challenge: Option<String>,
    retry_after_seconds: Option<u32>,
    /// What the log learns and the client does not.
    cause: Option<String>,
}

impl RestError {
    /// An error with its status, code and message.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> RestError {
        RestError(Box::new(Inner {
            status,
            code: code.into(),
            message: message.into(),
            details: None,
            hint: None,
            coded: true,
            challenge: None,
            retry_after_seconds: None,
            cause: None,
        }))
    }

    /// A failure of ours. The client learns no more than that; `net` logs the source with the request's id.
    pub fn internal(source: impl fmt::Display) -> RestError {
        let mut rest = RestError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "XX000",
            "internal server error",
        );
        rest.0.cause = Some(source.to_string());
        rest
    }

    /// Adds what is particular to this occurrence.
    pub fn detail(mut self, detail: impl Into<String>) -> RestError {
        self.0.details = Some(Details::Text(detail.into()));
        self
    }

    /// Adds what the client can do.
    pub fn hint(mut self, hint: impl Into<String>) -> RestError {
        self.0.hint = Some(hint.into());
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// PostgREST's code or a SQLSTATE.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The details, where they are text.
    pub fn detail_text(&self) -> Option<&str> {
        match &self.0.details {
            Some(Details::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// What the database answered, told to a caller of `role`.
    pub fn sql(error: SqlError, role: Role) -> RestError {
        if error.state.starts_with("XX") {
            return RestError::internal(error);
        }
        let status = status_of(&error, role);
        let mut rest = RestError::new(status, error.state, error.message);
        rest.0.details = error.detail.map(Details::Text);
        rest.0.hint = error.hint;
        if status == StatusCode::UNAUTHORIZED {
            rest.0.challenge = Some("Bearer".to_owned());
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            rest.0.retry_after_seconds = Some(1);
        }
        rest
    }

    /// Why there is no plan, told to a caller of `role`.
    pub fn plan(error: PlanError, role: Role) -> RestError {
        if let PlanError::Sql(error) = error {
            return RestError::sql(error, role);
        }
        let status = match &error {
            PlanError::UnknownTable { .. } | PlanError::UnknownRoutine { .. } => {
                StatusCode::NOT_FOUND
            }
            PlanError::AmbiguousRelation { .. } | PlanError::AmbiguousRoutine { .. } => {
                StatusCode::MULTIPLE_CHOICES
            }
            _ => StatusCode::BAD_REQUEST,
        };
        let mut rest = RestError::new(status, error.code().to_owned(), error.message());
        rest.0.hint = error.hint();
        rest.0.details = match error {
            PlanError::AmbiguousRelation { candidates, .. } => {
                Some(Details::Relationships(candidates))
            }
            error => error.detail().map(Details::Text),
        };
        rest
    }

    /// What running a plan came to, told to a caller of `role`.
    pub fn db(error: DbError, role: Role) -> RestError {
        match error {
            DbError::Sql(error) => RestError::sql(error, role),
            DbError::Deadline => RestError::deadline(),
            DbError::Overloaded => {
                RestError::overloaded("the database has too much to do").retry_after(1)
            }
            DbError::Unavailable(reason) => {
                let mut rest = RestError::overloaded("the database is unavailable").retry_after(1);
                rest.0.cause = Some(format!("the database is unavailable: {reason}"));
                rest
            }
        }
    }

    fn deadline() -> RestError {
        RestError::new(
            StatusCode::GATEWAY_TIMEOUT,
            "57014",
            "canceling statement due to statement timeout",
        )
    }

    fn overloaded(message: &str) -> RestError {
        RestError::new(StatusCode::SERVICE_UNAVAILABLE, "53000", message)
    }

    fn retry_after(mut self, seconds: u32) -> RestError {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// A `WWW-Authenticate: Bearer` with what is wrong with the token.
    fn challenge(mut self, reason: Option<&str>) -> RestError {
        self.0.challenge = Some(match reason {
            Some(reason) => format!(
                "Bearer error=\"invalid_token\", error_description=\"{}\"",
                reason.replace('"', "'")
            ),
            None => "Bearer".to_owned(),
        });
        self
    }

    /// As the gateway answers, before any service: message and hint alone.
    fn uncoded(mut self) -> RestError {
        self.0.coded = false;
        self
    }

    /// The body.
    fn json(&self) -> String {
        let inner = &*self.0;
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let optional =
            |value: &Option<String>| value.as_deref().map_or_else(|| "null".to_owned(), text);
        if !inner.coded {
            return format!(
                "{{\"message\":{},\"hint\":{}}}",
                text(&inner.message),
                optional(&inner.hint)
            );
        }
        let details = match &inner.details {
            None => "null".to_owned(),
            Some(Details::Text(detail)) => text(detail),
            Some(Details::Relationships(candidates)) => {
                let list: Vec<String> = candidates
                    .iter()
                    .map(|candidate| {
                        format!(
                            "{{\"cardinality\":{},\"embedding\":{},\"relationship\":{}}}",
                            text(candidate.cardinality.name()),
                            text(&candidate.embedding),
                            text(&candidate.relationship)
                        )
                    })
                    .collect();
                format!("[{}]", list.join(","))
            }
        };
        format!(
            "{{\"code\":{},\"details\":{details},\"hint\":{},\"message\":{}}}",
            text(&inner.code),
            optional(&inner.hint),
            text(&inner.message)
        )
    }
}

/// The status PostgREST gives a SQLSTATE.
fn status_of(error: &SqlError, role: Role) -> StatusCode {
    let state = &*error.state;
    let code = match state {
        "23503" | "23505" => 409,
        "42501" if role == Role::Anon => 401,
        "42501" => 403,
        "42883" | "42P01" => 404,
        "42P17" => 500,
        "25006" => 405,
        "21000" if error.message.ends_with("requires a WHERE clause") => 400,
        "21000" => 500,
        "22023" if error.message.starts_with("role ") => 401,
        "57014" => 504,
        "PGRST116" => 406,
        "PGRST124" => 400,
        _ => match state.get(..2).unwrap_or_default() {
            "08" | "53" => 503,
            "54" => 400,
            "09" | "25" | "2D" | "38" | "39" | "40" | "3B" | "55" | "57" | "58" | "F0" | "HV"
            | "XX" => 500,
            "0L" | "0P" | "28" => 403,
            _ => 400,
        },
    };
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl fmt::Display for RestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl std::error::Error for RestError {}

impl From<QueryError> for RestError {
    fn from(error: QueryError) -> RestError {
        let status = match error.code {
            "PGRST103" => StatusCode::RANGE_NOT_SATISFIABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut rest = RestError::new(status, error.code, error.message);
        rest.0.details = error.detail.map(Details::Text);
        rest.0.hint = error.hint;
        rest
    }
}

impl From<&ApiError> for RestError {
    /// What `net` raises before a handler runs.
    fn from(error: &ApiError) -> RestError {
        let status =
            StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let rest = match error.code.as_str() {
            "no-api-key" => RestError::new(status, "", "No API key found in request")
                .hint("No `apikey` request header or url param was found.")
                .uncoded(),
            "invalid-api-key" => RestError::new(status, "", "Invalid API key")
                .hint(
                    "Double check the `apikey` of the request; `pando keys` shows the valid ones.",
                )
                .uncoded(),
            "bad-jwt" => {
                RestError::new(StatusCode::UNAUTHORIZED, "PGRST301", error.message.clone())
                    .challenge(Some(&error.message))
            }
            "jwt-expired" => RestError::new(StatusCode::UNAUTHORIZED, "PGRST303", "JWT expired")
                .challenge(Some("JWT expired")),
            "no-authorization" => RestError::new(
                StatusCode::UNAUTHORIZED,
                "PGRST302",
                "Anonymous access is disabled",
            )
            .challenge(None),
            "forbidden-role" => RestError::new(status, "42501", error.message.clone()),
            "not-found" => RestError::new(
                StatusCode::NOT_FOUND,
                "PGRST125",
                "Invalid path specified in request URL",
            ),
            "method-not-allowed" => RestError::new(status, "PGRST117", error.message.clone()),
            "body-too-large" => RestError::new(status, "54000", error.message.clone()),
            "url-too-long" => {
                RestError::new(StatusCode::URI_TOO_LONG, "54000", error.message.clone())
            }
            "headers-too-large" => RestError::new(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "54000",
                error.message.clone(),
            ),
            "deadline-exceeded" => RestError::deadline(),
            "overloaded" => RestError::overloaded(&error.message),
            "internal" => RestError::new(status, "XX000", "internal server error"),
            code => RestError::new(status, code.to_owned(), error.message.clone()),
        };
        let mut rest = match &error.detail {
            Some(detail) if error.kind != ErrorKind::Internal => rest.detail(detail.clone()),
            _ => rest,
        };
        if rest.0.hint.is_none() {
            rest.0.hint.clone_from(&error.hint);
        }
        rest.0.retry_after_seconds = error.kind.retry_after_seconds();
        rest
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.json().into());
        *response.status_mut() = self.0.status;
        if self.0.status.is_server_error() {
            let cause = self.0.cause.clone().unwrap_or_else(|| self.to_string());
            response.extensions_mut().insert(Cause(cause));
        }
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        if self.0.coded
            && let Ok(value) = HeaderValue::from_str(&format!("PostgREST; error={}", self.0.code))
        {
            headers.insert(PROXY_STATUS, value);
        }
        if let Some(value) = self
            .0
            .challenge
            .and_then(|text| HeaderValue::try_from(text).ok())
        {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstates_get_postgrest_statuses() {
        for (state, role, status) in [
            ("23505", Role::Authenticated, 409),
            ("23503", Role::Authenticated, 409),
            ("23502", Role::Authenticated, 400),
            ("23514", Role::Authenticated, 400),
            ("42501", Role::Anon, 401),
            ("42501", Role::Authenticated, 403),
            ("22P02", Role::Anon, 400),
            ("42703", Role::Anon, 400),
            ("42P01", Role::Anon, 404),
            ("42P17", Role::Anon, 500),
            ("57014", Role::Anon, 504),
            ("53300", Role::Anon, 503),
            ("PGRST116", Role::Anon, 406),
            ("PGRST124", Role::Anon, 400),
            ("40001", Role::Anon, 500),
        ] {
            let error = RestError::sql(SqlError::new(state, "x"), role);
            assert_eq!(error.status().as_u16(), status, "{state}");
            assert_eq!(error.code(), state);
        }
    }

    #[test]
    fn our_own_failures_tell_nothing() {
        let error = RestError::sql(
            SqlError::new("XX000", "no such table: \"auth.secrets\""),
            Role::Anon,
        );
        assert_eq!(
            error.json(),
            r#"{"code":"XX000","details":null,"hint":null,"message":"internal server error"}"#
        );
    }

    #[test]
    fn the_shape_is_postgrests() {
        let error = RestError::new(StatusCode::BAD_REQUEST, "PGRST100", "say \"x\"")
            .detail("d\n")
            .hint("h");
        assert_eq!(
            error.json(),
            r#"{"code":"PGRST100","details":"d\n","hint":"h","message":"say \"x\""}"#
        );
        let response = error.into_response();
        assert_eq!(
            response.headers()["proxy-status"],
            "PostgREST; error=PGRST100"
        );
    }

    #[test]
    fn what_net_raises_keeps_this_wires_shape() {
        let expired = ApiError::new(ErrorKind::Unauthenticated, "jwt-expired", "token expired");
        let response = RestError::from(&expired).into_response();
        assert_eq!(response.status(), 401);
        assert_eq!(
            response.headers()["www-authenticate"],
            "Bearer error=\"invalid_token\", error_description=\"JWT expired\""
        );
        let keyless = ApiError::new(ErrorKind::Unauthenticated, "no-api-key", "no key");
        assert_eq!(
            RestError::from(&keyless).json(),
            r#"{"message":"No API key found in request","hint":"No `apikey` request header or url param was found."}"#
        );
        let full = ApiError::new(
            ErrorKind::Overloaded,
            "overloaded",
            "too many requests in flight",
        );
        let response = RestError::from(&full).into_response();
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["retry-after"]
            ),
            (503, &HeaderValue::from(1))
        );
    }
}
