//! CSV payloads (RFC 4180): the first line names the columns, `NULL` is null.

use super::invalid;
use crate::error::RestError;

/// Writes a CSV as a JSON array of objects.
pub(super) fn to_json(text: &str) -> Result<String, RestError> {
    let mut lines = Lines {
        text: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 0,
    };
    let header: Vec<String> = match lines.next_line()? {
        Some(cells) => cells
            .into_iter()
            .map(|cell| serde_json::Value::from(cell.text).to_string())
            .collect(),
        None => return Ok("[]".to_owned()),
    };
    let mut json = String::with_capacity(text.len() * 2);
    json.push('[');
    while let Some(cells) = lines.next_line()? {
        if cells.len() != header.len() {
            return Err(
                invalid("All lines must have same number of fields").detail(format!(
                    "line {} has {}, the header has {}",
                    lines.line,
                    cells.len(),
                    header.len()
                )),
            );
        }
        if json.len() > 1 {
            json.push(',');
        }
        json.push('{');
        for (place, cell) in cells.into_iter().enumerate() {
            if place > 0 {
                json.push(',');
            }
            json.push_str(&header[place]);
            json.push(':');
            if cell.text == "NULL" && !cell.quoted {
                json.push_str("null");
            } else {
                json.push_str(&serde_json::Value::from(cell.text).to_string());
            }
        }
        json.push('}');
    }
    json.push(']');
    Ok(json)
}

struct Cell {
    text: String,
    quoted: bool,
}

struct Lines<'a> {
    text: &'a str,
    line: usize,
}

impl Lines<'_> {
    /// The next line's cells; empty lines are passed over.
    fn next_line(&mut self) -> Result<Option<Vec<Cell>>, RestError> {
        while let Some(rest) = self
            .text
            .strip_prefix("\r\n")
            .or_else(|| self.text.strip_prefix('\n'))
        {
            self.text = rest;
        }
        if self.text.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell()?);
            if let Some(rest) = self.text.strip_prefix(',') {
                self.text = rest;
                continue;
            }
            if self.text.is_empty() || self.text.starts_with('\n') || self.text.starts_with("\r\n")
            {
                return Ok(Some(cells));
            }
            return Err(invalid("The CSV can't be read")
                .detail(format!("text after a closing quote, line {}", self.line)));
        }
    }

    fn cell(&mut self) -> Result<Cell, RestError> {
        let Some(mut rest) = self.text.strip_prefix('"') else {
            let end = self.text.find([',', '\n']).unwrap_or(self.text.len());
            let end = if self.text[..end].ends_with('\r') && !self.text[end..].starts_with(',') {
                end - 1
            } else {
                end
            };
            let text = self.text[..end].to_owned();
            self.text = &self.text[end..];
            return Ok(Cell {
                text,
                quoted: false,
            });
        };
        let mut text = String::new();
        loop {
            let Some(end) = rest.find('"') else {
                return Err(invalid("The CSV can't be read")
                    .detail(format!("a quote is not closed, line {}", self.line)));
            };
            text.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(after) => {
                    text.push('"');
                    rest = after;
                }
                None => {
                    self.text = rest;
                    return Ok(Cell { text, quoted: true });
                }
            }
        }
    }
}
