//! The parser's door: a migration's text becomes statements that know their lines. sqlparser's tree goes no further than the lowering.
//!
//! sqlparser rather than Postgres' own grammar (pg_query): it groups every expression of `tests/precedence.txt` as a PostgreSQL server
//! does but for two constructs, which the lowering refuses, and it builds in seconds where pg_query wants libclang and a C compiler and
//! another minute of every clean build.

use crate::trouble::{Result, Trouble};
use sqlparser::ast::{Expr, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// How deep expressions and sub-selects may nest.
const DEPTH: usize = 64;

/// One statement, not yet parsed.
pub(crate) struct Source {
    /// The line of its first word.
    pub line: u64,
    tokens: Vec<TokenWithSpan>,
}

impl Source {
    /// Its text, comments left out.
    pub fn text(&self) -> String {
        let text: String = self
            .tokens
            .iter()
            .filter(|token| !is_comment(&token.token))
            .map(|token| token.token.to_string())
            .collect();
        text.trim().to_owned()
    }

    /// Its words and signs without white space.
    pub fn words(&self) -> impl Iterator<Item = &Token> {
        self.tokens
            .iter()
            .map(|token| &token.token)
            .filter(|token| !matches!(token, Token::Whitespace(_)))
    }

    /// Whether it starts with these words, in any case.
    pub fn starts_with(&self, words: &[&str]) -> bool {
        let mut tokens = self.words();
        words.iter().all(|word| matches!(tokens.next(), Some(Token::Word(found)) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word)))
    }

    /// The actions of an `alter table`, each as a statement of its own, with its words alone.
    pub fn alter_actions(&self) -> Vec<(Source, Vec<Token>)> {
        let word = |token: &Token, wanted: &str| matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(wanted));
        let solid: Vec<&TokenWithSpan> = self
            .tokens
            .iter()
            .filter(|token| !matches!(token.token, Token::Whitespace(_)))
            .collect();
        let mut at = 2;
        while solid.get(at).is_some_and(|token| {
            ["if", "exists", "only"]
                .iter()
                .any(|skipped| word(&token.token, skipped))
        }) {
            at += 1;
        }
        at += 1;
        while solid
            .get(at)
            .is_some_and(|token| token.token == Token::Period)
        {
            at += 2;
        }
        let space = |token: &TokenWithSpan| TokenWithSpan {
            token: Token::Whitespace(sqlparser::tokenizer::Whitespace::Space),
            span: token.span,
        };
        let head: Vec<TokenWithSpan> = solid[..at.min(solid.len())]
            .iter()
            .flat_map(|token| [(*token).clone(), space(token)])
            .collect();
        if solid.get(at).is_some_and(|token| token.token == Token::Mul) {
            at += 1;
        }
        let mut depth = 0_i32;
        solid[at.min(solid.len())..]
            .split(|token| {
                match token.token {
                    Token::LParen | Token::LBracket => depth += 1,
                    Token::RParen | Token::RBracket => depth -= 1,
                    _ => {}
                }
                depth == 0 && token.token == Token::Comma
            })
            .map(|action| {
                let tokens = head
                    .iter()
                    .cloned()
                    .chain(
                        action
                            .iter()
                            .flat_map(|token| [(*token).clone(), space(token)]),
                    )
                    .collect();
                let source = Source {
                    line: action
                        .first()
                        .map_or(self.line, |token| token.span.start.line),
                    tokens,
                };
                (
                    source,
                    action.iter().map(|token| token.token.clone()).collect(),
                )
            })
            .collect()
    }

    /// Parses it.
    pub fn statement(&self) -> Result<Statement> {
        self.symmetric()?;
        let mut parser = Parser::new(&PostgreSqlDialect {})
            .with_recursion_limit(DEPTH)
            .with_tokens_with_locations(self.readable());
        let parsed = parser
            .parse_statement()
            .map_err(|error| self.syntax(&error.to_string()))?;
        let next = parser.peek_token();
        if next.token != Token::EOF {
            return Err(Trouble::invalid(
                format!("{}", next.token),
                "not understood here",
                "check the syntax against the PostgreSQL manual; if it is right, the construct is not available on the embedded engine",
            )
            .at(next.span.start.line));
        }
        Ok(parsed)
    }

    /// The parser takes the word after `between` for a name, and what follows for its arguments.
    fn symmetric(&self) -> Result<()> {
        let solid: Vec<&TokenWithSpan> = self
            .tokens
            .iter()
            .filter(|token| !matches!(token.token, Token::Whitespace(_)))
            .collect();
        let is = |token: &TokenWithSpan, wanted: &str| matches!(&token.token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(wanted));
        match solid
            .windows(2)
            .find(|pair| is(pair[0], "between") && is(pair[1], "symmetric"))
        {
            Some(pair) => Err(Trouble::unsupported(
                "between symmetric",
                "write between least(a, b) and greatest(a, b)",
            )
            .at(pair[1].span.start.line)),
            None => Ok(()),
        }
    }

    /// `with [local | cascaded] check option` at its end, as a view has it: how many words, and whether only the view's own condition counts.
    pub fn check_option(&self) -> Option<(usize, bool)> {
        if !(self.starts_with(&["create", "view"])
            || self.starts_with(&["create", "or", "replace", "view"]))
        {
            return None;
        }
        let words: Vec<String> = self
            .words()
            .filter(|token| !matches!(token, Token::SemiColon))
            .map(|token| token.to_string().to_lowercase())
            .collect();
        let ends =
            |end: &[&str]| words.len() > end.len() && words[words.len() - end.len()..] == *end;
        if ends(&["with", "local", "check", "option"]) {
            Some((4, true))
        } else if ends(&["with", "cascaded", "check", "option"]) {
            Some((4, false))
        } else if ends(&["with", "check", "option"]) {
            Some((3, false))
        } else {
            None
        }
    }

    /// Its tokens, but for what the parser has no rule for and somebody else reads.
    fn readable(&self) -> Vec<TokenWithSpan> {
        let Some((mut words, _)) = self.check_option() else {
            return self.without_estimates();
        };
        let mut kept = self.tokens.clone();
        while words > 0 {
            let Some(token) = kept.pop() else { break };
            if !matches!(token.token, Token::Whitespace(_) | Token::SemiColon) {
                words -= 1;
            }
        }
        kept
    }

    /// Its tokens, but for what a function says of its costs: the parser has no rule for that, and it changes no answer.
    fn without_estimates(&self) -> Vec<TokenWithSpan> {
        if !(self.starts_with(&["create", "function"])
            || self.starts_with(&["create", "or", "replace", "function"]))
        {
            return self.tokens.clone();
        }
        let word = |token: &Token, word: &str| matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word));
        let mut depth = 0;
        let mut kept = Vec::with_capacity(self.tokens.len());
        let mut skipping = false;
        for token in &self.tokens {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if skipping {
                skipping = !matches!(token.token, Token::Number(..));
                continue;
            }
            if depth == 0 && (word(&token.token, "rows") || word(&token.token, "cost")) {
                skipping = true;
                continue;
            }
            if depth == 0 && word(&token.token, "leakproof") {
                continue;
            }
            kept.push(token.clone());
        }
        kept
    }

    fn syntax(&self, error: &str) -> Trouble {
        let reason = error.trim_start_matches("sql parser error: ");
        let line = reason
            .rsplit_once(" at Line: ")
            .and_then(|(_, place)| place.split(',').next()?.parse().ok())
            .unwrap_or(self.line);
        let reason = reason.split(" at Line: ").next().unwrap_or(reason);
        let text = self.text();
        let first: String = text
            .split_whitespace()
            .take(4)
            .collect::<Vec<_>>()
            .join(" ");
        Trouble::invalid(first, reason, "check the syntax; if PostgreSQL takes it, the construct is not available on the embedded engine").at(line)
    }
}

