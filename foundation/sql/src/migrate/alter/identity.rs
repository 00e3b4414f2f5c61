//! Identity columns: `add generated`, `set generated`, `restart`, `drop identity`.

use super::column;
use crate::catalog::{Identity, Table};
use crate::migrate::Migration;
use crate::migrate::comment::{dotted, is_word, pair};
use crate::migrate::sequence::Options;
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;
use sqlparser::tokenizer::Token;
use std::sync::Arc;

impl Migration {
    /// `alter column .. add generated .. as identity (..)`
    pub(super) fn add_identity(
        &mut self,
        table: &Table,
        name: &str,
        always: bool,
        options: &[ast::SequenceOptions],
    ) -> Result<()> {
        self.identify(table, name, always, &Options::of_identity(options)?)
    }

    /// `alter column .. add generated .. as identity (sequence name s ..)`, by the words after `generated`.
    pub(super) fn add_named_identity(
        &mut self,
        table: &Table,
        name: &str,
        words: &[Token],
    ) -> Result<()> {
        let always = words.first().is_some_and(|word| is_word(word, "always"));
        let mut options: Vec<Token> = words
            .iter()
            .skip_while(|token| **token != Token::LParen)
            .skip(1)
            .take_while(|token| **token != Token::RParen)
            .cloned()
            .collect();
        let at = options.iter().position(|token| is_word(token, "sequence"));
        let mut given = None;
        if let Some(at) = at {
            let mut rest = options[at..].iter().skip(2).peekable();
            given = pair(dotted(&mut rest));
            let left = rest.count();
            options.drain(at..options.len() - left);
        }
        self.identify(table, name, always, &Options::of_words(&options)?)?;
        match (
            self.table_again(table)
                .and_then(|table| self.identity_sequence(&table, name)),
            given,
        ) {
            (Some(made), Some(given)) if made != given => self.rename_sequence(&made, &given),
            _ => Ok(()),
        }
    }

    fn table_again(&self, table: &Table) -> Option<Arc<Table>> {
        self.catalog.table(&table.schema, &table.name).cloned()
    }

    fn identify(
        &mut self,
        table: &Table,
        name: &str,
        always: bool,
        options: &Options,
    ) -> Result<()> {
        let mut changed = table.clone();
        let at = column(table, name)?;
        let known = &table.columns[at];
        let refused = |what: &str| {
            Trouble::sql(
                "55000",
                format!("column \"{name}\" of relation \"{}\" {what}", table.name),
            )
        };
        if !matches!(known.ty, Type::Int2 | Type::Int4 | Type::Int8) {
            return Err(Trouble::sql(
                "22023",
                "identity column type must be smallint, integer, or bigint",
            ));
        }
        if !known.not_null {
            return Err(refused(
                "must be declared NOT NULL before identity can be added",
            ));
        }
        if known.identity.is_some() {
            return Err(refused("is already an identity column"));
        }
        if known.default.is_some() {
            return Err(refused("already has a default value"));
        }
        self.sequence_for(&mut changed, at, options)?;
        changed.columns[at].identity = Some(kind(always));
        self.put(changed);
        Ok(())
    }

    /// `alter column .. drop identity [if exists]`
    pub(super) fn drop_identity(
        &mut self,
        table: &Table,
        name: &str,
        if_exists: bool,
    ) -> Result<()> {
        let at = column(table, name)?;
        let Some(sequence) = self.identity_sequence(table, name) else {
            return if if_exists {
                Ok(())
            } else {
                Err(no_identity(table, name))
            };
        };
        let mut changed = table.clone();
        changed.columns[at].identity = None;
        changed.columns[at].default = None;
        self.put(changed);
        self.forget_sequence(&sequence);
        Ok(())
    }

    /// `alter column .. restart [with n]`, `set generated ..`, `set <option of a sequence>`, several of them together.
    pub(super) fn change_identity(
        &mut self,
        table: &Table,
        name: &str,
        words: &[Token],
    ) -> Result<()> {
        let at = column(table, name)?;
        let Some(sequence) = self.identity_sequence(table, name) else {
            return Err(no_identity(table, name));
        };
        let is = |token: Option<&Token>, wanted: &str| matches!(token, Some(Token::Word(word)) if word.value.eq_ignore_ascii_case(wanted));
        let mut rest = Vec::new();
        let mut words = words.iter().peekable();
        let mut changed = table.clone();
        while let Some(word) = words.next() {
            if is(Some(word), "generated") {
                // What stands before is its `set`.
                rest.pop();
                let always = is(words.next(), "always");
                if !always {
                    words.next();
                }
                changed.columns[at].identity = Some(kind(always));
            } else {
                rest.push(word.clone());
            }
        }
        let options = Options::of_words(&rest)?;
        self.put(changed);
        self.change_sequence(&sequence, &options)
    }
}

fn kind(always: bool) -> Identity {
    if always {
        Identity::Always
    } else {
        Identity::ByDefault
    }
}

fn no_identity(table: &Table, name: &str) -> Trouble {
    Trouble::sql(
        "55000",
        format!(
            "column \"{name}\" of relation \"{}\" is not an identity column",
            table.name
        ),
    )
}
