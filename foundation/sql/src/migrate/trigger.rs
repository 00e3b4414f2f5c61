//! `create trigger`, `drop trigger`, `alter trigger`, and what the functions of triggers come to.
//!
//! A function's text is read anew for each table and event, at the end of a migration and before rows are written within it: what it
//! names may be made after it, as in Postgres.

use super::comment::{dotted, pair};
use super::{Migration, Source, identifier};
use crate::catalog::Table;
use crate::expr::Expr;
use crate::lower::{Lowering, Named};
use crate::plpgsql::{self, Setting};
use crate::render::after_triggers;
use crate::routine::{Body, Returns, Routine, RoutineId};
use crate::statement::Statement;
use crate::trigger::{Effect, Event, Timing, Trigger};
use crate::trouble::{Result, Trouble};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use std::sync::Arc;

/// Schemas of services, which write their rows by statements of their own.
const SERVICES: &[&str] = &["auth", "storage", "realtime"];

/// The words of a statement, one after the other.
struct Words<'a> {
    tokens: std::iter::Peekable<std::vec::IntoIter<&'a Token>>,
}

impl<'a> Words<'a> {
    fn of(source: &'a Source) -> Words<'a> {
        let tokens: Vec<&Token> = source.words().collect();
        Words {
            tokens: tokens.into_iter().peekable(),
        }
    }

    fn peek(&mut self) -> String {
        match self.tokens.peek() {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_lowercase(),
            _ => String::new(),
        }
    }

    fn accept(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.tokens.clone();
        let found = words.iter().all(|wanted| {
            matches!(ahead.next(), Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
        });
        if found {
            self.tokens = ahead;
        }
        found
    }

    fn expect(&mut self, words: &[&str]) -> Result<()> {
        if self.accept(words) {
            return Ok(());
        }
        Err(self.unexpected(&words.join(" ")))
    }

    fn unexpected(&mut self, wanted: &str) -> Trouble {
        let found = self
            .tokens
            .peek()
            .map_or_else(|| "end".to_owned(), ToString::to_string);
        Trouble::invalid(
            found.clone(),
            format!("syntax error at or near \"{found}\""),
            format!("{wanted} is wanted here"),
        )
    }

    fn object(&mut self) -> Result<(String, String)> {
        pair(dotted(&mut self.tokens)).ok_or_else(|| self.unexpected("a name"))
    }

    fn name(&mut self) -> Result<String> {
        match &dotted(&mut self.tokens)[..] {
            [name] => Ok(name.clone()),
            _ => Err(self.unexpected("a name")),
        }
    }

    fn token(&mut self, wanted: &Token) -> bool {
        self.tokens.next_if(|token| *token == wanted).is_some()
    }

    /// What stands in parentheses.
    fn parenthesized(&mut self) -> Result<Vec<Token>> {
        if !self.token(&Token::LParen) {
            return Err(self.unexpected("("));
        }
        let mut depth = 1;
        let mut inner = Vec::new();
        for token in self.tokens.by_ref() {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(inner);
            }
            inner.push(token.clone());
        }
        Err(self.unexpected(")"))
    }
}

impl Migration {
    pub(super) fn create_trigger(&mut self, source: &Source) -> Result<()> {
        let refused = |what: &str, advice: &str| Err(Trouble::unsupported(what, advice));
        let mut words = Words::of(source);
        words.expect(&["create"])?;
        let replace = words.accept(&["or", "replace"]);
        if words.accept(&["constraint"]) {
            return refused(
                "constraint trigger",
                "write create trigger .. after: it runs as soon as the row is written",
            );
        }
        words.expect(&["trigger"])?;
        let name = identifier(&words.name()?)?.to_owned();
        let timing = if words.accept(&["before"]) {
            Timing::Before
        } else if words.accept(&["after"]) {
            Timing::After
        } else if words.accept(&["instead", "of"]) {
            return refused(
                "instead of trigger",
                "write to the table the view selects from",
            );
        } else {
            return Err(words.unexpected("before or after"));
        };
        let (events, columns) = events(&mut words)?;
        words.expect(&["on"])?;
        let (schema, table) = words.object()?;
        let table = self.triggered(&schema, &table)?;
        if words.accept(&["from"]) || words.accept(&["deferrable"]) || words.accept(&["initially"])
        {
            return refused("deferrable trigger", "leave it out");
        }
        words.accept(&["not", "deferrable"]);
        if words.accept(&["referencing"]) {
            return refused(
                "referencing old table, new table",
                "write a trigger for each row, over new and old",
            );
        }
        let each = words.accept(&["for", "each"]) || words.accept(&["for"]);
        if !each || !words.accept(&["row"]) {
            return refused(
                "trigger for each statement",
                "write for each row: it runs once for every row",
            );
        }
        let when = if words.accept(&["when"]) {
            Some(words.parenthesized()?)
        } else {
            None
        };
        words.expect(&["execute"])?;
        if !words.accept(&["function"]) {
            words.expect(&["procedure"])?;
        }
        let (routine_schema, routine) = words.object()?;
        if !words.parenthesized()?.is_empty() {
            return refused(
                &format!("arguments of {routine}(..) in a trigger"),
                "write a function for each trigger instead of one that takes arguments",
            );
        }
        if words.tokens.peek().is_some() {
            return Err(words.unexpected("end"));
        }
        if timing == Timing::Before && SERVICES.contains(&table.schema.as_str()) {
            return refused(
                &format!("before trigger on {}.{}", table.schema, table.name),
                "write an after trigger, and keep what it makes in a table of your own",
            );
        }
        for column in &columns {
            if table.column(column).is_none() {
                return Err(Trouble::sql(
                    "42703",
                    format!(
                        "column \"{column}\" of relation \"{}\" does not exist",
                        table.name
                    ),
                ));
            }
        }
        let routine = self.trigger_function(&routine_schema, &routine)?;
        let when = match when {
            Some(tokens) => Some(self.when(&table, &events, tokens)?),
            None => None,
        };
        let mut changed = (*table).clone();
        let known = changed.triggers.iter().position(|known| known.name == name);
        match known {
            Some(_) if !replace => {
                return Err(Trouble::sql(
                    "42710",
                    format!(
                        "trigger \"{name}\" for relation \"{}\" already exists",
                        table.name
                    ),
                ));
            }
            Some(at) => {
                changed.triggers.remove(at);
            }
            None => {}
        }
        self.fresh.push((
            (table.schema.clone(), table.name.clone(), name.clone()),
            self.line,
        ));
        changed.triggers.push(Trigger {
            name,
            timing,
            events,
            columns,
            when,
            routine,
            enabled: true,
            effects: Vec::new(),
            source: source.text(),
        });
        changed
            .triggers
            .sort_by(|left, right| left.name.cmp(&right.name));
        self.put(changed);
        Ok(())
    }

