//! Tokens become statements. Expressions and SQL statements within are read by the parser of SQL.

use super::raise::is_condition;
use super::{Function, Kind, Raise, Returned, Statement, Target, Variable, VariableType};
use crate::lower::{cut, fold};
use crate::trouble::{Result, Trouble};
use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// How deep expressions and blocks may nest.
const DEPTH: usize = 64;

const ADVICE: &str = "a trigger's function may assign, select into variables, branch with if, insert, update, delete, raise and return; \
     put the rest into the app";

/// Reads a function's text; lines in errors count from its first.
pub(crate) fn read(text: &str) -> Result<Function> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize_with_location()
        .map_err(|error| {
            Trouble::invalid("text", error.message.clone(), "close the quote or comment")
                .at(error.location.line)
        })?
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
        .collect();
    let mut reader = Reader {
        tokens,
        at: 0,
        depth: 0,
    };
    let function = reader.function()?;
    if reader.peek().is_some() {
        return Err(reader.unexpected());
    }
    Ok(function)
}

struct Reader {
    tokens: Vec<TokenWithSpan>,
    at: usize,
    depth: usize,
}

/// An unquoted word in lower case.
fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_lowercase()),
        _ => None,
    }
}

/// A name as it is folded.
fn name(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_some() => Some(cut(word.value.clone())),
        Token::Word(word) => Some(cut(word.value.to_ascii_lowercase())),
        _ => None,
    }
}

