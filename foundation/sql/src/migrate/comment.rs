//! Statements that are recorded or change nothing here: comments, settings and the publication realtime reads.

use super::reference::shown;
use super::{Migration, Source};
use crate::lower::cut;
use crate::trouble::{Result, Trouble};
use sqlparser::tokenizer::Token;
use std::sync::Arc;

/// Dotted names among the words of a statement, as Postgres folds them.
pub(super) fn dotted<'a>(
    tokens: &mut std::iter::Peekable<impl Iterator<Item = &'a Token>>,
) -> Vec<String> {
    let mut parts = Vec::new();
    while let Some(Token::Word(word)) = tokens.next_if(|token| matches!(token, Token::Word(_))) {
        parts.push(if word.quote_style.is_some() {
            cut(word.value.clone())
        } else {
            cut(word.value.to_ascii_lowercase())
        });
        if tokens.next_if(|token| **token == Token::Period).is_none() {
            break;
        }
    }
    parts
}

pub(super) fn pair(mut parts: Vec<String>) -> Option<(String, String)> {
    match (parts.pop(), parts.pop(), parts.pop()) {
        (Some(name), schema, None) => Some((schema.unwrap_or_else(|| "public".to_owned()), name)),
        _ => None,
    }
}

pub(super) fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.value.eq_ignore_ascii_case(word))
}

impl Migration {
    /// `alter publication supabase_realtime add table a, b`, `drop table`, `set table`.
    pub(super) fn publication(&mut self, source: &Source) -> Result<()> {
        let refused = || {
            Trouble::unsupported(
                source.text(),
                "use alter publication supabase_realtime add table <name>, or drop table <name>",
            )
        };
        let mut words = source.words().skip(2).peekable();
        if !words
            .next()
            .is_some_and(|word| is_word(word, "supabase_realtime"))
        {
            return Err(refused());
        }
        let verb = words.next().ok_or_else(refused)?;
        if !words.next().is_some_and(|word| is_word(word, "table")) {
            return Err(refused());
        }
        let mut tables = Vec::new();
        loop {
            words.next_if(|word| is_word(word, "only"));
            let table = pair(dotted(&mut words)).ok_or_else(refused)?;
            if !self.catalog.tables.contains_key(&table) {
                return Err(Trouble::invalid(
                    format!("{}.{}", table.0, table.1),
                    "the table does not exist",
                    "create it first",
                ));
            }
            tables.push(table);
            match words.next() {
                Some(Token::Comma) => {}
                None => break,
                Some(_) => return Err(refused()),
            }
        }
        if is_word(verb, "set") {
            self.catalog.published.clear();
        }
        for table in tables {
            if is_word(verb, "drop") {
                self.catalog.published.retain(|known| *known != table);
            } else if is_word(verb, "add") || is_word(verb, "set") {
                if !self.catalog.published.contains(&table) {
                    self.catalog.published.push(table);
                }
            } else {
                return Err(refused());
            }
        }
        Ok(())
    }

