//! Who may call a route, and proving it.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use pando_kernel::{ApiError, Caller, ErrorKind, Role};
use pando_keys::{Keys, TokenError};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::sync::Arc;

/// What a caller must bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Nothing. A key or token that is there and good still counts.
    Open,
    /// An API key.
    Key,
    /// An API key and a user's token.
    User,
    /// The role `service_role`.
    Service,
}

impl Access {
    /// In lower case, as `pando routes` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Access::Open => "open",
            Access::Key => "key",
            Access::User => "user",
            Access::Service => "service",
        }
    }
}

/// Finds out who calls.
pub(crate) struct Gate {
    keys: Arc<Keys>,
    anon: Arc<Caller>,
    service: Arc<Caller>,
}

impl Gate {
    pub fn new(keys: Arc<Keys>) -> Gate {
        Gate {
            keys,
            anon: Arc::new(Caller::keyed(Role::Anon)),
            service: Arc::new(Caller::keyed(Role::Service)),
        }
    }

    /// The caller, if they may use a route of this access.
    pub fn admit(
        &self,
        access: Access,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Arc<Caller>, ApiError> {
        match self.identify(uri, headers) {
            Ok(caller) => match access {
                Access::Open | Access::Key => Ok(caller),
                Access::User
                    if caller.role() == Role::Authenticated && caller.subject().is_some() =>
                {
                    Ok(caller)
                }
                Access::User => Err(no_authorization()),
                Access::Service if caller.role() == Role::Service => Ok(caller),
                Access::Service => Err(ApiError::new(
                    ErrorKind::Forbidden,
                    "forbidden-role",
                    "this route is for the service role alone",
                )),
            },
            Err(_) if access == Access::Open => Ok(self.anon.clone()),
            Err(error) => Err(error),
        }
    }

    fn identify(&self, uri: &Uri, headers: &HeaderMap) -> Result<Arc<Caller>, ApiError> {
        let apikey = match headers.get("apikey") {
            Some(value) => Cow::Borrowed(value.to_str().unwrap_or_default()),
            None => query_key(uri).ok_or_else(|| {
                ApiError::new(
                    ErrorKind::Unauthenticated,
                    "no-api-key",
                    "No API key found in request",
                )
                .hint("No `apikey` request header or url param was found.")
            })?,
        };
        let role = self.keys.api_key_role(&apikey).ok_or_else(|| {
            ApiError::new(
                ErrorKind::Unauthenticated,
                "invalid-api-key",
                "Invalid API key",
            )
            .hint("Double check the API key; `pando keys` prints those of this server.")
        })?;
        // Clients without a session send their key a second time, as a bearer token; that says nothing new.
        match bearer(headers)? {
            Some(token) if token != apikey => self.keys.verify(token).map_err(refused_token),
            _ if role == Role::Service => Ok(self.service.clone()),
            _ => Ok(self.anon.clone()),
        }
    }
}

fn refused_token(error: TokenError) -> ApiError {
    let (code, message) = match error {
        TokenError::Expired => ("jwt-expired", "JWT expired"),
        _ => ("bad-jwt", "invalid JWT"),
    };
    ApiError::new(ErrorKind::Unauthenticated, code, message).detail(error.to_string())
}

fn no_authorization() -> ApiError {
    ApiError::new(
        ErrorKind::Unauthenticated,
        "no-authorization",
        "This endpoint requires a valid Bearer token",
    )
}

/// The token after `Bearer `; none without the header. Another scheme is refused rather than passed over.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    match text.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer ") => Ok(Some(token.trim())),
        _ if text.trim().is_empty() || text.trim().eq_ignore_ascii_case("bearer") => Ok(None),
        _ => Err(refused_token(TokenError::Malformed)),
    }
}

/// The `apikey` of the query string, for clients that can't set headers (links, sockets).
fn query_key(uri: &Uri) -> Option<Cow<'_, str>> {
    let value = uri
        .query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("apikey="))?;
    percent_decode_str(value).decode_utf8().ok()
}
