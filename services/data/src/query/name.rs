//! Names, quoted text, and paths into JSON columns.

use super::cursor::{Cursor, QueryError};
use pando_plan::request::{JsonKey, JsonStep, Path};

/// Steps into JSON in one path; deeper ones are refused.
const PATH_STEPS_MAX: usize = 32;

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | ' ')
}

impl Cursor<'_> {
    /// `"quoted name"`, or letters, digits, `_`, `$`, spaces and inner dashes.
    pub(super) fn name(&mut self, expected: &str) -> Result<String, QueryError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let mut end = 0;
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let inner_dash =
                c == '-' && end > 0 && chars.peek().is_some_and(|(_, next)| is_name_char(*next));
            if !is_name_char(c) && !inner_dash {
                break;
            }
            end = at + c.len_utf8();
        }
        let name = rest[..end].trim_matches(' ');
        if name.is_empty() {
            return Err(self.fail(expected));
        }
        self.take(end);
        Ok(name.to_owned())
    }

    /// `"..."` in which a backslash takes the next character as it is.
    pub(super) fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.clone();
        self.expect("\"", "a quoted value")?;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"' && c != '\\'));
            if self.eat("\"") {
                return Ok(text);
            }
            if !self.eat("\\") {
                return Err(start.fail("a quoted value that is closed"));
            }
            match self.peek() {
                Some(c) => text.push_str(self.take(c.len_utf8())),
                None => return Err(start.fail("a quoted value that is closed")),
            }
        }
    }

    /// `col->key->>0`
    pub(super) fn path(&mut self) -> Result<Path, QueryError> {
        let column = self.name("a column name")?;
        Ok(Path {
            column,
            steps: self.json_steps()?,
        })
    }

    /// `->key->>0`, or nothing.
    pub(super) fn json_steps(&mut self) -> Result<Vec<JsonStep>, QueryError> {
        let mut steps = Vec::new();
        loop {
            let text = if self.eat("->>") {
                true
            } else if self.eat("->") {
                false
            } else {
                return Ok(steps);
            };
            if steps.len() == PATH_STEPS_MAX {
                return Err(self.fail("a JSON path of at most 32 steps"));
            }
            steps.push(JsonStep {
                key: self.json_key()?,
                text,
            });
        }
    }

    fn json_key(&mut self) -> Result<JsonKey, QueryError> {
        let mut ahead = self.clone();
        let negative = ahead.eat("-");
        let digits = ahead.take_while(|c| c.is_ascii_digit());
        let ends = ahead.at_end()
            || ahead.looking_at("->")
            || matches!(ahead.peek(), Some('.' | ',' | ')' | ':'));
        if !digits.is_empty() && ends {
            let Ok(index) = digits.parse::<i64>() else {
                return Err(self.fail("an array index of at most 19 digits"));
            };
            *self = ahead;
            return Ok(JsonKey::Index(if negative { -index } else { index }));
        }
        self.name("a JSON key or an array index").map(JsonKey::Name)
    }
}
