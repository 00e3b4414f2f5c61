//! What becomes of a word: its lexeme, or nothing for one that is too common to be looked for.

use super::Config;
use super::stop_words::ENGLISH;
use super::words::{Kind, Word};
use rust_stemmers::{Algorithm, Stemmer};

thread_local! {
    static STEMMER: Stemmer = Stemmer::create(Algorithm::English);
}

/// The lexeme of a word.
pub(super) fn lexeme(word: &Word<'_>, config: Config) -> Option<String> {
    let lower = word.text.to_lowercase();
    match (config, word.kind) {
        (Config::Simple, _) | (_, Kind::Other) => Some(lower),
        (Config::English, Kind::Letters) => {
            if ENGLISH.contains(&lower.as_str()) {
                return None;
            }
            Some(STEMMER.with(|stemmer| stemmer.stem(&lower).into_owned()))
        }
    }
}
