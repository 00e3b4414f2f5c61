//! What an input showed: hashes of small facts. An input with a fact that no other had is worth keeping.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Facts of one run.
#[derive(Default)]
pub struct Seen {
    facts: HashSet<u64>,
    taken: bool,
}

impl Seen {
    /// A fact of its own kind.
    pub fn fact(&mut self, kind: &str, what: impl Hash) {
        let mut hasher = DefaultHasher::new();
        (kind, what).hash(&mut hasher);
        self.facts.insert(hasher.finish());
    }

    /// Something was read, not refused.
    pub fn take(&mut self) {
        self.taken = true;
    }

    /// Whether anything was read, not refused.
    pub fn is_taken(&self) -> bool {
        self.taken
    }

    /// The facts.
    pub fn facts(&self) -> &HashSet<u64> {
        &self.facts
    }

    /// An error: its state, and how its message begins, without what it repeats of the input.
    pub fn error(&mut self, kind: &str, state: &str, message: &str) {
        let message = message.split("found").next().unwrap_or_default();
        let words: Vec<String> = outside_quotes(message, false).take(2).collect();
        self.fact(kind, (state, words));
    }

    /// The pairs of words that follow one another in a rendered statement, names and numbers left out.
    pub fn statement(&mut self, kind: &str, sql: &str) {
        self.pairs(kind, outside_quotes(sql, false));
    }

    /// The pairs of types and variants that follow one another in what `Debug` prints.
    pub fn shape(&mut self, kind: &str, debug: &str) {
        let variants = outside_quotes(debug, true)
            .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
        self.pairs(kind, variants);
    }

    fn pairs(&mut self, kind: &str, words: impl Iterator<Item = String>) {
        let mut last = String::new();
        for word in words {
            self.fact(kind, (&last, &word));
            last = word;
        }
    }
}

/// The words of a text, without what stands in quotes and without digits. In quotes of Rust's a backslash covers what follows.
fn outside_quotes(text: &str, backslashes: bool) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match quote {
            Some(_) if backslashes && c == '\\' => drop(chars.next()),
            Some(end) => {
                if c == end {
                    quote = None;
                }
            }
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c.is_alphabetic() || c == '_' => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
            None => words.push(String::new()),
        }
    }
    words.into_iter().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_nothing_new() {
        let facts = |sql: &str| {
            let mut seen = Seen::default();
            seen.statement("s", sql);
            seen.facts().clone()
        };
        assert_eq!(
            facts("SELECT \"a\" + ?1 FROM \"t\""),
            facts("SELECT \"other\" + ?12 FROM \"u\"")
        );
        assert_ne!(facts("SELECT \"a\""), facts("DELETE \"a\""));
    }
}