    /// `comment on .. is ..`
    pub(super) fn comment(&mut self, source: &Source) -> Result<()> {
        let unclear =
            || Trouble::unsupported(source.text(), "write comment on <kind> <name> is '<text>'");
        let text = source.words().last().and_then(|token| match token {
            Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => {
                Some(text.clone())
            }
            Token::DollarQuotedString(text) => Some(text.value.clone()),
            _ => None,
        });
        let mut words = source.words().skip(2).peekable();
        let kind = match words.next() {
            Some(Token::Word(word)) => word.value.to_lowercase(),
            _ => return Err(unclear()),
        };
        let mut name = dotted(&mut words);
        if name.is_empty() {
            return Err(unclear());
        }
        let mut on = Vec::new();
        if words.next_if(|word| is_word(word, "on")).is_some() {
            on = dotted(&mut words);
        }
        let absent = |state: &'static str, what: String| {
            Err(Trouble::sql(state, format!("{what} does not exist")))
        };
        let joined = name.join(".");
        match kind.as_str() {
            "column" => {
                let column = name.pop().unwrap_or_default();
                let Some(key) = pair(name) else {
                    return Err(unclear());
                };
                let Some(table) = self.catalog.tables.get_mut(&key) else {
                    return absent("42P01", format!("relation \"{}\"", shown(&key)));
                };
                let table = Arc::make_mut(table);
                match table.columns.iter_mut().find(|known| known.name == column) {
                    Some(known) => known.comment = text,
                    None => {
                        return absent(
                            "42703",
                            format!("column \"{column}\" of relation \"{}\"", table.name),
                        );
                    }
                }
                return Ok(());
            }
            "table" | "view" => {
                let Some(key) = pair(name) else {
                    return Err(unclear());
                };
                let Some(table) = self.catalog.tables.get_mut(&key) else {
                    return absent("42P01", format!("relation \"{}\"", shown(&key)));
                };
                if (kind == "view") != table.view.is_some() {
                    return Err(Trouble::sql(
                        "42809",
                        format!("\"{}\" is not a {kind}", table.name),
                    ));
                }
                Arc::make_mut(table).comment = text;
                return Ok(());
            }
            "constraint" | "policy" | "trigger" => {
                let Some(key) = pair(on) else {
                    return Err(unclear());
                };
                let Some(table) = self.catalog.tables.get(&key) else {
                    return absent("42P01", format!("relation \"{}\"", shown(&key)));
                };
                let known = match kind.as_str() {
                    "constraint" => super::name::constrained(table, &joined),
                    "policy" => table.policies.iter().any(|policy| policy.name == joined),
                    _ => true,
                };
                if !known {
                    return absent(
                        "42704",
                        format!("{kind} \"{joined}\" for table \"{}\"", table.name),
                    );
                }
                self.remark(&kind, format!("{}.{}.{joined}", key.0, key.1), text);
                return Ok(());
            }
            "schema" => self.known_schema(&joined)?,
            "index" | "sequence" | "type" => {
                let Some(key) = pair(name) else {
                    return Err(unclear());
                };
                let known = match kind.as_str() {
                    "type" => self.catalog.enums.contains_key(&key),
                    "sequence" => self.catalog.sequences.contains_key(&key),
                    _ => self.relation_exists(&key.0, &key.1, None),
                };
                if !known {
                    return if kind == "type" {
                        absent("42704", format!("type \"{}\"", shown(&key)))
                    } else {
                        absent("42P01", format!("relation \"{}\"", shown(&key)))
                    };
                }
                self.remark(&kind, format!("{}.{}", key.0, key.1), text);
                return Ok(());
            }
            "function" | "procedure" | "routine" => {
                let Some(key) = pair(name) else {
                    return Err(unclear());
                };
                if !self.catalog.routines.contains_key(&key) {
                    return absent("42883", format!("function {}()", shown(&key)));
                }
                self.remark("function", format!("{}.{}", key.0, key.1), text);
                return Ok(());
            }
            // What else there is in Postgres is not here to be described.
            _ => return Ok(()),
        }
        self.remark(&kind, joined, text);
        Ok(())
    }

    fn remark(&mut self, kind: &str, name: String, text: Option<String>) {
        let key = (kind.to_owned(), name);
        match text {
            Some(text) => {
                self.catalog.comments.insert(key, text);
            }
            None => {
                self.catalog.comments.remove(&key);
            }
        }
    }

    /// Comments on parts of a table go with it; to another name, or away.
    pub(super) fn move_comments(&mut self, from: &(String, String), to: Option<&(String, String)>) {
        let start = format!("{}.{}.", from.0, from.1);
        let parts: Vec<(String, String)> = self
            .catalog
            .comments
            .keys()
            .filter(|(_, name)| name.starts_with(&start))
            .cloned()
            .collect();
        for key in parts {
            let text = self.catalog.comments.remove(&key);
            if let Some(to) = to {
                let name = format!("{}.{}.{}", to.0, to.1, &key.1[start.len()..]);
                self.remark(&key.0, name, text);
            }
        }
    }

    /// Settings of a session say nothing to a migration, but for those that change what its names or its rights mean.
    pub(super) fn set(&mut self, source: &Source) -> Result<()> {
        let mut words = source.words().skip(1).peekable();
        words.next_if(|word| is_word(word, "local") || is_word(word, "session"));
        let Some(name) = words.next() else {
            return Ok(());
        };
        let refused = |advice: &str| Err(Trouble::unsupported(source.text(), advice));
        if is_word(name, "role") || is_word(name, "authorization") {
            return refused("leave it out: a migration runs as the owner of the tables");
        }
        let usual = |word: &Token| match word {
            Token::Word(word) => [
                "to",
                "public",
                "extensions",
                "default",
                "$user",
                "pg_catalog",
            ]
            .iter()
            .any(|usual| word.value.eq_ignore_ascii_case(usual)),
            Token::SingleQuotedString(text) => text.is_empty() || text == "public",
            token => matches!(token, Token::Eq | Token::Comma),
        };
        if is_word(name, "search_path") && !words.all(usual) {
            return refused("leave it out, and name tables with their schemas");
        }
        Ok(())
    }
}
