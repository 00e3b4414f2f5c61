//! `order=col.desc.nullslast,rel(col)`.

use super::Shape;
use super::cursor::{Cursor, QueryError};
use pando_plan::request::{Order, Path};

/// Reads the value of `order=`.
pub(super) fn terms(text: &str, shape: &mut Shape) -> Result<Vec<Order>, QueryError> {
    let mut cursor = Cursor::new(text, "order");
    let mut terms = Vec::new();
    loop {
        cursor.skip_spaces();
        shape.count_term()?;
        terms.push(term(&mut cursor)?);
        cursor.skip_spaces();
        if !cursor.eat(",") {
            cursor.expect_end("\",\" or \".asc\", \".desc\", \".nullsfirst\", \".nullslast\"")?;
            return Ok(terms);
        }
    }
}

fn term(cursor: &mut Cursor<'_>) -> Result<Order, QueryError> {
    let name = cursor.name("a column name")?;
    let (relation, path) = if cursor.eat("(") {
        let path = cursor.path()?;
        cursor.expect(")", "\")\"")?;
        (Some(name), path)
    } else {
        (
            None,
            Path {
                column: name,
                steps: cursor.json_steps()?,
            },
        )
    };
    let descending = if word(cursor, ".desc") {
        true
    } else {
        word(cursor, ".asc");
        false
    };
    let nulls_first = if word(cursor, ".nullsfirst") {
        Some(true)
    } else if word(cursor, ".nullslast") {
        Some(false)
    } else {
        None
    };
    Ok(Order {
        relation,
        path,
        descending,
        nulls_first,
    })
}

/// Eats a whole word, not the start of a longer one.
fn word(cursor: &mut Cursor<'_>, word: &str) -> bool {
    let mut ahead = cursor.clone();
    if ahead.eat(word) && (ahead.at_end() || matches!(ahead.peek(), Some('.' | ',' | ' '))) {
        *cursor = ahead;
        return true;
    }
    false
}