fn shown(tokens: &[TokenWithSpan]) -> String {
    let words: Vec<String> = tokens.iter().map(|token| token.token.to_string()).collect();
    words.join(" ")
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|token| &token.token)
    }

    fn peek_word(&self) -> String {
        self.peek().and_then(word).unwrap_or_default()
    }

    fn line(&self) -> u64 {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        token.map_or(1, |token| token.span.start.line)
    }

    fn unexpected(&self) -> Trouble {
        let (what, reason) = match self.peek() {
            Some(token) => (
                token.to_string(),
                format!("syntax error at or near \"{token}\""),
            ),
            None => ("end".to_owned(), "syntax error at end of input".to_owned()),
        };
        Trouble::invalid(what, reason, "check the function's text").at(self.line())
    }

    fn accept(&mut self, wanted: &str) -> bool {
        let found = self.peek_word() == wanted;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<()> {
        if self.accept(wanted) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn accept_token(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn semicolon(&mut self) -> Result<()> {
        if self.accept_token(&Token::SemiColon) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// The tokens before one that ends them outside of parentheses and `case .. end`; that one is left.
    fn until(&mut self, ends: impl Fn(&Token) -> bool) -> Result<Vec<TokenWithSpan>> {
        let start = self.at;
        let (mut parentheses, mut cases) = (0_i32, 0_i32);
        while let Some(token) = self.peek() {
            if parentheses == 0 && cases == 0 && ends(token) {
                return Ok(self.tokens[start..self.at].to_vec());
            }
            match token {
                Token::LParen | Token::LBracket => parentheses += 1,
                Token::RParen | Token::RBracket => parentheses -= 1,
                Token::SemiColon => break,
                _ => match word(token).as_deref() {
                    Some("case") => cases += 1,
                    Some("end") => cases -= 1,
                    _ => {}
                },
            }
            self.at += 1;
        }
        Err(self.unexpected())
    }

    /// The tokens up to the semicolon, which is passed.
    fn rest(&mut self) -> Result<Vec<TokenWithSpan>> {
        let tokens = self.until(|token| *token == Token::SemiColon)?;
        self.at += 1;
        Ok(tokens)
    }

    fn function(&mut self) -> Result<Function> {
        if self.peek() == Some(&Token::ShiftLeft) {
            return Err(Trouble::unsupported("<<label>>", "leave it out").at(self.line()));
        }
        let mut variables = Vec::new();
        while self.accept("declare") {
            while !matches!(self.peek_word().as_str(), "begin" | "declare") {
                variables.push(self.variable()?);
            }
        }
        self.expect("begin")?;
        let body = self.block_body()?;
        self.accept_token(&Token::SemiColon);
        Ok(Function { variables, body })
    }

    /// Statements, and the `end` of their block.
    fn block_body(&mut self) -> Result<Vec<Statement>> {
        let body = self.statements()?;
        if self.peek_word() == "exception" {
            return Err(Trouble::unsupported(
                "exception when ..",
                "leave the handler out: an error undoes the whole request and is answered to whoever made it",
            )
            .at(self.line()));
        }
        self.expect("end")?;
        if self.peek().is_some_and(|token| *token != Token::SemiColon) {
            self.at += 1;
        }
        Ok(body)
    }

    fn variable(&mut self) -> Result<Variable> {
        let line = self.line();
        let Some(variable) = self.peek().and_then(name) else {
            return Err(self.unexpected());
        };
        self.at += 1;
        self.accept("constant");
        if self.accept("alias") {
            return Err(Trouble::unsupported(
                format!("{variable} alias for .."),
                "use the name itself",
            )
            .at(line));
        }
        let is_value = |token: &Token| {
            matches!(token, Token::Assignment | Token::Eq | Token::SemiColon)
                || matches!(word(token).as_deref(), Some("default" | "not" | "collate"))
        };
        let ty = self.until(is_value)?;
        if let [kind] = &ty[..]
            && matches!(word(&kind.token).as_deref(), Some("record" | "refcursor"))
        {
            return Err(record(&variable, &shown(&ty)).at(line));
        }
        let ty = self.variable_type(&variable, ty)?;
        if self.accept("collate") {
            self.at += 1;
        }
        if self.accept("not") {
            self.expect("null")?;
        }
        let given = self.accept_token(&Token::Assignment)
            || self.accept_token(&Token::Eq)
            || self.accept("default");
        let value = if given {
            let tokens = self.until(|token| *token == Token::SemiColon)?;
            Some(expression(tokens)?)
        } else {
            None
        };
        self.semicolon()?;
        Ok(Variable {
            name: variable,
            line,
            ty,
            value,
        })
    }

    fn variable_type(&self, variable: &str, tokens: Vec<TokenWithSpan>) -> Result<VariableType> {
        let line = tokens
            .first()
            .map_or(self.line(), |token| token.span.start.line);
        if let [of @ .., percent, kind] = &tokens[..]
            && percent.token == Token::Mod
        {
            if word(&kind.token).as_deref() != Some("type") {
                return Err(record(variable, &shown(&tokens)).at(line));
            }
            let mut parser = parser(of.to_vec());
            let name = parser
                .parse_object_name(false)
                .map_err(|error| syntax(&error.to_string(), line))?;
            return Ok(VariableType::OfColumn(name));
        }
        let mut parser = parser(tokens);
        let ty = parser
            .parse_data_type()
            .map_err(|error| syntax(&error.to_string(), line))?;
        finished(&parser)?;
        Ok(VariableType::Named(ty))
    }

    /// Statements up to a word that can't begin one.
    fn statements(&mut self) -> Result<Vec<Statement>> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(
                Trouble::invalid("begin", "blocks nest too deeply", "write it flatter")
                    .state("54001")
                    .at(self.line()),
            );
        }
        let mut statements = Vec::new();
        while !matches!(
            self.peek_word().as_str(),
            "end" | "elsif" | "elseif" | "else" | "when" | "exception"
        ) {
            if self.peek().is_none() {
                return Err(self.unexpected());
            }
            let line = self.line();
            if self.accept("begin") {
                statements.extend(self.block_body()?);
                self.semicolon()?;
                continue;
            }
            let kind = self.statement().map_err(|trouble| trouble.at(line))?;
            statements.push(Statement { line, kind });
        }
        self.depth -= 1;
        Ok(statements)
    }

    fn statement(&mut self) -> Result<Kind> {
        let first = self.peek_word();
        let refused = |what: &str| Err(Trouble::unsupported(what, ADVICE));
        match first.as_str() {
            "if" => {
                self.at += 1;
                self.branches()
            }
            "case" => {
                self.at += 1;
                self.case()
            }
            "return" => {
                self.at += 1;
                self.returned()
            }
            "raise" => {
                self.at += 1;
                self.raise()
            }
            "null" => {
                self.at += 1;
                self.semicolon()?;
                Ok(Kind::Nothing)
            }
            "perform" => {
                self.at += 1;
                let mut tokens = self.rest()?;
                tokens.insert(0, keyword("select", tokens.first()));
                Ok(Kind::Perform(query(tokens)?))
            }
            "select" | "with" => self.select(),
            "insert" | "update" | "delete" => {
                let tokens = self.rest()?;
                if position_of(&tokens, "returning").is_some_and(|at| {
                    tokens[at..]
                        .iter()
                        .any(|token| word(&token.token).as_deref() == Some("into"))
                }) {
                    return refused(&format!("{first} .. returning .. into"));
                }
                Ok(Kind::Change(Box::new(statement(tokens)?)))
            }
            "for" | "foreach" | "while" | "loop" => refused(&format!("{first} loop")),
            "execute" => Err(Trouble::unsupported(
                "execute",
                "write the statement itself: its text must be known when the function is made",
            )),
            "declare" => refused("declare within a block"),
            "get" => refused("get diagnostics"),
            "exit" | "continue" | "open" | "fetch" | "close" | "move" | "call" | "assert"
            | "commit" | "rollback" | "merge" | "truncate" | "create" | "alter" | "drop"
            | "notify" | "lock" => refused(&first),
            _ => self.assignment(),
        }
    }

    fn assignment(&mut self) -> Result<Kind> {
        let target = self.target()?;
        if !self.accept_token(&Token::Assignment) && !self.accept_token(&Token::Eq) {
            return Err(self.unexpected());
        }
        let tokens = self.rest()?;
        // `v := select ..` is no expression; `(select ..)` is.
        Ok(Kind::Assign {
            target,
            value: expression(tokens)?,
        })
    }

    /// `new.column`, `variable`
    fn target(&mut self) -> Result<Target> {
        let Some(first) = self.peek().and_then(name) else {
            return Err(self.unexpected());
        };
        self.at += 1;
        if self.accept_token(&Token::Period) {
            let Some(field) = self.peek().and_then(name) else {
                return Err(self.unexpected());
            };
            self.at += 1;
            return match first.as_str() {
                "new" => Ok(Target::New(field)),
                "old" => Err(Trouble::unsupported(
                    format!("old.{field} := .."),
                    "assign to new: the row as it was has gone",
                )),
                _ => Err(record(&first, "record")),
            };
        }
        if matches!(first.as_str(), "new" | "old") {
            return Err(Trouble::unsupported(
                format!("{first} := .."),
                "assign its columns one by one",
            ));
        }
        if self.peek() == Some(&Token::LBracket) {
            return Err(Trouble::unsupported(
                format!("{first}[..] := .."),
                "assign the whole array",
            ));
        }
        Ok(Target::Variable(first))
    }

    fn condition(&mut self) -> Result<ast::Expr> {
        let tokens = self.until(|token| word(token).as_deref() == Some("then"))?;
        self.at += 1;
        expression(tokens)
    }

    fn branches(&mut self) -> Result<Kind> {
        let mut branches = vec![(self.condition()?, self.statements()?)];
        while self.accept("elsif") || self.accept("elseif") {
            branches.push((self.condition()?, self.statements()?));
        }
        let otherwise = if self.accept("else") {
            self.statements()?
        } else {
            Vec::new()
        };
        self.expect("end")?;
        self.expect("if")?;
        self.semicolon()?;
        Ok(Kind::If {
            branches,
            otherwise,
        })
    }

    /// `case .. when .. then statements .. end case`: each `when` is a branch.
    fn case(&mut self) -> Result<Kind> {
        let line = self.line();
        let subject = if self.peek_word() == "when" {
            None
        } else {
            let tokens = self.until(|token| word(token).as_deref() == Some("when"))?;
            Some(expression(tokens)?)
        };
        let mut branches = Vec::new();
        while self.accept("when") {
            let tokens = self.until(|token| word(token).as_deref() == Some("then"))?;
            self.at += 1;
            let condition = match &subject {
                None => expression(tokens)?,
                Some(subject) => {
                    let values = pieces(&tokens).into_iter().map(expression);
                    ast::Expr::In {
                        expr: Box::new(subject.clone()),
                        target: ast::InTarget::List(values.collect::<Result<_>>()?),
                        negated: false,
                        global: false,
                    }
                }
            };
            branches.push((condition, self.statements()?));
        }
        let otherwise = if self.accept("else") {
            self.statements()?
        } else {
            vec![Statement {
                line,
                kind: Kind::Raise(Raise {
                    state: Some("20000".to_owned()),
                    format: Some("case not found".to_owned()),
                    ..Raise::default()
                }),
            }]
        };
        self.expect("end")?;
        self.expect("case")?;
        self.semicolon()?;
        Ok(Kind::If {
            branches,
            otherwise,
        })
    }

    fn returned(&mut self) -> Result<Kind> {
        let tokens = self.rest()?;
        let returned = match &tokens[..] {
            [one] => match word(&one.token).as_deref() {
                Some("new") => Some(Returned::New),
                Some("old") => Some(Returned::Old),
                Some("null") => Some(Returned::Null),
                _ => None,
            },
            _ => None,
        };
        // `coalesce(new, old)` is the row there is.
        let either = shown(&tokens).to_ascii_lowercase();
        match returned {
            Some(returned) => Ok(Kind::Return(returned)),
            None if either == "coalesce ( new , old )" => Ok(Kind::If {
                branches: vec![(
                    expression(vec![
                        keyword("tg_op", tokens.first()),
                        sign(Token::Eq, tokens.first()),
                        sign(Token::SingleQuotedString("DELETE".into()), tokens.first()),
                    ])?,
                    vec![Statement {
                        line: self.line(),
                        kind: Kind::Return(Returned::Old),
                    }],
                )],
                otherwise: vec![Statement {
                    line: self.line(),
                    kind: Kind::Return(Returned::New),
                }],
            }),
            None => Err(Trouble::unsupported(
                format!("return {}", shown(&tokens)),
                "return new, old or null",
            )),
        }
    }

    /// `select .. into ..`
    fn select(&mut self) -> Result<Kind> {
        let mut tokens = self.rest()?;
        let Some(at) = position_of(&tokens, "into") else {
            return Err(Trouble::invalid(
                "select",
                "query has no destination for result data",
                "write perform, or select .. into",
            ));
        };
        let mut end = at + 1;
        if word(&tokens[end.min(tokens.len() - 1)].token).as_deref() == Some("strict") {
            return Err(Trouble::unsupported(
                "into strict",
                "leave strict out, and raise an exception where the value is null",
            ));
        }
        let mut targets = Vec::new();
        loop {
            let mut reader = Reader {
                tokens: tokens[end.min(tokens.len())..].to_vec(),
                at: 0,
                depth: 0,
            };
            targets.push(reader.target()?);
            end += reader.at;
            if tokens.get(end).map(|token| &token.token) != Some(&Token::Comma) {
                break;
            }
            end += 1;
        }
        tokens.drain(at..end);
        Ok(Kind::SelectInto {
            targets,
            query: query(tokens)?,
        })
    }

    fn raise(&mut self) -> Result<Kind> {
        let level = self.peek_word();
        let silent = matches!(
            level.as_str(),
            "debug" | "log" | "info" | "notice" | "warning"
        );
        if silent || level == "exception" {
            self.at += 1;
        }
        if silent {
            self.rest()?;
            return Ok(Kind::Nothing);
        }
        let mut raise = Raise::default();
        let tokens = self.rest()?;
        let using = position_of(&tokens, "using");
        let (head, options) = match using {
            Some(at) => (&tokens[..at], &tokens[at + 1..]),
            None => (&tokens[..], &[][..]),
        };
        match head {
            [] if using.is_none() => {
                return Err(Trouble::unsupported("raise", "name what is raised"));
            }
            [] => {}
            [one] if word(&one.token).is_some() => {
                let condition = word(&one.token).unwrap_or_default();
                raise.state = Some(condition_named(condition)?);
            }
            [sqlstate, code] if word(&sqlstate.token).as_deref() == Some("sqlstate") => {
                raise.state = Some(condition_named(string(&code.token).unwrap_or_default())?);
            }
            _ => {
                let mut parts = pieces(head).into_iter();
                let format = parts.next().unwrap_or_default();
                raise.format = match &format[..] {
                    [one] => string(&one.token),
                    _ => None,
                };
                if raise.format.is_none() {
                    return Err(Trouble::invalid(
                        shown(head),
                        "a format in quotes is wanted",
                        "write raise exception '.. % ..', value",
                    ));
                }
                raise.arguments = parts.map(expression).collect::<Result<_>>()?;
            }
        }
        for option in pieces(options) {
            let [name, eq, value @ ..] = &option[..] else {
                continue;
            };
            if !matches!(eq.token, Token::Eq | Token::Assignment) {
                return Err(Trouble::invalid(
                    shown(&option),
                    "an option is written name = value",
                    "write using errcode = '..', hint = '..'",
                ));
            }
            match word(&name.token).unwrap_or_default().as_str() {
                "errcode" => {
                    let state = match value {
                        [one] => string(&one.token),
                        _ => None,
                    };
                    raise.state = Some(condition_named(state.ok_or_else(|| {
                        Trouble::unsupported(shown(&option), "write the code in quotes")
                    })?)?);
                }
                "message" => raise.message = Some(expression(value.to_vec())?),
                "detail" => raise.detail = Some(expression(value.to_vec())?),
                "hint" => raise.hint = Some(expression(value.to_vec())?),
                "column" | "constraint" | "datatype" | "table" | "schema" => {}
                _ => {
                    return Err(Trouble::invalid(
                        shown(&option),
                        "unrecognized RAISE statement option",
                        "use message, detail, hint, errcode",
                    ));
                }
            }
        }
        Ok(Kind::Raise(raise))
    }
}

/// A SQLSTATE, or the name of a condition that is known.
fn condition_named(text: String) -> Result<String> {
    if is_condition(&text) {
        Ok(text)
    } else {
        Err(Trouble::invalid(
            text.clone(),
            format!("unrecognized exception condition \"{text}\""),
            "write five digits or capital letters, as in 'P0001'",
        )
        .state("42704"))
    }
}

fn record(variable: &str, ty: &str) -> Trouble {
    Trouble::unsupported(
        format!("{variable} {ty}"),
        "declare a variable for each column that is used",
    )
}

fn string(token: &Token) -> Option<String> {
    match token {
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => Some(text.clone()),
        Token::DollarQuotedString(text) => Some(text.value.clone()),
        _ => None,
    }
}

/// Where a word stands outside of parentheses.
fn position_of(tokens: &[TokenWithSpan], wanted: &str) -> Option<usize> {
    let mut depth = 0_i32;
    tokens.iter().position(|token| {
        match token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth -= 1,
            _ => {}
        }
        depth == 0 && word(&token.token).as_deref() == Some(wanted)
    })
}

