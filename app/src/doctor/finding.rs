//! What was found, and how it is shown.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Works, and will hurt.
    Warning,
    /// Broken: the exit status says so.
    Error,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at, a stable word: `integrity`, `policies`, ..
    pub check: &'static str,
    /// What was found.
    pub message: String,
    /// What to do about it, if there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Finding {
        Finding {
            level: Level::Ok,
            check,
            message: message.into(),
            advice: None,
        }
    }

    /// Something to do.
    pub fn new(
        level: Level,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding {
            level,
            check,
            message: message.into(),
            advice: Some(advice.into()),
        }
    }
}

/// One line a finding, and one for its advice.
pub fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "ERROR",
        };
        text.push_str(&format!(
            "{level:<8} {:<12} {}\n",
            finding.check, finding.message
        ));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("{:<22}{advice}\n", ""));
        }
    }
    text
}