    /// The table a trigger is on.
    fn triggered(&self, schema: &str, name: &str) -> Result<Arc<Table>> {
        let table =
            self.catalog.table(schema, name).cloned().ok_or_else(|| {
                Trouble::sql("42P01", format!("relation \"{name}\" does not exist"))
            })?;
        if table.view.is_some() {
            return Err(Trouble::invalid(
                name,
                format!("\"{name}\" is a view"),
                "put the trigger on the table it selects from",
            )
            .state("42809"));
        }
        Ok(table)
    }

    fn trigger_function(&self, schema: &str, name: &str) -> Result<RoutineId> {
        let id = RoutineId {
            schema: schema.to_owned(),
            name: name.to_owned(),
            params: Vec::new(),
        };
        match self.catalog.routine(&id) {
            None => Err(Trouble::sql(
                "42883",
                format!("function {name}() does not exist"),
            )),
            Some(routine) if routine.returns != Returns::Trigger => Err(Trouble::sql(
                "42P17",
                format!("function {name} must return type trigger"),
            )),
            Some(_) => Ok(id),
        }
    }

    /// `when (..)`, over the new row and the old one.
    fn when(&self, table: &Table, events: &[Event], tokens: Vec<Token>) -> Result<Expr> {
        let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens(tokens);
        let parsed = parser.parse_expr().map_err(|error| {
            Trouble::invalid("when (..)", error.to_string(), "write a condition")
        })?;
        if parser.peek_token().token != Token::EOF {
            return Err(Trouble::invalid(
                "when (..)",
                format!("syntax error at or near \"{}\"", parser.peek_token().token),
                "write one condition",
            ));
        }
        let source = |alias: &str| {
            let columns: Vec<_> = table
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.ty.clone()))
                .collect();
            Named {
                merged: columns.iter().map(|(name, _)| name.clone()).collect(),
                ..Named::alias(alias, columns)
            }
        };
        let when = Lowering::within(&self.catalog, vec![source("new"), source("old")])
            .condition(&parsed)?;
        let mut asks = false;
        let mut sources = [false; 2];
        when.walk(0, &mut |_, expr| match expr {
            Expr::Exists(_) | Expr::Scalar(_) | Expr::InQuery { .. } => asks = true,
            Expr::Column { source, .. } => {
                if let Some(found) = sources.get_mut(*source as usize) {
                    *found = true;
                }
            }
            _ => {}
        });
        if asks {
            return Err(Trouble::invalid(
                "when (..)",
                "cannot use subquery in trigger WHEN condition",
                "test it with if in the function",
            )
            .state("0A000"));
        }
        for (event, source, row) in [(Event::Insert, 1, "OLD"), (Event::Delete, 0, "NEW")] {
            if events.contains(&event) && sources[source] {
                return Err(Trouble::sql(
                    "42P17",
                    format!(
                        "{} trigger's WHEN condition cannot reference {row} values",
                        event.word()
                    ),
                ));
            }
        }
        Ok(when)
    }

    pub(super) fn drop_trigger(&mut self, source: &Source) -> Result<()> {
        let mut words = Words::of(source);
        words.expect(&["drop", "trigger"])?;
        let if_exists = words.accept(&["if", "exists"]);
        let name = words.name()?;
        words.expect(&["on"])?;
        let (schema, table) = words.object()?;
        let Some(table) = self.catalog.table(&schema, &table).cloned() else {
            return if if_exists {
                Ok(())
            } else {
                self.triggered(&schema, &table).map(|_| ())
            };
        };
        let mut changed = (*table).clone();
        changed.triggers.retain(|trigger| trigger.name != name);
        if changed.triggers.len() == table.triggers.len() {
            return if if_exists {
                Ok(())
            } else {
                Err(no_trigger(&name, &table))
            };
        }
        self.put(changed);
        Ok(())
    }

    /// `alter trigger .. on .. rename to ..`
    pub(super) fn alter_trigger(&mut self, source: &Source) -> Result<()> {
        let mut words = Words::of(source);
        words.expect(&["alter", "trigger"])?;
        let name = words.name()?;
        words.expect(&["on"])?;
        let (schema, table) = words.object()?;
        words.expect(&["rename", "to"])?;
        let new = identifier(&words.name()?)?.to_owned();
        let table = self.triggered(&schema, &table)?;
        let mut changed = (*table).clone();
        if changed.triggers.iter().any(|trigger| trigger.name == new) {
            return Err(Trouble::sql(
                "42710",
                format!(
                    "trigger \"{new}\" for relation \"{}\" already exists",
                    table.name
                ),
            ));
        }
        let Some(trigger) = changed
            .triggers
            .iter_mut()
            .find(|trigger| trigger.name == name)
        else {
            return Err(no_trigger(&name, &table));
        };
        trigger.name = new;
        changed
            .triggers
            .sort_by(|left, right| left.name.cmp(&right.name));
        self.put(changed);
        Ok(())
    }

    /// `alter table .. enable trigger`, `disable trigger`; `all` and `user` mean all of the table's.
    pub(super) fn enable_trigger(
        &mut self,
        table: &Table,
        name: &str,
        enabled: bool,
    ) -> Result<()> {
        let mut changed = table.clone();
        let every = matches!(name, "all" | "user");
        let mut found = every;
        for trigger in &mut changed.triggers {
            if every || trigger.name == name {
                trigger.enabled = enabled;
                found = true;
            }
        }
        if !found {
            return Err(no_trigger(name, table));
        }
        self.put(changed);
        Ok(())
    }

    /// Works out what every trigger does now. Those made by this migration must come to something; what has lost what it names raises
    /// that when it runs.
    pub(super) fn settle_triggers(&mut self, strict: bool) -> Result<()> {
        let tables: Vec<Arc<Table>> = self
            .catalog
            .tables
            .values()
            .filter(|table| !table.triggers.is_empty())
            .cloned()
            .collect();
        for table in tables {
            let mut changed = (*table).clone();
            for trigger in &mut changed.triggers {
                trigger.retype(&table);
                let mut effects = Vec::with_capacity(trigger.events.len());
                for event in &trigger.events {
                    let effect = match self.effect(&table, trigger, *event) {
                        Ok(effect) => effect,
                        Err(trouble) => self.broken(&table, trigger, trouble, strict)?,
                    };
                    effects.push((*event, effect));
                }
                trigger.effects = effects;
            }
            if changed != *table {
                self.put(changed);
            }
        }
        Ok(())
    }

    fn effect(&self, table: &Table, trigger: &Trigger, event: Event) -> Result<Effect> {
        let routine = self.catalog.routine(&trigger.routine).ok_or_else(|| {
            Trouble::sql(
                "42883",
                format!("function {}() does not exist", trigger.routine.name),
            )
        })?;
        let Body::Trigger { text, .. } = &routine.body else {
            return Err(Trouble::sql("42P17", "it is no function for triggers"));
        };
        let function = plpgsql::read(text)?;
        let setting = Setting {
            catalog: &self.catalog,
            table,
            event,
            timing: trigger.timing,
            trigger: &trigger.name,
            routine: &routine.name,
            when: trigger.when.as_ref(),
        };
        match trigger.timing {
            Timing::Before => plpgsql::before(setting, &function),
            Timing::After => plpgsql::after(setting, &function),
        }
    }

    fn broken(
        &self,
        table: &Table,
        trigger: &Trigger,
        trouble: Trouble,
        strict: bool,
    ) -> Result<Effect> {
        let made = self.fresh.iter().find(|((schema, of, name), _)| {
            *schema == table.schema && *of == table.name && *name == trigger.name
        });
        let routine = self.catalog.routine(&trigger.routine);
        let rewritten = self.rewritten.contains(&trigger.routine);
        if strict && (made.is_some() || rewritten) {
            return Err(match (routine, made) {
                (Some(routine), _) if rewritten => placed(routine, trouble),
                (_, made) => Trouble {
                    line: made.map(|(_, line)| *line),
                    construct: format!(
                        "function {}, line {}: {}",
                        trigger.routine.name,
                        trouble.line.unwrap_or(1),
                        trouble.construct
                    ),
                    ..trouble
                },
            });
        }
        let error = crate::SqlError::from(trouble);
        Ok(Effect::Broken {
            state: error.state.to_string(),
            message: error.message,
        })
    }

    /// Puts the triggers that run after a row is written into the engine, before a migration writes rows.
    pub(super) fn arm(&mut self) -> Result<()> {
        if self.armed.is_some() {
            return Ok(());
        }
        self.settle_triggers(false)?;
        let triggers = after_triggers(&self.catalog)?;
        let mut names = Vec::with_capacity(triggers.len());
        for (name, statement) in triggers {
            names.push(name);
            self.step(statement);
        }
        self.armed = Some(names);
        Ok(())
    }

    /// Takes them away again: no trigger may stand while tables change.
    pub(super) fn disarm(&mut self) {
        for name in self.armed.take().unwrap_or_default() {
            let mut statement = Statement::new();
            statement.push("DROP TRIGGER temp.").ident(&name);
            self.step(statement);
        }
    }
}

