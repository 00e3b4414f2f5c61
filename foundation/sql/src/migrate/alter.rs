//! `alter table`: each action by itself, on what the one before it left.

mod column;
mod constraint;
mod identity;
mod kind;
mod rename;

use super::comment::{dotted, is_word, pair};
use super::{Migration, Source};
use crate::catalog::Table;
use crate::lower::{cut, fold};
use crate::trouble::{Result, Trouble};
use sqlparser::ast::{self, AlterTableOperation as Operation};
use sqlparser::tokenizer::Token;
use std::sync::Arc;

/// The words of an action, for those the parser has no rule for.
struct Words<'a>(&'a [Token]);

impl<'a> Words<'a> {
    /// A word in lower case, unless it is quoted.
    fn lower(&self, at: usize) -> String {
        match self.0.get(at) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_lowercase(),
            _ => String::new(),
        }
    }

    /// A word as a name.
    fn name(&self, at: usize) -> Option<String> {
        match self.0.get(at) {
            Some(Token::Word(word)) if word.quote_style.is_some() => Some(cut(word.value.clone())),
            Some(Token::Word(word)) => Some(cut(word.value.to_ascii_lowercase())),
            _ => None,
        }
    }

    fn starts(&self, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(at, word)| self.lower(at) == *word)
    }

    fn from(&self, at: usize) -> &'a [Token] {
        self.0.get(at..).unwrap_or_default()
    }
}

impl Migration {
    pub(super) fn alter_table(&mut self, source: &Source) -> Result<()> {
        // A dump gives a sequence its owner as if it were a table.
        let named = pair(dotted(&mut source.words().skip(2).peekable()));
        if named.is_some_and(|key| self.catalog.sequences.contains_key(&key)) {
            return self.alter_sequence(source);
        }
        for (action, words) in source.alter_actions() {
            self.line = action.line;
            let words = Words(&words);
            let Some(table) = self.table_named(&action)? else {
                return Ok(());
            };
            if table.view.is_some() {
                return Err(Trouble::invalid(
                    table.name.clone(),
                    format!("\"{}\" is not a table", table.name),
                    "write alter view",
                )
                .state("42809")
                .at(action.line));
            }
            let done = if words.lower(0) == "alter" && words.lower(1) != "constraint" {
                self.alter_column_by_words(&table, &words)
            } else {
                self.alter_by_words(&table, &words)
            };
            if done.map_err(|trouble| trouble.at(action.line))? {
                continue;
            }
            let ast::Statement::AlterTable(alter) = action.statement()? else {
                return Err(super::unsupported(source));
            };
            for operation in &alter.operations {
                self.alter(&table, operation)
                    .map_err(|trouble| trouble.at(action.line))?;
            }
        }
        Ok(())
    }

