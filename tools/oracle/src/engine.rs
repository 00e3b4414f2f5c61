//! What both engines are asked, and what they answer.

use std::fmt;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The database role.
    pub role: &'static str,
    /// The user, if one is signed in.
    pub user: Option<String>,
}

impl Who {
    /// The team's own servers.
    pub fn service() -> Who {
        Who {
            role: "service_role",
            user: None,
        }
    }

    /// Somebody who is not signed in.
    pub fn anon() -> Who {
        Who {
            role: "anon",
            user: None,
        }
    }

    /// A signed-in user.
    pub fn user(id: &str) -> Who {
        Who {
            role: "authenticated",
            user: Some(id.to_owned()),
        }
    }

    /// The claims of the token, as JSON.
    pub fn claims(&self) -> String {
        match &self.user {
            Some(id) => format!(
                "{{\"sub\":\"{id}\",\"role\":\"{}\",\"email\":\"u@example.com\",\"app_metadata\":{{\"org\":\"7\"}}}}",
                self.role
            ),
            None => format!("{{\"role\":\"{}\"}}", self.role),
        }
    }

    /// As a case file writes it: the role, then the user.
    pub fn parse(text: &str) -> Option<Who> {
        let mut words = text.split_whitespace();
        let role = match words.next()? {
            "service_role" => "service_role",
            "anon" => "anon",
            "authenticated" => "authenticated",
            _ => return None,
        };
        Some(Who {
            role,
            user: words.next().map(str::to_owned),
        })
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role)?;
        match &self.user {
            Some(user) => write!(f, " {user}"),
            None => Ok(()),
        }
    }
}

/// What an engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked.
    Done {
        /// Each row as canonical JSON, in order.
        rows: Vec<String>,
        /// The names of the types of the columns, as Postgres names them inside; empty when they were not asked for.
        types: Vec<String>,
    },
    /// An error as Postgres raises it.
    Failed {
        /// SQLSTATE.
        state: String,
        /// The message.
        message: String,
    },
    /// The embedded engine does not have it, and says so.
    Refused {
        /// The construct, in its words.
        construct: String,
    },
}

impl Outcome {
    /// In a line, for people.
    pub fn show(&self) -> String {
        match self {
            Outcome::Done { rows, types } if !types.is_empty() => {
                format!("[{}] of {}", rows.join(", "), types.join(", "))
            }
            Outcome::Done { rows, .. } => format!("[{}]", rows.join(", ")),
            Outcome::Failed { state, message } => format!("ERROR {state}: {message}"),
            Outcome::Refused { construct } => format!("refused: {construct}"),
        }
    }
}

/// An engine with a schema of its own, empty at first.
pub trait Engine {
    /// Runs a statement of a migration.
    fn migrate(&mut self, sql: &str) -> Outcome;
    /// Runs a statement as somebody. A statement that fails leaves nothing.
    fn run(&mut self, who: &Who, sql: &str) -> Outcome;
    /// All rows of a table, each as canonical JSON, sorted, past all policies.
    fn content(&mut self, table: &str) -> Vec<String>;
}
