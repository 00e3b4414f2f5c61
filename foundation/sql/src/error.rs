//! What can go wrong: a refusal when SQL is read, an SQL error with its SQLSTATE when it is planned or run.

use std::borrow::Cow;
use std::fmt;

/// An SQL error as Postgres would raise it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// Five characters: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    pub state: Cow<'static, str>,
    /// Postgres' primary message.
    pub message: String,
    /// Row and key values; empty for callers subject to row-level security.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl SqlError {
    /// An error with a state and a message.
    pub fn new(state: &'static str, message: impl Into<String>) -> SqlError {
        SqlError {
            state: Cow::Borrowed(state),
            message: message.into(),
            detail: None,
            hint: None,
        }
    }

    /// Adds the detail line.
    pub fn detail(mut self, detail: impl Into<String>) -> SqlError {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the hint line.
    pub fn hint(mut self, hint: impl Into<String>) -> SqlError {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.state)
    }
}

impl std::error::Error for SqlError {}

/// A statement of a migration that does not run on the embedded engine, or does not run at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The migration's file name.
    pub file: String,
    /// 1-based line of the construct, or of its statement.
    pub line: u64,
    /// The construct, in the user's own words where possible.
    pub construct: String,
    /// Why it is refused.
    pub reason: String,
    /// What to do instead.
    pub advice: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}; {}",
            self.file, self.line, self.construct, self.reason, self.advice
        )
    }
}

impl std::error::Error for Refusal {}
