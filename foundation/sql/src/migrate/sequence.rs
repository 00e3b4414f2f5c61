//! `create sequence`, `alter sequence`, `drop sequence`, and the sequences of serial and identity columns.

use super::{Migration, Source, named};
use crate::catalog::{Catalog, Column, Sequence, Table};
use crate::expr::{Expr, Function};
use crate::privilege::Kind;
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast::{self, SequenceOptions};
use sqlparser::tokenizer::Token;

/// Runs in the file: forgets where a sequence stands.
pub const FORGET_SEQUENCE: &str = "pando_sequence_forget";
/// Runs in the file: a sequence goes by another name.
pub const RENAME_SEQUENCE: &str = "pando_sequence_rename";

/// The numbers a sequence type has.
fn limits(ty: &Type) -> (i64, i64) {
    match ty {
        Type::Int2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        Type::Int4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// The column a sequence goes with.
type Owner = Option<(String, String, String)>;

/// What a statement says about a sequence; none where it says nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    ty: Option<Type>,
    increment: Option<i64>,
    /// `no minvalue` is some of none.
    min: Option<Option<i64>>,
    max: Option<Option<i64>>,
    start: Option<i64>,
    /// `restart` without a number is some of none.
    restart: Option<Option<i64>>,
    cycle: Option<bool>,
    /// `owned by none` is some of none.
    owner: Option<Option<Vec<String>>>,
}

fn refused(message: String) -> Trouble {
    Trouble::sql("22023", message)
}

fn sequence_type(name: &str) -> Result<Type> {
    match name.to_lowercase().as_str() {
        "smallint" | "int2" => Ok(Type::Int2),
        "integer" | "int" | "int4" => Ok(Type::Int4),
        "bigint" | "int8" => Ok(Type::Int8),
        _ => Err(refused(
            "sequence type must be smallint, integer, or bigint".to_owned(),
        )),
    }
}

impl Options {
    /// Those of `generated .. as identity (..)`.
    pub(super) fn of_identity(options: &[SequenceOptions]) -> Result<Options> {
        let number = |expr: &ast::Expr| {
            let text = expr.to_string().replace(' ', "");
            text.parse::<i64>()
                .map_err(|_| Trouble::invalid(text, "a whole number is wanted", "write a number"))
        };
        let mut read = Options::default();
        for option in options {
            match option {
                SequenceOptions::DataType(ty) => read.ty = Some(sequence_type(&ty.to_string())?),
                SequenceOptions::IncrementBy(by, _) => read.increment = Some(number(by)?),
                SequenceOptions::MinValue(min) => {
                    read.min = Some(min.as_ref().map(number).transpose()?);
                }
                SequenceOptions::MaxValue(max) => {
                    read.max = Some(max.as_ref().map(number).transpose()?);
                }
                SequenceOptions::StartWith(start, _) => read.start = Some(number(start)?),
                SequenceOptions::Cycle(no) => read.cycle = Some(!no),
                // Numbers are kept ready in memory anyway.
                SequenceOptions::Cache(_) => {}
                other => {
                    return Err(Trouble::unsupported(other.to_string(), "leave it out"));
                }
            }
        }
        Ok(read)
    }

    /// Those that follow the name in `create sequence` and `alter sequence`. `set` before an option is that of `alter column`.
    pub(super) fn of_words(words: &[Token]) -> Result<Options> {
        let mut read = Options::default();
        let mut words = words.iter().peekable();
        let spelled = |token: &Token| match token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
            other => other.to_string(),
        };
        let is = |token: &&Token, wanted: &str| spelled(token) == wanted;
        while let Some(word) = words.next() {
            let unknown = || {
                Trouble::invalid(
                    word.to_string(),
                    "no option of a sequence",
                    "write start, restart, increment, minvalue, maxvalue, cycle, cache or owned by",
                )
            };
            let mut number = |optional: &str, needed: bool| -> Result<Option<i64>> {
                let named = words.next_if(|token| is(token, optional)).is_some();
                let minus = words.next_if(|token| **token == Token::Minus).is_some();
                let Some(Token::Number(digits, _)) =
                    words.next_if(|token| matches!(token, Token::Number(..)))
                else {
                    return if needed || named || minus {
                        Err(unknown())
                    } else {
                        Ok(None)
                    };
                };
                let sign = if minus { "-" } else { "" };
                format!("{sign}{digits}")
                    .parse()
                    .map(Some)
                    .map_err(|_| unknown())
            };
            match spelled(word).as_str() {
                "set" => {}
                "as" => {
                    read.ty = Some(sequence_type(
                        &words.next().map(spelled).unwrap_or_default(),
                    )?);
                }
                "increment" => read.increment = number("by", true)?,
                "start" => read.start = number("with", true)?,
                "restart" => read.restart = Some(number("with", false)?),
                "minvalue" => read.min = Some(number("", true)?),
                "maxvalue" => read.max = Some(number("", true)?),
                "cache" => {
                    number("", true)?;
                }
                "cycle" => read.cycle = Some(true),
                "no" => match words.next().map(spelled).as_deref() {
                    Some("minvalue") => read.min = Some(None),
                    Some("maxvalue") => read.max = Some(None),
                    Some("cycle") => read.cycle = Some(false),
                    _ => return Err(unknown()),
                },
                "owned" => {
                    if words.next_if(|token| is(token, "by")).is_none() {
                        return Err(unknown());
                    }
                    let owner = super::comment::dotted(&mut words);
                    read.owner = Some(Some(owner).filter(|owner| *owner != ["none"]));
                }
                _ => return Err(unknown()),
            }
        }
        Ok(read)
    }

    /// The sequence as it is with these options. `new` ones get their limits from their type and direction.
    fn apply(&self, old: &Sequence, new: bool) -> Result<Sequence> {
        let mut sequence = old.clone();
        let (mut reset_min, mut reset_max) = (new, new);
        if let Some(ty) = &self.ty {
            let (low, high) = limits(&old.ty);
            reset_min |= old.min == low;
            reset_max |= old.max == high;
            sequence.ty = ty.clone();
        }
        if let Some(increment) = self.increment {
            if increment == 0 {
                return Err(refused("INCREMENT must not be zero".to_owned()));
            }
            sequence.increment = increment;
        }
        let (low, high) = limits(&sequence.ty);
        let ascending = sequence.increment > 0;
        match self.max {
            Some(Some(max)) => sequence.max = max,
            Some(None) => sequence.max = if ascending { high } else { -1 },
            None if reset_max => sequence.max = if ascending { high } else { -1 },
            None => {}
        }
        match self.min {
            Some(Some(min)) => sequence.min = min,
            Some(None) => sequence.min = if ascending { 1 } else { low },
            None if reset_min => sequence.min = if ascending { 1 } else { low },
            None => {}
        }
        for (what, number) in [("MAXVALUE", sequence.max), ("MINVALUE", sequence.min)] {
            if !(low..=high).contains(&number) {
                return Err(refused(format!(
                    "{what} ({number}) is out of range for sequence data type {}",
                    sequence.ty.name()
                )));
            }
        }
        if sequence.min >= sequence.max {
            return Err(refused(format!(
                "MINVALUE ({}) must be less than MAXVALUE ({})",
                sequence.min, sequence.max
            )));
        }
        match self.start {
            Some(start) => sequence.start = start,
            None if new => {
                sequence.start = if ascending {
                    sequence.min
                } else {
                    sequence.max
                };
            }
            None => {}
        }
        within("START", sequence.start, &sequence)?;
        if let Some(restart) = self.restart {
            within("RESTART", restart.unwrap_or(sequence.start), &sequence)?;
        }
        if let Some(cycle) = self.cycle {
            sequence.cycle = cycle;
        }
        Ok(sequence)
    }
}

