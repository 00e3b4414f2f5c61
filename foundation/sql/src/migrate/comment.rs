//! Statements that are recorded or change nothing here: comments, grants, settings and the publication realtime reads.

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

fn is_word(token: &Token, word: &str) -> bool {
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

    /// `comment on table`, `on column`; comments on other things change nothing anybody sees here.
    pub(super) fn comment(&mut self, source: &Source) -> Result<()> {
        let mut words = source.words().skip(2).peekable();
        let kind = words.next();
        let mut name = dotted(&mut words);
        let text = source.words().last().and_then(|token| match token {
            Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => {
                Some(text.clone())
            }
            _ => None,
        });
        let missing = || {
            Trouble::invalid(
                source.text(),
                "the table or column does not exist",
                "check the name",
            )
        };
        match kind {
            Some(kind) if is_word(kind, "table") => {
                let table = pair(name)
                    .and_then(|key| self.catalog.tables.get_mut(&key))
                    .ok_or_else(missing)?;
                Arc::make_mut(table).comment = text;
            }
            Some(kind) if is_word(kind, "column") => {
                let column = name.pop().ok_or_else(missing)?;
                let table = pair(name)
                    .and_then(|key| self.catalog.tables.get_mut(&key))
                    .ok_or_else(missing)?;
                let column = Arc::make_mut(table)
                    .columns
                    .iter_mut()
                    .find(|known| known.name == column)
                    .ok_or_else(missing)?;
                column.comment = text;
            }
            _ => {}
        }
        Ok(())
    }

    /// Recorded with the tables it names; grants on anything else concern what the embedded engine has not.
    pub(super) fn grant(&mut self, source: &Source) -> Result<()> {
        let text = source.text();
        let mut words = source
            .words()
            .skip_while(|word| !is_word(word, "on"))
            .skip(1)
            .peekable();
        words.next_if(|word| is_word(word, "table"));
        while let Some(key) = pair(dotted(&mut words)) {
            if let Some(table) = self.catalog.tables.get_mut(&key) {
                Arc::make_mut(table).grants.push(text.clone());
            }
            if words.next_if(|word| **word == Token::Comma).is_none() {
                break;
            }
        }
        Ok(())
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
