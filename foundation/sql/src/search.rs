//! Text search: texts and queries as Postgres reads them for the configurations `english` and `simple`.
//!
//! ```text
//! text  --words (its parts, by kind)--> --dictionary--> lexemes with positions: a document
//! query --grammar--> operands --words, dictionary--> a tree over lexemes, which holds of a document or not
//! ```
//!
//! Source: PostgreSQL docs, chapter 12. Deliberately absent: weights of documents (all are D), ranking, headlines, indexes.

mod dictionary;
mod document;
mod grammar;
mod query;
mod stop_words;
mod words;

use crate::error::SqlError;
pub(crate) use document::Document;
pub(crate) use query::Query;
use std::fmt;

/// What words are made of, and which are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Config {
    /// Words in lower case.
    Simple,
    /// Words by their stems, common ones left out.
    English,
}

/// Configurations Postgres has and we have not.
const ELSEWHERE: &[&str] = &[
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

impl Config {
    /// What holds where none is named.
    pub const DEFAULT: Config = Config::English;

    /// A configuration by its name, with or without `pg_catalog`.
    ///
    /// Errors: 42704 for one nobody knows, 0A000 for one that only Postgres has.
    pub fn read(name: &str) -> Result<Config, SqlError> {
        let folded = name.trim().to_lowercase();
        let plain = folded.strip_prefix("pg_catalog.").unwrap_or(&folded);
        match plain.trim_matches('"') {
            "english" => Ok(Config::English),
            "simple" => Ok(Config::Simple),
            known if ELSEWHERE.contains(&known) => Err(SqlError::new(
                "0A000",
                format!(
                    "text search configuration \"{known}\" is not available on the embedded engine"
                ),
            )
            .hint("Use english or simple.")),
            _ => Err(SqlError::new(
                "42704",
                format!("text search configuration \"{name}\" does not exist"),
            )),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Config::Simple => "simple",
            Config::English => "english",
        }
    }
}

/// How a query is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// `to_tsquery`: operators between words.
    Operators,
    /// `plainto_tsquery`: all words.
    Plain,
    /// `phraseto_tsquery`: the words in this order.
    Phrase,
    /// `websearch_to_tsquery`: as people write into a search box.
    Web,
}

impl Mode {
    /// By the function that reads so.
    pub fn of_function(name: &str) -> Option<Mode> {
        Some(match name {
            "to_tsquery" => Mode::Operators,
            "plainto_tsquery" => Mode::Plain,
            "phraseto_tsquery" => Mode::Phrase,
            "websearch_to_tsquery" => Mode::Web,
            _ => return None,
        })
    }

    /// The function that reads so.
    pub fn function(self) -> &'static str {
        match self {
            Mode::Operators => "to_tsquery",
            Mode::Plain => "plainto_tsquery",
            Mode::Phrase => "phraseto_tsquery",
            Mode::Web => "websearch_to_tsquery",
        }
    }
}

/// A query as Postgres prints it: what [`crate::functions`] compares documents with.
///
/// Errors: 42601 for what the grammar does not know.
pub fn read_query(text: &str, config: Config, mode: Mode) -> Result<String, SqlError> {
    Ok(Query::read(text, config, mode)?.map_or_else(String::new, |query| query.to_string()))
}

/// A text's lexemes with their places, as Postgres prints a tsvector.
pub fn read_document(text: &str, config: Config) -> String {
    Document::read(text, config).to_string()
}

/// Whether a text has what a query, as [`read_query`] gives it, asks for.
pub fn holds(text: &str, config: Config, query: &str) -> Result<bool, SqlError> {
    match Query::printed(query)? {
        Some(query) => Ok(query.holds(&Document::read(text, config))),
        None => Ok(false),
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
