//! A refusal being made: the line may still be unknown, the file always is.

use crate::error::{Refusal, SqlError};
use std::borrow::Cow;

/// Why a statement does not run.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// 1-based; none for the statement's own line.
    pub line: Option<u64>,
    pub construct: String,
    pub reason: String,
    pub advice: String,
    /// What Postgres would call it; `0A000` for what only the embedded engine lacks.
    pub state: Cow<'static, str>,
}

pub(crate) type Result<T, E = Trouble> = std::result::Result<T, E>;

impl Trouble {
    /// A construct the embedded engine does not have.
    pub fn unsupported(construct: impl Into<String>, advice: impl Into<String>) -> Trouble {
        Trouble {
            line: None,
            construct: shortened(construct.into()),
            reason: "not available on the embedded engine".to_owned(),
            advice: advice.into(),
            state: Cow::Borrowed("0A000"),
        }
    }

    /// A statement Postgres would refuse as well.
    pub fn invalid(
        construct: impl Into<String>,
        reason: impl Into<String>,
        advice: impl Into<String>,
    ) -> Trouble {
        Trouble {
            line: None,
            construct: shortened(construct.into()),
            reason: reason.into(),
            advice: advice.into(),
            state: Cow::Borrowed("42601"),
        }
    }

    /// With the SQLSTATE Postgres has for it.
    pub fn state(mut self, state: &'static str) -> Trouble {
        self.state = Cow::Borrowed(state);
        self
    }

    /// What Postgres itself raises.
    pub fn sql(state: &'static str, message: impl Into<String>) -> Trouble {
        SqlError::new(state, message).into()
    }

    /// With a line, if it has none yet.
    pub fn at(mut self, line: u64) -> Trouble {
        if line > 0 {
            self.line.get_or_insert(line);
        }
        self
    }

    pub fn refusal(self, file: &str, statement: u64) -> Refusal {
        Refusal {
            file: file.to_owned(),
            line: self.line.unwrap_or(statement),
            construct: self.construct,
            reason: self.reason,
            advice: self.advice,
        }
    }
}

impl From<SqlError> for Trouble {
    fn from(error: SqlError) -> Trouble {
        let advice = error
            .hint
            .unwrap_or_else(|| "correct the statement".to_owned());
        let reason = match error.detail {
            Some(detail) => format!("{}: {detail}", error.message),
            None => error.message,
        };
        Trouble {
            line: None,
            construct: format!("SQLSTATE {}", error.state),
            reason,
            advice,
            state: error.state,
        }
    }
}

/// For whoever runs the statement instead of keeping it in a file.
impl From<Trouble> for SqlError {
    fn from(trouble: Trouble) -> SqlError {
        let message = if trouble.construct.starts_with("SQLSTATE ") || trouble.state != "0A000" {
            trouble.reason
        } else {
            format!("{}: {}", trouble.construct, trouble.reason)
        };
        SqlError {
            state: trouble.state,
            message,
            detail: None,
            hint: Some(trouble.advice),
        }
    }
}

fn shortened(text: String) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(100) {
        Some((at, _)) => format!("{} ..", &text[..at]),
        None => text,
    }
}
