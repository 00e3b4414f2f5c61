//! What a client asks, and what it was told.

use serde::{Deserialize, Serialize};

/// What a row holds besides its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What the text is made of.
    pub tag: u64,
    /// How long it is, bytes.
    pub length: usize,
    /// How often it was counted up.
    pub count: i64,
}

impl Content {
    /// The text in the row: long ones are several pages, and none needs as much room in the ledger.
    pub fn text(&self) -> String {
        let mut text = format!("{:016x}", self.tag).repeat(self.length.div_ceil(16).max(1));
        text.truncate(self.length.max(16));
        text
    }
}

/// What becomes of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The row.
    pub id: i64,
    /// What it held; none if it was not there.
    pub before: Option<Content>,
    /// What it is to hold; none if it is to go.
    pub after: Option<Content>,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verb {
    /// New rows with ids of the client's.
    Insert,
    /// Another text.
    Update,
    /// Gone.
    Delete,
    /// New rows or other texts, whichever it is.
    Upsert,
    /// One more, by a function: seen if it ran twice.
    Bump,
}

/// One request that changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Rows, all of them or none.
    Write {
        /// How.
        verb: Verb,
        /// Which, in the request's order.
        changes: Vec<Change>,
    },
    /// Rows of a table where nothing forbids that one is there twice, all of them or none.
    Mark(Vec<String>),
    /// A new account; without an address it is an anonymous one.
    SignUp {
        /// Its address.
        email: Option<String>,
    },
    /// The next tokens of a session.
    Refresh {
        /// Whose.
        user: String,
        /// The refresh token that is held.
        token: String,
    },
}

/// What a client holds of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub user: String,
    /// The refresh token that was answered last.
    pub refresh: String,
    /// The access token that was answered last.
    pub access: String,
}

/// What is known of an operation afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Acknowledged: it must be there.
    Done,
    /// Acknowledged, with a session.
    Granted(Session),
    /// Refused: it must not be there.
    Refused(u16),
    /// Never sent: it must not be there.
    NotSent,
    /// No answer, or one that promises nothing: all of it or nothing.
    Unknown(String),
}

/// The password of every account here.
pub const PASSWORD: &str = "correct horse battery staple";
