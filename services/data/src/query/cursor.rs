//! A place in a piece of the query string, and the error that says where reading stopped.

use std::fmt;

/// The most of a client's text that an error repeats, characters.
const ECHO_CHARS_MAX: usize = 200;

/// A query string that can't be read, or asks for what is refused before planning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// PostgREST's code, or a SQLSTATE.
    pub code: &'static str,
    /// What went wrong.
    pub message: String,
    /// What was found and what was expected.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl QueryError {
    /// An error with a code and a message.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> QueryError {
        QueryError {
            code,
            message: message.into(),
            detail: None,
            hint: None,
        }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> QueryError {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> QueryError {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for QueryError {}

/// At most [`ECHO_CHARS_MAX`] characters of `text`.
pub(crate) fn echo(text: &str) -> &str {
    match text.char_indices().nth(ECHO_CHARS_MAX) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Reads `text` from left to right; `what` names it in errors.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    what: &'static str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, what: &'static str) -> Cursor<'a> {
        Cursor { text, at: 0, what }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn looking_at(&self, prefix: &str) -> bool {
        self.rest().starts_with(prefix)
    }

    /// Moves over `prefix` if it stands here.
    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let here = self.looking_at(prefix);
        if here {
            self.at += prefix.len();
        }
        here
    }

    /// Moves over the characters for which `keep` holds.
    pub(super) fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Moves over everything left.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }

    /// Moves over `count` bytes, which must end at a character's border.
    pub(super) fn take(&mut self, count: usize) -> &'a str {
        let taken = &self.rest()[..count];
        self.at += count;
        taken
    }

    pub(super) fn skip_spaces(&mut self) {
        self.take_while(|c| c == ' ');
    }

    pub(super) fn expect(&mut self, token: &str, expected: &str) -> Result<(), QueryError> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.fail(expected))
        }
    }

    pub(super) fn expect_end(&self, expected: &str) -> Result<(), QueryError> {
        if self.at_end() {
            Ok(())
        } else {
            Err(self.fail(expected))
        }
    }

    /// The error of finding something else than `expected` here.
    pub(super) fn fail(&self, expected: &str) -> QueryError {
        let column = self.text[..self.at].chars().count() + 1;
        let found = match self.peek() {
            Some('"') => "unexpected '\"'".to_owned(),
            Some(c) => format!("unexpected \"{c}\""),
            None => "unexpected end of input".to_owned(),
        };
        QueryError::new(
            "PGRST100",
            format!(
                "\"failed to parse {} ({})\" (line 1, column {column})",
                self.what,
                echo(self.text)
            ),
        )
        .detail(format!("{found} expecting {expected}"))
    }
}