fn within(what: &str, number: i64, sequence: &Sequence) -> Result<()> {
    if number < sequence.min {
        return Err(refused(format!(
            "{what} value ({number}) cannot be less than MINVALUE ({})",
            sequence.min
        )));
    }
    if number > sequence.max {
        return Err(refused(format!(
            "{what} value ({number}) cannot be greater than MAXVALUE ({})",
            sequence.max
        )));
    }
    Ok(())
}

/// The next value of a sequence as the default of a column.
fn next_value(schema: &str, name: &str) -> Expr {
    let file_name = Expr::Literal {
        value: Catalog::file_name(schema, name).into(),
        ty: Type::Text,
    };
    Expr::Call {
        function: Function::NextVal,
        args: vec![file_name],
        ty: Type::Int8,
    }
}

/// Whether an expression draws from the sequence.
fn draws(expr: &Expr, file_name: &str) -> bool {
    let mut found = false;
    expr.walk(0, &mut |_, expr| {
        found |= matches!(expr, Expr::Call { function: Function::NextVal | Function::CurrVal | Function::SetVal, args, .. }
            if matches!(args.first(), Some(Expr::Literal { value, .. }) if *value == file_name.into()));
    });
    found
}

impl Migration {
    pub(super) fn create_sequence(&mut self, source: &Source) -> Result<()> {
        let words: Vec<Token> = source.words().cloned().collect();
        let at = usize::from(!is(words.get(1), "sequence")) + 2;
        if at == 3 {
            return Err(Trouble::unsupported(
                source.text(),
                "create an ordinary sequence",
            ));
        }
        let mut rest = words[at..].iter().peekable();
        let if_not_exists = rest.next_if(|token| is(Some(token), "if")).is_some();
        if if_not_exists {
            rest.next();
            rest.next();
        }
        let (schema, name) = self.sequence_key(super::comment::dotted(&mut rest), source)?;
        self.known_schema(&schema)?;
        if self.relation_exists(&schema, &name, None) {
            return if if_not_exists {
                Ok(())
            } else {
                Err(Trouble::sql(
                    "42P07",
                    format!("relation \"{name}\" already exists"),
                ))
            };
        }
        let rest: Vec<Token> = rest.cloned().collect();
        let options = Options::of_words(&rest)?;
        let mut sequence = options.apply(&Sequence::default(), true)?;
        sequence.owned_by = self.owner(&schema, options.owner.as_ref())?.flatten();
        sequence.privileges = self.catalog.initial_privileges(&schema, Kind::Sequence);
        self.catalog.sequences.insert((schema, name), sequence);
        Ok(())
    }

