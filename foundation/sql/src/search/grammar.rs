//! How queries are written.

use super::dictionary::lexeme;
use super::query::Query;
use super::words::words;
use super::{Config, Mode};
use crate::error::SqlError;

/// How deep a query may nest.
const DEPTH: usize = 64;
/// Operands of one query, and words of one operand.
const WORDS_MAX: usize = 512;
/// The greatest distance between words.
const DISTANCE_MAX: u32 = 16_384;

/// As [`Query`], where nothing stands for words that are passed over.
enum Draft {
    Nothing,
    Lexeme(String, bool, String),
    Not(Box<Draft>),
    Pair(Pair, Box<Draft>, Box<Draft>),
}

#[derive(Clone, Copy, PartialEq)]
enum Pair {
    Or,
    And,
    Phrase(u32),
}

impl Pair {
    fn rank(self) -> u8 {
        match self {
            Pair::Or => 1,
            Pair::And => 2,
            Pair::Phrase(_) => 3,
        }
    }
}

impl Query {
    /// Reads a query; none if it has no words to look for.
    pub(crate) fn read(text: &str, config: Config, mode: Mode) -> Result<Option<Query>, SqlError> {
        let draft = match mode {
            Mode::Plain => operand(text, config, Pair::And, false, "")?,
            Mode::Phrase => operand(text, config, Pair::Phrase(1), false, "")?,
            Mode::Operators => Parser::new(text, Some(config)).whole()?,
            Mode::Web => Web { rest: text, config }.read()?,
        };
        Ok(settle(draft).0)
    }

    /// Reads what [`fmt::Display`] wrote: its words are lexemes already.
    pub(crate) fn printed(text: &str) -> Result<Option<Query>, SqlError> {
        Ok(settle(Parser::new(text, None).whole()?).0)
    }
}

/// Several words of one operand, joined.
fn operand(
    text: &str,
    config: Config,
    join: Pair,
    prefix: bool,
    weights: &str,
) -> Result<Draft, SqlError> {
    let mut whole: Option<Draft> = None;
    let mut lexemes: Vec<Option<String>> = Vec::new();
    for word in words(text) {
        at_most(lexemes.len())?;
        lexemes.push(lexeme(&word, config));
    }
    // What is passed over keeps its place, but for the last ones.
    let kept = lexemes
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |at| at + 1);
    lexemes.truncate(kept);
    for lexeme in lexemes {
        let one = match lexeme {
            Some(lexeme) => Draft::Lexeme(lexeme, prefix, weights.to_owned()),
            None => Draft::Nothing,
        };
        whole = Some(match whole {
            None => one,
            Some(before) => Draft::Pair(join, Box::new(before), Box::new(one)),
        });
    }
    Ok(whole.unwrap_or(Draft::Nothing))
}

/// A query's tree is as deep as it has words.
fn at_most(words: usize) -> Result<(), SqlError> {
    if words < WORDS_MAX {
        return Ok(());
    }
    Err(SqlError::new(
        "54000",
        format!("a text search query has at most {WORDS_MAX} words on the embedded engine"),
    ))
}

/// Leaves out what is passed over. What is left stands as far apart as before: the numbers say by how much a phrase around grows to
/// the left and to the right of it.
fn settle(draft: Draft) -> (Option<Query>, u32, u32) {
    match draft {
        Draft::Nothing => (None, 0, 0),
        Draft::Lexeme(text, prefix, weights) => (
            Some(Query::Lexeme {
                text,
                prefix,
                weights,
            }),
            0,
            0,
        ),
        Draft::Not(inner) => {
            let (inner, left, right) = settle(*inner);
            (inner.map(|inner| Query::Not(Box::new(inner))), left, right)
        }
        Draft::Pair(pair, left, right) => {
            let (left, left_before, left_after) = settle(*left);
            let (right, right_before, right_after) = settle(*right);
            let distance = match pair {
                Pair::Phrase(distance) => Some(distance),
                Pair::And | Pair::Or => None,
            };
            match (left, right, distance) {
                (None, None, Some(distance)) => {
                    let all = left_before + distance + right_before;
                    (None, all, all)
                }
                (None, None, None) => {
                    let all = left_before.max(right_before);
                    (None, all, all)
                }
                (None, right, Some(distance)) => {
                    (right, left_before + distance + right_before, right_after)
                }
                (None, right, None) => (right, right_before, right_after),
                (left, None, Some(distance)) => {
                    (left, left_before, left_after + distance + right_after)
                }
                (left, None, None) => (left, left_before, left_after),
                (Some(left), Some(right), Some(distance)) => {
                    let distance = distance + left_after + right_before;
                    let phrase = Query::Phrase(Box::new(left), Box::new(right), distance);
                    (Some(phrase), left_before, right_after)
                }
                (Some(left), Some(right), None) => {
                    let (left, right) = (Box::new(left), Box::new(right));
                    let query = match pair {
                        Pair::Or => Query::Or(left, right),
                        _ => Query::And(left, right),
                    };
                    (Some(query), 0, 0)
                }
            }
        }
    }
}