/// What commas part, outside of parentheses.
fn pieces(tokens: &[TokenWithSpan]) -> Vec<Vec<TokenWithSpan>> {
    let mut depth = 0_i32;
    tokens
        .split(|token| {
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth -= 1,
                _ => {}
            }
            depth == 0 && token.token == Token::Comma
        })
        .map(<[_]>::to_vec)
        .filter(|piece| !piece.is_empty())
        .collect()
}

fn sign(token: Token, near: Option<&TokenWithSpan>) -> TokenWithSpan {
    let span = near.map_or_else(sqlparser::tokenizer::Span::empty, |near| near.span);
    TokenWithSpan { token, span }
}

fn keyword(text: &str, near: Option<&TokenWithSpan>) -> TokenWithSpan {
    sign(Token::make_keyword(text), near)
}

fn parser(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(DEPTH)
        .with_tokens_with_locations(tokens)
}

fn syntax(error: &str, line: u64) -> Trouble {
    let reason = error.trim_start_matches("sql parser error: ");
    let at = reason
        .rsplit_once(" at Line: ")
        .and_then(|(_, place)| place.split(',').next()?.parse().ok());
    let reason = reason.split(" at Line: ").next().unwrap_or(reason);
    Trouble::invalid("statement", reason, "check the function's text").at(at.unwrap_or(line))
}