    pub(super) fn alter_sequence(&mut self, source: &Source) -> Result<()> {
        let words: Vec<Token> = source.words().cloned().collect();
        let mut rest = words[2..].iter().peekable();
        let if_exists = rest.next_if(|token| is(Some(token), "if")).is_some();
        if if_exists {
            rest.next();
        }
        let key = self.sequence_key(super::comment::dotted(&mut rest), source)?;
        let Some(old) = self.catalog.sequences.get(&key).cloned() else {
            return if if_exists {
                Ok(())
            } else {
                Err(no_relation(&key))
            };
        };
        let rest: Vec<Token> = rest.cloned().collect();
        if is(rest.first(), "rename") || is(rest.first(), "set") && is(rest.get(1), "schema") {
            let mut new = rest[2..].iter().peekable();
            let Some(new) = super::comment::dotted(&mut new).pop() else {
                return Err(Trouble::unsupported(source.text(), "give the new name"));
            };
            let to = if is(rest.first(), "rename") {
                (key.0.clone(), new)
            } else {
                (new, key.1.clone())
            };
            named_pair(&to)?;
            self.known_schema(&to.0)?;
            return self.rename_sequence(&key, &to);
        }
        // Nobody here owns a sequence but the migrations.
        if is(rest.first(), "owner") {
            return Ok(());
        }
        let options = Options::of_words(&rest)?;
        if options.owner.is_some() && self.identity_of(&key).is_some() {
            let table = old.owned_by.as_ref().map_or("", |(_, table, _)| table);
            return Err(crate::SqlError::new(
                "0A000",
                "cannot change ownership of identity sequence",
            )
            .detail(format!(
                "Sequence \"{}\" is linked to table \"{table}\".",
                key.1
            ))
            .into());
        }
        self.change_sequence(&key, &options)
    }

    /// Gives a sequence other options; `restart` moves where it stands.
    pub(super) fn change_sequence(
        &mut self,
        key: &(String, String),
        options: &Options,
    ) -> Result<()> {
        let Some(old) = self.catalog.sequences.get(key).cloned() else {
            return Err(no_relation(key));
        };
        let mut sequence = options.apply(&old, false)?;
        if let Some(owner) = self.owner(&key.0, options.owner.as_ref())? {
            sequence.owned_by = owner;
        }
        if let Some(restart) = options.restart {
            self.restart_sequence(key, restart.unwrap_or(sequence.start), &sequence);
        }
        self.catalog.sequences.insert(key.clone(), sequence);
        Ok(())
    }

    /// The sequence of an identity column follows the column to another type.
    pub(super) fn retype_sequence(&mut self, key: &(String, String), ty: &Type) -> Result<()> {
        let options = Options {
            ty: Some(ty.clone()),
            ..Options::default()
        };
        self.change_sequence(key, &options)
    }

