//! One error for the boundary: what the client sees apart from what the log learns.
//!
//! Libraries return small error types of their own; a service turns them into an [`ApiError`] on purpose, one by one.
//! [`ErrorKind`] is the only place that is mapped to a status and to advice on retrying.

use std::error::Error as StdError;
use std::fmt;

/// What sort of failure it is. The wire's own status may be finer; this decides status class and retry advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request can't be understood: 400.
    BadRequest,
    /// No or unusable credentials: 401.
    Unauthenticated,
    /// Known, and not allowed: 403.
    Forbidden,
    /// Nothing there: 404.
    NotFound,
    /// The method does not fit the resource: 405.
    MethodNotAllowed,
    /// No representation the client accepts: 406.
    NotAcceptable,
    /// The state of the data forbids it: 409.
    Conflict,
    /// A body, URL or header over its limit: 413.
    TooLarge,
    /// The media type is not one we read: 415.
    UnsupportedMedia,
    /// Understood, and refused for its content: 422.
    Unprocessable,
    /// Too many requests of one caller: 429, with `retry-after`.
    RateLimited,
    /// Our fault: 500.
    Internal,
    /// Full or draining: 503, with `retry-after`.
    Overloaded,
    /// Not finished by the request's deadline: 504.
    DeadlineExceeded,
}

impl ErrorKind {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            ErrorKind::BadRequest => 400,
            ErrorKind::Unauthenticated => 401,
            ErrorKind::Forbidden => 403,
            ErrorKind::NotFound => 404,
            ErrorKind::MethodNotAllowed => 405,
            ErrorKind::NotAcceptable => 406,
            ErrorKind::Conflict => 409,
            ErrorKind::TooLarge => 413,
            ErrorKind::UnsupportedMedia => 415,
            ErrorKind::Unprocessable => 422,
            ErrorKind::RateLimited => 429,
            ErrorKind::Internal => 500,
            ErrorKind::Overloaded => 503,
            ErrorKind::DeadlineExceeded => 504,
        }
    }

    /// Seconds after which the same request may be tried again, where trying again can help.
    pub fn retry_after_seconds(self) -> Option<u32> {
        match self {
            ErrorKind::RateLimited | ErrorKind::Overloaded => Some(1),
            _ => None,
        }
    }
}

/// A failure as it leaves a service. `message`, `detail` and `hint` go to the client; `source` goes to the log.
#[derive(Debug)]
pub struct ApiError {
    /// Status class and retry advice.
    pub kind: ErrorKind,
    /// A stable code clients decide by: a SQLSTATE, a PostgREST or an Auth code, or one of our own in kebab case.
    pub code: String,
    /// What went wrong, for a person.
    pub message: String,
    /// More about this occurrence.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The cause, never shown to a client.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ApiError {
    /// An error the client learns about by `code` and `message`.
    pub fn new(kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError {
            kind,
            code: code.into(),
            message: message.into(),
            detail: None,
            hint: None,
            source: None,
        }
    }

    /// A failure of ours: the client learns nothing but that, the log gets the source.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> ApiError {
        let mut error = ApiError::new(ErrorKind::Internal, "internal", "internal server error");
        error.source = Some(source.into());
        error
    }

    /// Adds what is particular to this occurrence.
    pub fn detail(mut self, detail: impl Into<String>) -> ApiError {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what the client can do.
    pub fn hint(mut self, hint: impl Into<String>) -> ApiError {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl StdError for ApiError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