fn finished(parser: &Parser<'_>) -> Result<()> {
    let next = parser.peek_token();
    if next.token == Token::EOF {
        return Ok(());
    }
    Err(Trouble::invalid(
        next.token.to_string(),
        format!("syntax error at or near \"{}\"", next.token),
        "check the function's text",
    )
    .at(next.span.start.line))
}

fn first_line(tokens: &[TokenWithSpan]) -> u64 {
    tokens.first().map_or(0, |token| token.span.start.line)
}

fn expression(tokens: Vec<TokenWithSpan>) -> Result<ast::Expr> {
    let line = first_line(&tokens);
    let mut parser = parser(tokens);
    let parsed = parser
        .parse_expr()
        .map_err(|error| syntax(&error.to_string(), line))?;
    finished(&parser)?;
    Ok(parsed)
}

fn statement(tokens: Vec<TokenWithSpan>) -> Result<ast::Statement> {
    let line = first_line(&tokens);
    let mut parser = parser(tokens);
    let parsed = parser
        .parse_statement()
        .map_err(|error| syntax(&error.to_string(), line))?;
    finished(&parser)?;
    Ok(parsed)
}

fn query(tokens: Vec<TokenWithSpan>) -> Result<Box<ast::Query>> {
    let line = first_line(&tokens);
    let text = shown(&tokens);
    match statement(tokens)? {
        ast::Statement::Query(query) => Ok(query),
        _ => Err(Trouble::unsupported(text, ADVICE).at(line)),
    }
}

/// A name that may have its table before it.
pub(super) fn dotted(name: &ast::ObjectName) -> Vec<String> {
    name.0
        .iter()
        .filter_map(|part| part.as_ident().map(fold))
        .collect()
}