    fn restart_sequence(&mut self, key: &(String, String), at: i64, sequence: &Sequence) {
        let name = Catalog::file_name(&key.0, &key.1);
        let (min, max) = (sequence.min, sequence.max);
        self.run(|out| {
            out.push("SELECT ")
                .push(crate::render::SET_VALUE)
                .push("(")
                .bind(crate::Bind::Const(name.into()))
                .push(&format!(", {at}, 0, {min}, {max})"));
        });
    }

    pub(super) fn rename_sequence(
        &mut self,
        key: &(String, String),
        to: &(String, String),
    ) -> Result<()> {
        if self.relation_exists(&to.0, &to.1, None) {
            return Err(Trouble::sql(
                "42P07",
                format!("relation \"{}\" already exists", to.1),
            ));
        }
        let Some(sequence) = self.catalog.sequences.remove(key) else {
            return Err(no_relation(key));
        };
        self.catalog.sequences.insert(to.clone(), sequence);
        let (old, new) = (
            Catalog::file_name(&key.0, &key.1),
            Catalog::file_name(&to.0, &to.1),
        );
        for table in self.catalog.tables.values_mut() {
            let touches = |column: &Column| {
                column
                    .default
                    .as_ref()
                    .is_some_and(|expr| draws(expr, &old))
            };
            if !table.columns.iter().any(touches) {
                continue;
            }
            let defaults = std::sync::Arc::make_mut(table)
                .columns
                .iter_mut()
                .filter_map(|column| column.default.as_mut());
            for expr in defaults {
                expr.walk_mut(&mut Vec::new(), &mut |_, expr| {
                    if let Expr::Literal { value, .. } = expr
                        && *value == old.as_str().into()
                    {
                        *value = new.as_str().into();
                    }
                });
            }
        }
        self.run(|out| {
            out.push("SELECT ").push(RENAME_SEQUENCE).push("(");
            out.bind(crate::Bind::Const(old.into())).push(", ");
            out.bind(crate::Bind::Const(new.into())).push(")");
        });
        Ok(())
    }

    pub(super) fn drop_sequence(
        &mut self,
        name: &ast::ObjectName,
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        let key = named(name)?;
        if !self.catalog.sequences.contains_key(&key) {
            return if if_exists {
                Ok(())
            } else {
                Err(Trouble::sql(
                    "42P01",
                    format!("sequence \"{name}\" does not exist"),
                ))
            };
        }
        if let Some((table, column)) = self.identity_of(&key) {
            return Err(crate::SqlError::new(
                "2BP01",
                format!(
                    "cannot drop sequence {name} because column {column} of table {table} requires it"
                ),
            )
            .hint(format!(
                "You can drop column {column} of table {table} instead."
            ))
            .into());
        }
        let file_name = Catalog::file_name(&key.0, &key.1);
        let mut using: Vec<(String, Table)> = Vec::new();
        for table in self.catalog.tables.values() {
            for column in &table.columns {
                if column
                    .default
                    .as_ref()
                    .is_some_and(|expr| draws(expr, &file_name))
                {
                    using.push((column.name.clone(), (**table).clone()));
                }
            }
        }
        if let (Some((column, table)), false) = (using.first(), cascade) {
            return Err(crate::SqlError::new(
                "2BP01",
                format!("cannot drop sequence {name} because other objects depend on it"),
            )
            .detail(format!(
                "default value for column {column} of table {} depends on sequence {name}",
                table.file_name()
            ))
            .hint("Use DROP ... CASCADE to drop the dependent objects too.")
            .into());
        }
        for (name, table) in using {
            if let Some(table) = self.catalog.table(&table.schema, &table.name).cloned() {
                let mut changed = (*table).clone();
                let columns = changed.columns.iter_mut();
                for column in columns.filter(|column| column.name == name) {
                    column.default = None;
                }
                self.put(changed);
            }
        }
        self.forget_sequence(&key);
        Ok(())
    }

    /// Removes a sequence with where it stands.
    pub(super) fn forget_sequence(&mut self, key: &(String, String)) {
        self.catalog.sequences.remove(key);
        let file_name = Catalog::file_name(&key.0, &key.1);
        self.run_now(|out| {
            out.push("SELECT ").push(FORGET_SEQUENCE).push("(");
            out.bind(crate::Bind::Const(file_name.into())).push(")");
        });
    }

