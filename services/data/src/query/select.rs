//! `select=`: columns, casts, renames, embedded resources.

use super::Shape;
use super::cursor::{Cursor, QueryError};
use pando_plan::request::{Embed, Item, Node, Path};

/// Reads the value of `select=` into a node's items.
pub(super) fn items(text: &str, shape: &mut Shape) -> Result<Vec<Item>, QueryError> {
    let mut cursor = Cursor::new(text, "select parameter");
    cursor.skip_spaces();
    if cursor.at_end() {
        return Ok(Vec::new());
    }
    let items = list(&mut cursor, shape, 0)?;
    cursor.expect_end("\",\" or the end of the select")?;
    Ok(items)
}

fn list(cursor: &mut Cursor<'_>, shape: &mut Shape, depth: usize) -> Result<Vec<Item>, QueryError> {
    let mut items = Vec::new();
    loop {
        cursor.skip_spaces();
        items.push(item(cursor, shape, depth)?);
        cursor.skip_spaces();
        if !cursor.eat(",") {
            return Ok(items);
        }
    }
}

fn item(cursor: &mut Cursor<'_>, shape: &mut Shape, depth: usize) -> Result<Item, QueryError> {
    shape.count_term()?;
    if cursor.eat("...") {
        let relation = cursor.name("the name of a resource to spread")?;
        return embed(cursor, shape, depth, None, relation, true);
    }
    if cursor.eat("*") {
        return Ok(Item::Star);
    }
    let alias = alias(cursor);
    let name = cursor.name("a field name (\"*\", a column or an embedded resource)")?;
    if cursor.looking_at("()") && name == "count" {
        return Err(aggregate());
    }
    if matches!(cursor.peek(), Some('!' | '(')) {
        return embed(cursor, shape, depth, alias, name, false);
    }
    let path = Path {
        column: name,
        steps: cursor.json_steps()?,
    };
    let cast = if cursor.eat("::") {
        Some(cast(cursor)?)
    } else {
        None
    };
    if let Some(function) = cursor.rest().strip_prefix('.')
        && ["sum()", "avg()", "count()", "max()", "min()"]
            .iter()
            .any(|known| function.starts_with(known))
    {
        return Err(aggregate());
    }
    Ok(Item::Column { alias, path, cast })
}

fn aggregate() -> QueryError {
    QueryError::new("PGRST123", "Use of aggregate functions is not allowed")
}

/// `alias:`, but not the first half of `col::cast`.
fn alias(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut ahead = cursor.clone();
    let name = ahead.name("").ok()?;
    if ahead.looking_at("::") || !ahead.eat(":") {
        return None;
    }
    *cursor = ahead;
    Some(name)
}

/// A type's name with its modifiers, such as `numeric(10,2)`, `text[]`, `double precision`.
fn cast(cursor: &mut Cursor<'_>) -> Result<String, QueryError> {
    let mut name = cursor.name("the name of a type")?;
    if cursor.looking_at("(") {
        let inside = cursor.rest().find(')').map(|end| cursor.take(end + 1));
        name.push_str(inside.ok_or_else(|| cursor.fail("\")\""))?);
    }
    while cursor.eat("[]") {
        name.push_str("[]");
    }
    Ok(name)
}

fn embed(
    cursor: &mut Cursor<'_>,
    shape: &mut Shape,
    depth: usize,
    alias: Option<String>,
    relation: String,
    spread: bool,
) -> Result<Item, QueryError> {
    if depth >= shape.embed_depth_max {
        return Err(QueryError::new(
            "PGRST100",
            format!(
                "resources are embedded more than {} levels deep",
                shape.embed_depth_max
            ),
        )
        .hint("Embed fewer levels, or ask in two requests."));
    }
    let (mut hint, mut inner, mut joined) = (None, false, false);
    while cursor.eat("!") {
        let word = cursor
            .name("\"inner\", \"left\" or a hint (a foreign key, a column or a junction table)")?;
        match word.as_str() {
            "inner" | "left" if !joined => (inner, joined) = (word == "inner", true),
            _ if hint.is_none() => hint = Some(word),
            _ => return Err(cursor.fail("at most one hint and one of !inner and !left")),
        }
    }
    cursor.expect("(", "\"(\"")?;
    cursor.skip_spaces();
    let items = if cursor.looking_at(")") {
        Vec::new()
    } else {
        list(cursor, shape, depth + 1)?
    };
    cursor.expect(")", "\",\" or \")\"")?;
    let node = Node {
        items,
        ..Node::default()
    };
    Ok(Item::Embed(Box::new(Embed {
        alias,
        relation,
        hint,
        inner,
        spread,
        node,
    })))
}