/// An error in a function's text, at its line of the migration.
pub(super) fn placed(routine: &Routine, trouble: Trouble) -> Trouble {
    match &routine.body {
        Body::Trigger { line, .. } => at_line(*line, trouble),
        Body::Sql(_) => trouble,
    }
}

pub(super) fn at_line(first: u64, trouble: Trouble) -> Trouble {
    Trouble {
        line: Some(first + trouble.line.unwrap_or(1).max(1) - 1),
        ..trouble
    }
}

/// `insert or update of a, b or delete`
fn events(words: &mut Words<'_>) -> Result<(Vec<Event>, Vec<String>)> {
    let (mut events, mut columns) = (Vec::new(), Vec::new());
    loop {
        let event = match words.peek().as_str() {
            "insert" => Event::Insert,
            "update" => Event::Update,
            "delete" => Event::Delete,
            "truncate" => {
                return Err(Trouble::unsupported(
                    "truncate trigger",
                    "leave it out: there is no truncate",
                ));
            }
            _ => return Err(words.unexpected("insert, update or delete")),
        };
        words.tokens.next();
        if events.contains(&event) {
            return Err(Trouble::invalid(
                event.word(),
                "duplicate trigger events specified",
                "name each once",
            ));
        }
        events.push(event);
        if event == Event::Update && words.accept(&["of"]) {
            columns.push(words.name()?);
            while words.token(&Token::Comma) {
                columns.push(words.name()?);
            }
        }
        if !words.accept(&["or"]) {
            return Ok((events, columns));
        }
    }
}

fn no_trigger(name: &str, table: &Table) -> Trouble {
    Trouble::sql(
        "42704",
        format!(
            "trigger \"{name}\" for table \"{}\" does not exist",
            table.name
        ),
    )
}