    /// Removes the sequences that go with a column, or with any of the table's.
    pub(super) fn forget_owned(&mut self, schema: &str, table: &str, column: Option<&str>) {
        let owned: Vec<(String, String)> = self
            .catalog
            .sequences
            .iter()
            .filter(|(_, sequence)| {
                sequence.owned_by.as_ref().is_some_and(|owner| {
                    owner.0 == schema
                        && owner.1 == table
                        && column.is_none_or(|column| column == owner.2)
                })
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in owned {
            self.forget_sequence(&key);
        }
    }

    /// Sequences follow their tables and columns to other names.
    pub(super) fn rename_owner(&mut self, rename: impl Fn(&mut (String, String, String))) {
        self.catalog
            .sequences
            .values_mut()
            .filter_map(|sequence| sequence.owned_by.as_mut())
            .for_each(rename);
    }

    /// Makes the sequence of a serial or identity column and gives it to the column as its default.
    pub(super) fn sequence_for(
        &mut self,
        table: &mut Table,
        at: usize,
        options: &Options,
    ) -> Result<()> {
        let column = &table.columns[at];
        let schema = table.schema.clone();
        let name = self.relation_name(table, &column.name, "seq");
        let mut options = options.clone();
        options.ty.get_or_insert_with(|| column.ty.clone());
        let mut sequence = options.apply(&Sequence::default(), true)?;
        sequence.owned_by = Some((schema.clone(), table.name.clone(), column.name.clone()));
        sequence.privileges = self.catalog.initial_privileges(&schema, Kind::Sequence);
        table.columns[at].default = Some(next_value(&schema, &name));
        self.catalog.sequences.insert((schema, name), sequence);
        Ok(())
    }

    /// The sequence of an identity column.
    pub(super) fn identity_sequence(
        &self,
        table: &Table,
        column: &str,
    ) -> Option<(String, String)> {
        let column = table.column(column)?;
        column.identity?;
        let default = column.default.as_ref()?;
        self.catalog
            .sequences
            .keys()
            .find(|key| draws(default, &Catalog::file_name(&key.0, &key.1)))
            .cloned()
    }

    /// The table and column a sequence is the identity of.
    fn identity_of(&self, key: &(String, String)) -> Option<(String, String)> {
        let (schema, table, column) = self.catalog.sequences.get(key)?.owned_by.clone()?;
        let found = self.catalog.table(&schema, &table)?;
        (self.identity_sequence(found, &column).as_ref() == Some(key)).then_some(())?;
        Some((Catalog::file_name(&schema, &table), column))
    }

    /// The column that `owned by` names.
    fn owner(&self, schema: &str, named: Option<&Option<Vec<String>>>) -> Result<Option<Owner>> {
        let Some(named) = named else {
            return Ok(None);
        };
        let Some(parts) = named else {
            return Ok(Some(None));
        };
        let (table, column) = match &parts[..] {
            [table, column] => (("public".to_owned(), table.clone()), column),
            [schema, table, column] => ((schema.clone(), table.clone()), column),
            _ => {
                return Err(Trouble::sql("42601", "invalid OWNED BY option"));
            }
        };
        let Some(found) = self.catalog.tables.get(&table) else {
            return Err(no_relation(&table));
        };
        if found.column(column).is_none() {
            return Err(Trouble::sql(
                "42703",
                format!(
                    "column \"{column}\" of relation \"{}\" does not exist",
                    found.name
                ),
            ));
        }
        if table.0 != schema {
            return Err(Trouble::sql(
                "55000",
                "sequence must be in same schema as table it is linked to",
            ));
        }
        Ok(Some(Some((table.0, table.1, column.clone()))))
    }

    fn sequence_key(&self, parts: Vec<String>, source: &Source) -> Result<(String, String)> {
        let key = super::comment::pair(parts)
            .ok_or_else(|| Trouble::unsupported(source.text(), "name it as schema.name"))?;
        named_pair(&key)?;
        Ok(key)
    }
}

fn named_pair((schema, name): &(String, String)) -> Result<()> {
    named(&ast::ObjectName::from(vec![
        ast::Ident::with_quote('"', schema),
        ast::Ident::with_quote('"', name),
    ]))
    .map(|_| ())
}

fn no_relation(key: &(String, String)) -> Trouble {
    Trouble::sql(
        "42P01",
        format!(
            "relation \"{}\" does not exist",
            Catalog::file_name(&key.0, &key.1)
        ),
    )
}

fn is(token: Option<&Token>, wanted: &str) -> bool {
    matches!(token, Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}