/// Whether a character ends a word outside of quotes.
fn is_operator(c: char) -> bool {
    matches!(c, '!' | '&' | '|' | '(' | ')' | '<')
}

/// Reads `a & !(b | c:*) <-> d`.
struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    /// Of words; without one they are lexemes already.
    config: Option<Config>,
    depth: usize,
    words: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, config: Option<Config>) -> Parser<'a> {
        Parser {
            text,
            rest: text,
            config,
            depth: 0,
            words: 0,
        }
    }

    fn broken(&self) -> SqlError {
        SqlError::new(
            "42601",
            format!("syntax error in tsquery: \"{}\"", self.text),
        )
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, sign: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn whole(mut self) -> Result<Draft, SqlError> {
        self.skip();
        if self.rest.is_empty() {
            return Ok(Draft::Nothing);
        }
        let draft = self.pairs(0)?;
        self.skip();
        if self.rest.is_empty() {
            Ok(draft)
        } else {
            Err(self.broken())
        }
    }

    /// Operands joined by what binds tighter than `rank`.
    fn pairs(&mut self, rank: u8) -> Result<Draft, SqlError> {
        let mut left = self.one()?;
        loop {
            let before = self.rest;
            let Some(pair) = self.pair()? else {
                return Ok(left);
            };
            if pair.rank() <= rank {
                self.rest = before;
                return Ok(left);
            }
            let right = self.pairs(pair.rank())?;
            left = Draft::Pair(pair, Box::new(left), Box::new(right));
        }
    }

    fn pair(&mut self) -> Result<Option<Pair>, SqlError> {
        if self.eat('&') {
            return Ok(Some(Pair::And));
        }
        if self.eat('|') {
            return Ok(Some(Pair::Or));
        }
        let Some(inner) = self.rest.strip_prefix('<') else {
            return Ok(None);
        };
        let (distance, rest) = inner.split_once('>').ok_or_else(|| self.broken())?;
        let distance = match distance {
            "-" => 1,
            digits if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse::<u32>()
                .ok()
                .filter(|distance| *distance <= DISTANCE_MAX)
                .ok_or_else(|| {
                    SqlError::new(
                        "22023",
                        format!(
                            "distance in phrase operator must be an integer value between zero and {DISTANCE_MAX} inclusive"
                        ),
                    )
                })?,
            _ => return Err(self.broken()),
        };
        self.rest = rest;
        Ok(Some(Pair::Phrase(distance)))
    }

    fn one(&mut self) -> Result<Draft, SqlError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(SqlError::new("54001", "stack depth limit exceeded"));
        }
        let draft = if self.eat('!') {
            Draft::Not(Box::new(self.one()?))
        } else if self.eat('(') {
            let inner = self.pairs(0)?;
            if !self.eat(')') {
                return Err(self.broken());
            }
            inner
        } else {
            self.word()?
        };
        self.depth -= 1;
        Ok(draft)
    }

    fn word(&mut self) -> Result<Draft, SqlError> {
        self.skip();
        if self.config.is_some() {
            at_most(self.words)?;
        }
        self.words += 1;
        if self.rest.is_empty() {
            return Err(SqlError::new(
                "42601",
                format!("no operand in tsquery: \"{}\"", self.text),
            ));
        }
        let mut text = String::new();
        let quoted = self.rest.starts_with('\'');
        let mut chars = self.rest[usize::from(quoted)..].chars();
        let closed = loop {
            let before = chars.as_str();
            match chars.next() {
                None => {
                    self.rest = "";
                    break !quoted;
                }
                Some('\\') => text.push(chars.next().ok_or_else(|| self.broken())?),
                Some('\'') if quoted => {
                    if chars.as_str().starts_with('\'') {
                        chars.next();
                        text.push('\'');
                    } else {
                        self.rest = chars.as_str();
                        break true;
                    }
                }
                Some(c) if !quoted && (c.is_whitespace() || c == ':' || is_operator(c)) => {
                    self.rest = before;
                    break true;
                }
                Some(c) => text.push(c),
            }
        };
        if !closed || text.is_empty() {
            return Err(self.broken());
        }
        let (mut prefix, mut weights) = (false, String::new());
        if let Some(rest) = self.rest.strip_prefix(':') {
            let flags = rest
                .find(|c: char| !matches!(c.to_ascii_uppercase(), '*' | 'A'..='D'))
                .unwrap_or(rest.len());
            for flag in rest[..flags].to_ascii_uppercase().chars() {
                match flag {
                    '*' => prefix = true,
                    flag if !weights.contains(flag) => weights.push(flag),
                    _ => {}
                }
            }
            self.rest = &rest[flags..];
            if self
                .rest
                .starts_with(|c: char| !c.is_whitespace() && !is_operator(c))
            {
                return Err(self.broken());
            }
        }
        Ok(match self.config {
            Some(config) => operand(&text, config, Pair::Phrase(1), prefix, &weights)?,
            None => Draft::Lexeme(text, prefix, weights),
        })
    }
}

