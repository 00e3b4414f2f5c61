//! What the service refuses, in GoTrue's words.
//!
//! Which constructor to use: one of the named ones where the wire has a fixed code and text; [`AuthError::new`] for a
//! validation that is particular to a route; [`AuthError::internal`] when it is our fault. A client decides by `code`,
//! so texts may be improved and codes may not. A user's mistake is never a 5xx: clients retry those.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use pando_db::DbError;
use pando_kernel::{ApiError, ErrorKind};
use pando_net::Cause;
use serde_json::json;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// A refusal or failure as the wire shows it.
#[derive(Debug)]
pub struct AuthError {
    /// The HTTP status.
    pub status: StatusCode,
    /// GoTrue's code.
    pub code: Cow<'static, str>,
    /// For a person.
    pub message: Cow<'static, str>,
    /// Why a password is weak.
    pub reasons: Vec<&'static str>,
    /// Seconds to wait, on 429 and 503.
    pub retry_after_seconds: Option<u64>,
    /// Rendered in OAuth's shape (RFC 6749 section 5.2), `code` being its `error`.
    pub oauth: bool,
    /// The cause, for the log alone.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl AuthError {
    /// A refusal with a status, one of GoTrue's codes and a text.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> AuthError {
        AuthError {
            status,
            code: Cow::Borrowed(code),
            message: message.into(),
            reasons: Vec::new(),
            retry_after_seconds: None,
            oauth: false,
            source: None,
        }
    }

    /// 400 `validation_failed`.
    pub fn validation(message: impl Into<Cow<'static, str>>) -> AuthError {
        AuthError::new(StatusCode::BAD_REQUEST, "validation_failed", message)
    }

    /// 400 with a code of its own.
    pub fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> AuthError {
        AuthError::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 403 with a code of its own.
    pub fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> AuthError {
        AuthError::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 422 with a code of its own.
    pub fn unprocessable(code: &'static str, message: impl Into<Cow<'static, str>>) -> AuthError {
        AuthError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// A request a token endpoint can't read, in OAuth's shape.
    pub fn oauth(error: &'static str, description: impl Into<Cow<'static, str>>) -> AuthError {
        AuthError {
            oauth: true,
            ..AuthError::bad_request(error, description)
        }
    }

    /// The same answer for an unknown account and a wrong password.
    pub fn invalid_credentials() -> AuthError {
        AuthError::bad_request("invalid_credentials", "Invalid login credentials")
    }

    /// The same answer for a wrong, an old and an unknown mailed token.
    pub fn otp_expired() -> AuthError {
        AuthError::forbidden("otp_expired", "Token has expired or is invalid")
    }

    /// Somebody else has the address.
    pub fn email_exists() -> AuthError {
        AuthError::unprocessable(
            "email_exists",
            "A user with this email address has already been registered",
        )
    }

    /// The account is banned.
    pub fn banned() -> AuthError {
        AuthError::forbidden("user_banned", "User is banned")
    }

    /// 422 `weak_password`.
    pub fn weak_password(message: String, reasons: Vec<&'static str>) -> AuthError {
        AuthError {
            reasons,
            ..AuthError::unprocessable("weak_password", message)
        }
    }

    /// 429: too many requests of a caller.
    pub fn too_many_requests(seconds: u64) -> AuthError {
        AuthError {
            retry_after_seconds: Some(seconds),
            ..AuthError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "over_request_rate_limit",
                "Request rate limit reached",
            )
        }
    }

    /// 429: too many mails.
    pub fn too_many_mails(seconds: u64) -> AuthError {
        let message =
            format!("For security purposes, you can only request this after {seconds} seconds.");
        AuthError {
            retry_after_seconds: Some(seconds),
            ..AuthError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "over_email_send_rate_limit",
                message,
            )
        }
    }

    /// 503: full, try again.
    pub fn overloaded() -> AuthError {
        AuthError {
            retry_after_seconds: Some(1),
            ..AuthError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unexpected_failure",
                "The server is busy, try again",
            )
        }
    }

    /// 504: not finished by the request's deadline.
    pub fn timeout() -> AuthError {
        AuthError::new(
            StatusCode::GATEWAY_TIMEOUT,
            "request_timeout",
            "Processing this request timed out, try again",
        )
    }

    /// 500: our fault. The client learns that and no more.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> AuthError {
        AuthError {
            source: Some(source.into()),
            ..AuthError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "unexpected_failure",
                "Unexpected failure, please check server logs for more information",
            )
        }
    }

    /// As [`internal`](AuthError::internal), where an account was to be saved: a trigger of the team's on it may have failed, which GoTrue
    /// says in these words.
    pub fn saving(self, message: &'static str) -> AuthError {
        if self.status != StatusCode::INTERNAL_SERVER_ERROR {
            return self;
        }
        AuthError {
            message: Cow::Borrowed(message),
            ..self
        }
    }

    /// The answer, in the shape the request asked for. Why we failed goes with it as far as `net`, which logs it with the
    /// request's id.
    pub fn respond(self, asked: &HeaderMap) -> Response {
        let named = names_version(asked);
        let body = if self.oauth {
            json!({"error": self.code, "error_description": self.message})
        } else {
            let mut body = if named {
                json!({"code": self.code, "message": self.message})
            } else {
                json!({"code": self.status.as_u16(), "error_code": self.code, "msg": self.message})
            };
            if !self.reasons.is_empty() {
                body["weak_password"] = json!({"reasons": self.reasons});
            }
            body
        };
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        if self.status.is_server_error() {
            let cause = match &self.source {
                Some(source) => format!("{}: {source}", self.code),
                None => self.to_string(),
            };
            response.extensions_mut().insert(Cause(cause));
        }
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Ok(code) = HeaderValue::from_str(&self.code) {
            headers.insert("x-sb-error-code", code);
        }
        if named {
            headers.insert(VERSION_HEADER, HeaderValue::from_static(NAMED_VERSION));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The header in which a client says which shape of errors it reads.
const VERSION_HEADER: &str = "x-supabase-api-version";
/// The first version whose errors name their code in `code`.
const NAMED_VERSION: &str = "2024-01-01";

/// Whether the client reads the shape with a named `code`. Versions are dates, so their text sorts as they do.
fn names_version(asked: &HeaderMap) -> bool {
    asked
        .get(VERSION_HEADER)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|version| {
            version.len() == NAMED_VERSION.len()
                && version
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'-')
                && version >= NAMED_VERSION
        })
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl StdError for AuthError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<DbError> for AuthError {
    fn from(error: DbError) -> AuthError {
        match error {
            DbError::Overloaded => AuthError::overloaded(),
            DbError::Deadline => AuthError::timeout(),
            DbError::Unavailable(_) => AuthError {
                source: Some(Box::new(error)),
                retry_after_seconds: Some(1),
                ..AuthError::overloaded()
            },
            // Classes 22 and 54: a value no column can hold, such as a NUL in a user's data or nesting without end. Nothing
            // but a client sends those.
            DbError::Sql(error)
                if error.state.starts_with("22") || error.state.starts_with("54") =>
            {
                AuthError::validation(error.message)
            }
            DbError::Sql(_) => AuthError::internal(error),
        }
    }
}

/// What `net` refused before a handler ran, in this wire's words.
pub fn from_net(error: &ApiError) -> AuthError {
    let (status, code, message): (StatusCode, &'static str, Cow<'static, str>) =
        match error.code.as_str() {
            "no-authorization" => (
                StatusCode::UNAUTHORIZED,
                "no_authorization",
                "This endpoint requires a valid Bearer token".into(),
            ),
            "bad-jwt" | "jwt-expired" => (
                StatusCode::FORBIDDEN,
                "bad_jwt",
                format!("invalid JWT: {}", error.message).into(),
            ),
            "forbidden-role" => (
                StatusCode::FORBIDDEN,
                "not_admin",
                "User not allowed".into(),
            ),
            "no-api-key" | "invalid-api-key" => (
                StatusCode::UNAUTHORIZED,
                "no_authorization",
                error.message.clone().into(),
            ),
            "body-too-large" => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "request_entity_too_large",
                error.message.clone().into(),
            ),
            "deadline-exceeded" => return AuthError::timeout(),
            "overloaded" => return AuthError::overloaded(),
            "internal" => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "unexpected_failure",
                "Unexpected failure, please check server logs for more information".into(),
            ),
            _ => {
                let status =
                    StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
                let code = if error.kind == ErrorKind::RateLimited {
                    "over_request_rate_limit"
                } else {
                    "validation_failed"
                };
                (status, code, error.message.clone().into())
            }
        };
    AuthError::new(status, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_from_2024_on_names_its_code() {
        for (version, named) in [
            ("2024-01-01", true),
            ("2025-06-30", true),
            ("2023-12-31", false),
            ("latest", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(VERSION_HEADER, version.parse().unwrap());
            assert_eq!(names_version(&headers), named, "{version}");
        }
        assert!(!names_version(&HeaderMap::new()));
    }
}
