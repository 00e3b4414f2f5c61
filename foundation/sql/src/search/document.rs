//! A text as lexemes with the places they stand at.

use super::Config;
use super::dictionary::lexeme;
use super::words::words;
use std::collections::BTreeMap;
use std::fmt;

/// The last place that is told apart.
const PLACE_MAX: u32 = 16_383;
/// Places kept of one lexeme.
const PLACES_MAX: usize = 255;

/// Lexemes with their places, in order.
#[derive(Debug, Default)]
pub(crate) struct Document(BTreeMap<String, Vec<u32>>);

impl Document {
    /// Reads a text.
    pub(crate) fn read(text: &str, config: Config) -> Document {
        let mut document = Document::default();
        let mut place = 0;
        for word in words(text) {
            // What is passed over takes its place all the same.
            place = (place + 1).min(PLACE_MAX);
            let Some(lexeme) = lexeme(&word, config) else {
                continue;
            };
            let places = document.0.entry(lexeme).or_default();
            if places.len() < PLACES_MAX && places.last() != Some(&place) {
                places.push(place);
            }
        }
        document
    }

    /// Where a lexeme stands, or all that start with it.
    pub(super) fn places(&self, lexeme: &str, prefix: bool) -> Vec<u32> {
        if !prefix {
            return self.0.get(lexeme).cloned().unwrap_or_default();
        }
        let mut places: Vec<u32> = self
            .0
            .range(lexeme.to_owned()..)
            .take_while(|(known, _)| known.starts_with(lexeme))
            .flat_map(|(_, places)| places)
            .copied()
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Whether a lexeme is there, or one that starts with it.
    pub(super) fn has(&self, lexeme: &str, prefix: bool) -> bool {
        if !prefix {
            return self.0.contains_key(lexeme);
        }
        let mut from = self.0.range(lexeme.to_owned()..);
        from.next()
            .is_some_and(|(known, _)| known.starts_with(lexeme))
    }
}

impl fmt::Display for Document {
    /// As Postgres prints a tsvector.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Shorter lexemes do not come first: they are ordered by their bytes.
        for (index, (lexeme, places)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "'{}':", lexeme.replace('\\', "\\\\").replace('\'', "''"))?;
            for (index, place) in places.iter().enumerate() {
                if index > 0 {
                    f.write_str(",")?;
                }
                write!(f, "{place}")?;
            }
        }
        Ok(())
    }
}