    /// The table an `alter table` is about, by its words; none if it may be missing and is.
    fn table_named(&self, source: &Source) -> Result<Option<Arc<Table>>> {
        let mut words = source.words().skip(2).peekable();
        let is = |token: &&Token, wanted: &str| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(wanted));
        let if_exists = words.next_if(|token| is(token, "if")).is_some();
        if if_exists {
            words.next();
        }
        words.next_if(|token| is(token, "only"));
        let key = pair(dotted(&mut words))
            .ok_or_else(|| Trouble::unsupported(source.text(), "name it as schema.name"))?;
        match self.catalog.tables.get(&key) {
            Some(table) => Ok(Some(table.clone())),
            None if if_exists => Ok(None),
            None => Err(Trouble::sql(
                "42P01",
                format!(
                    "relation \"{}\" does not exist",
                    super::reference::shown(&key)
                ),
            )),
        }
    }

    /// Actions on a column the parser has no rule for; false for all others.
    fn alter_column_by_words(&mut self, table: &Table, words: &Words<'_>) -> Result<bool> {
        let at = 1 + usize::from(words.lower(1) == "column");
        let Some(name) = words.name(at) else {
            return Ok(false);
        };
        let (first, second) = (words.lower(at + 1), words.lower(at + 2));
        let if_exists = words.lower(at + 3) == "if";
        match (first.as_str(), second.as_str()) {
            (
                "set",
                "generated" | "start" | "increment" | "minvalue" | "maxvalue" | "no" | "cache"
                | "cycle" | "restart",
            )
            | ("restart", _) => self.change_identity(table, &name, words.from(at + 1))?,
            // A dump names the sequence, for which the parser has no rule.
            ("add", "generated") if words.0.iter().any(|token| is_word(token, "sequence")) => {
                self.add_named_identity(table, &name, words.from(at + 3))?;
            }
            ("drop", "identity") => self.drop_identity(table, &name, if_exists)?,
            ("drop", "expression") => self.drop_expression(table, &name, if_exists)?,
            // How rows are stored and counted changes no answer.
            ("set", "statistics" | "storage" | "compression") => {
                column(table, &name)?;
            }
            ("set" | "reset", "") if words.0.get(at + 2) == Some(&Token::LParen) => {
                column(table, &name)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Actions the parser has no rule for; false for all others.
    fn alter_by_words(&mut self, table: &Table, words: &Words<'_>) -> Result<bool> {
        let unsupported = |advice: &str| {
            let text: Vec<String> = words.0.iter().map(ToString::to_string).collect();
            Err(Trouble::unsupported(
                format!("alter table {} {}", table.name, text.join(" ")),
                advice,
            ))
        };
        match (words.lower(0).as_str(), words.lower(1).as_str()) {
            ("set", "schema") => match words.name(2) {
                Some(schema) => self.set_schema(table, &schema)?,
                None => return unsupported("give the new schema"),
            },
            ("validate", "constraint") => match words.name(2) {
                Some(name) => self.validate_constraint(table, &name)?,
                None => return unsupported("name the constraint"),
            },
            ("alter", "constraint") => match words.name(2) {
                Some(name) => self.alter_constraint(table, &name, words.from(3))?,
                None => return unsupported("name the constraint"),
            },
            ("set" | "reset", "") if words.0.get(1) == Some(&Token::LParen) => {
                storage(&words.0[2..])?;
            }
            // How rows lie in the file changes no answer.
            ("set", "without" | "logged" | "access") => {}
            ("cluster", "on") => {
                let name = words.name(2).unwrap_or_default();
                let keys = table.primary_key.iter().chain(&table.uniques);
                let known = keys.map(|key| &key.name);
                if !known
                    .chain(table.indexes.iter().map(|index| &index.name))
                    .any(|known| *known == name)
                {
                    return Err(Trouble::sql(
                        "42704",
                        format!(
                            "index \"{name}\" for table \"{}\" does not exist",
                            table.name
                        ),
                    ));
                }
            }
            ("enable" | "disable", "trigger") => match words.name(2) {
                Some(name) => self.enable_trigger(table, &name, words.lower(0) == "enable")?,
                None => return unsupported("name the trigger"),
            },
            ("enable", "always" | "replica") if words.lower(2) == "trigger" => {
                match words.name(3) {
                    Some(name) => self.enable_trigger(table, &name, true)?,
                    None => return unsupported("name the trigger"),
                }
            }
            ("owner", "to") | ("replica", "identity") => {}
            ("set", "unlogged") => return unsupported("leave it out: every table here is durable"),
            ("inherit" | "of", _) | ("no", "inherit") | ("not", "of") => {
                return unsupported("give the table the columns itself");
            }
            ("attach" | "detach", _) => return unsupported("keep all rows in one table"),
            ("set", "tablespace") => return unsupported("leave it out: there is one file"),
            ("add", _) if words.starts(&["add", "exclude"]) => {
                return unsupported("use a unique constraint or a check");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn alter(&mut self, table: &Table, operation: &Operation) -> Result<()> {
        let mut changed = table.clone();
        match operation {
            Operation::EnableRowLevelSecurity | Operation::ForceRowLevelSecurity => {
                changed.rls_enabled = true;
                self.put(changed);
            }
            // Nobody here is a table's owner, whom alone this concerns.
            Operation::NoForceRowLevelSecurity
            | Operation::OwnerTo { .. }
            | Operation::ReplicaIdentity { .. } => {}
            Operation::DisableRowLevelSecurity => {
                changed.rls_enabled = false;
                self.put(changed);
            }
            Operation::AddColumn {
                if_not_exists,
                column_def,
                column_position: None,
                ..
            } => self.add_column(table, column_def, *if_not_exists)?,
            Operation::DropColumn {
                column_names,
                if_exists,
                drop_behavior,
                ..
            } => {
                let cascade = matches!(drop_behavior, Some(ast::DropBehavior::Cascade));
                for name in column_names {
                    self.drop_column(table, &fold(name), *if_exists, cascade)?;
                }
            }
            Operation::RenameColumn {
                old_column_name,
                new_column_name,
            } => self.rename_column(table, &fold(old_column_name), &fold(new_column_name))?,
            Operation::RenameTable {
                table_name: ast::RenameTableNameKind::To(name) | ast::RenameTableNameKind::As(name),
            } => {
                let Some((None, name)) = crate::lower::object(name) else {
                    return Err(Trouble::unsupported(
                        operation.to_string(),
                        "give the new name without a schema",
                    ));
                };
                self.rename_table(table, &name)?;
            }
            Operation::RenameConstraint { old_name, new_name } => {
                self.rename_constraint(table, &fold(old_name), &fold(new_name))?;
            }
            Operation::AddConstraint {
                constraint,
                not_valid,
            } => self.add_constraint(table, constraint, *not_valid)?,
            Operation::DropConstraint {
                if_exists,
                name,
                drop_behavior,
            } => {
                let cascade = matches!(drop_behavior, Some(ast::DropBehavior::Cascade));
                self.drop_constraint(table, &fold(name), *if_exists, cascade)?;
            }
            Operation::AlterColumn { column_name, op } => {
                self.alter_column(table, &fold(column_name), op)?;
            }
            other => {
                return Err(Trouble::unsupported(
                    format!("alter table {} {other}", table.name),
                    super::advice::of_alter(&other.to_string()),
                ));
            }
        }
        Ok(())
    }
}

/// Options of storage, which change no answer.
fn storage(words: &[Token]) -> Result<()> {
    let mut expected = true;
    for word in words {
        match word {
            Token::Word(name) if expected => {
                let name = name.value.to_lowercase();
                let known = ["autovacuum", "toast", "vacuum", "log_autovacuum"]
                    .iter()
                    .any(|start| name.starts_with(start))
                    || matches!(
                        name.as_str(),
                        "fillfactor" | "parallel_workers" | "user_catalog_table"
                    );
                if !known {
                    return Err(Trouble::sql(
                        "22023",
                        format!("unrecognized parameter \"{name}\""),
                    ));
                }
                expected = false;
            }
            Token::Comma => expected = true,
            _ => {}
        }
    }
    Ok(())
}

/// Where a column stands.
fn column(table: &Table, name: &str) -> Result<usize> {
    table
        .columns
        .iter()
        .position(|column| column.name == name)
        .ok_or_else(|| {
            Trouble::sql(
                "42703",
                format!(
                    "column \"{name}\" of relation \"{}\" does not exist",
                    table.name
                ),
            )
        })
}