/// Parses one expression, standing alone.
pub(crate) fn expression(text: &str) -> Result<Expr> {
    let broken = |reason: String| {
        Trouble::invalid(
            text,
            reason,
            "check the syntax against the PostgreSQL manual",
        )
    };
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(DEPTH)
        .try_with_sql(text)
        .map_err(|error| broken(error.to_string()))?;
    let parsed = parser
        .parse_expr()
        .map_err(|error| broken(error.to_string()))?;
    match parser.peek_token().token {
        Token::EOF => Ok(parsed),
        other => Err(broken(format!("{other} is not understood here"))),
    }
}

fn is_comment(token: &Token) -> bool {
    use sqlparser::tokenizer::Whitespace;
    matches!(
        token,
        Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_))
    )
}

/// Splits a migration at its semicolons.
pub(crate) fn split(sql: &str) -> Result<Vec<Source>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize_with_location()
        .map_err(|error| {
            Trouble::invalid("text", error.message.clone(), "close the quote or comment")
                .at(error.location.line)
        })?;
    let mut sources = Vec::new();
    let mut current: Vec<TokenWithSpan> = Vec::new();
    let mut finish = |tokens: &mut Vec<TokenWithSpan>| {
        let tokens = std::mem::take(tokens);
        if let Some(first) = tokens
            .iter()
            .find(|token| !matches!(token.token, Token::Whitespace(_)))
        {
            sources.push(Source {
                line: first.span.start.line,
                tokens,
            });
        }
    };
    // Within `begin atomic .. end` a semicolon ends a statement of the function's, not of the migration's.
    let mut atomic: Option<u32> = None;
    let mut last = String::new();
    for token in tokens {
        if let Token::Word(word) = &token.token
            && word.quote_style.is_none()
        {
            let word = word.value.to_ascii_lowercase();
            match (&mut atomic, word.as_str()) {
                (None, "atomic") if last == "begin" => atomic = Some(0),
                (Some(depth), "case") => *depth += 1,
                (Some(0), "end") => atomic = None,
                (Some(depth), "end") => *depth -= 1,
                _ => {}
            }
            last = word;
        }
        match token.token {
            Token::SemiColon if atomic.is_none() => finish(&mut current),
            Token::EOF => {}
            _ => current.push(token),
        }
    }
    finish(&mut current);
    Ok(sources)
}