/// Reads what people write into a search box: whatever it is, it means something.
struct Web<'a> {
    rest: &'a str,
    config: Config,
}

impl Web<'_> {
    fn read(mut self) -> Result<Draft, SqlError> {
        // `or` binds least, so the parts between are gathered first.
        let mut any: Option<Draft> = None;
        let mut all: Option<Draft> = None;
        for words in 0.. {
            at_most(words)?;
            let next = self.operand()?;
            all = Some(match all {
                None => next,
                Some(before) => Draft::Pair(Pair::And, Box::new(before), Box::new(next)),
            });
            let or = self.operator();
            if or == Some(false) {
                continue;
            }
            let part = all.take().unwrap_or(Draft::Nothing);
            any = Some(match any {
                None => part,
                Some(before) => Draft::Pair(Pair::Or, Box::new(before), Box::new(part)),
            });
            if or.is_none() {
                break;
            }
        }
        Ok(any.unwrap_or(Draft::Nothing))
    }

    /// `"a phrase"`, `word`, `-word`
    fn operand(&mut self) -> Result<Draft, SqlError> {
        let mut negated = 0_usize;
        loop {
            self.rest = self
                .rest
                .trim_start_matches(|c: char| c.is_whitespace() || is_operator(c));
            match self.rest.strip_prefix('-') {
                Some(rest) => {
                    negated += 1;
                    self.rest = rest;
                }
                None => break,
            }
        }
        let (text, rest) = match self.rest.strip_prefix('"') {
            Some(inner) => inner.split_once('"').unwrap_or((inner, "")),
            None => {
                let end = self.rest.char_indices().find(|(at, c)| {
                    c.is_whitespace() || is_operator(*c) || *c == '"' || (*c == ':' && *at > 0)
                });
                self.rest
                    .split_at(end.map_or(self.rest.len(), |(at, _)| at))
            }
        };
        self.rest = rest;
        let mut draft = operand(text, self.config, Pair::Phrase(1), false, "")?;
        for _ in 0..negated.min(DEPTH) {
            draft = Draft::Not(Box::new(draft));
        }
        Ok(draft)
    }

    /// What stands between operands: `or`, or nothing but that another follows. None at the end.
    fn operator(&mut self) -> Option<bool> {
        self.rest = self
            .rest
            .trim_start_matches(|c: char| c.is_whitespace() || is_operator(c));
        if self.rest.is_empty() {
            return None;
        }
        let word = self.rest.get(..2).unwrap_or_default();
        if word.eq_ignore_ascii_case("or") {
            let after = &self.rest[2..];
            let ends = !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
            let mut beyond = after.chars();
            beyond.next();
            if ends && !beyond.as_str().trim_start().is_empty() {
                self.rest = after;
                return Some(true);
            }
        }
        Some(false)
    }
}
