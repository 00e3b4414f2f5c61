//! `create type .. as enum`, `alter type`, `drop type`.

use super::comment::{dotted, is_word, pair};
use super::rebuild::Key;
use super::reference::{depended_on, shown};
use super::{Migration, Source, identifier, named};
use crate::catalog::Catalog;
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::trouble::{Result, Trouble};
use crate::types::{EnumType, Type};
use serde_json::Value as Json;
use sqlparser::ast;
use sqlparser::tokenizer::Token;
use std::sync::Arc;

/// Bytes of a label.
const LABEL_BYTES_MAX: usize = 63;

impl Migration {
    pub(super) fn create_enum(
        &mut self,
        name: &ast::ObjectName,
        labels: &[ast::Ident],
    ) -> Result<()> {
        let (schema, name) = named(name)?;
        self.known_schema(&schema)?;
        let labels: Vec<String> = labels.iter().map(|label| label.value.clone()).collect();
        for (at, label) in labels.iter().enumerate() {
            fits(label)?;
            if labels[..at].contains(label) {
                return Err(exists(label));
            }
        }
        self.free_type(&(schema.clone(), name.clone()))?;
        self.catalog.enums.insert(
            (schema.clone(), name.clone()),
            Arc::new(EnumType {
                schema,
                name,
                labels,
            }),
        );
        Ok(())
    }

    fn free_type(&self, key: &Key) -> Result<()> {
        // A table's rows are a type of its name.
        if self.catalog.enums.contains_key(key) || self.catalog.tables.contains_key(key) {
            return Err(Trouble::sql(
                "42710",
                format!("type \"{}\" already exists", key.1),
            ));
        }
        Ok(())
    }

    /// `alter type .. add value`, `rename value`, `rename to`, `set schema`, `owner to`.
    pub(super) fn alter_type_statement(&mut self, source: &Source) -> Result<()> {
        let words: Vec<Token> = source.words().skip(2).cloned().collect();
        let mut rest = words.iter().peekable();
        let key = pair(dotted(&mut rest))
            .ok_or_else(|| Trouble::unsupported(source.text(), "name it as schema.name"))?;
        let Some(known) = self.catalog.enums.get(&key).cloned() else {
            return Err(no_type(&key));
        };
        let rest: Vec<&Token> = rest.collect();
        let is = |at: usize, word: &str| rest.get(at).is_some_and(|token| is_word(token, word));
        let text = |at: usize| match rest.get(at) {
            Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) => {
                Ok(text.clone())
            }
            _ => Err(Trouble::unsupported(
                source.text(),
                "write the label in single quotes",
            )),
        };
        if is(0, "add") && is(1, "value") {
            let lenient = is(2, "if");
            let at = if lenient { 5 } else { 2 };
            let label = text(at)?;
            fits(&label)?;
            if known.labels.contains(&label) {
                return if lenient { Ok(()) } else { Err(exists(&label)) };
            }
            let mut labels = known.labels.clone();
            let neighbour = |at: usize| -> Result<usize> {
                let neighbour = text(at)?;
                position(&known, &neighbour)
            };
            let place = if is(at + 1, "before") {
                neighbour(at + 2)?
            } else if is(at + 1, "after") {
                neighbour(at + 2)? + 1
            } else {
                labels.len()
            };
            labels.insert(place, label);
            return self.change_enum(&known, labels, None);
        }
        if is(0, "rename") && is(1, "value") {
            let (old, new) = (text(2)?, text(4)?);
            fits(&new)?;
            let at = position(&known, &old)?;
            if known.labels.contains(&new) {
                return Err(exists(&new));
            }
            let mut labels = known.labels.clone();
            labels[at].clone_from(&new);
            return self.change_enum(&known, labels, Some((old, new)));
        }
        let new = || {
            pair(dotted(&mut rest.iter().skip(2).copied().peekable()))
                .map(|(_, name)| name)
                .ok_or_else(|| Trouble::unsupported(source.text(), "give the new name"))
        };
        if is(0, "rename") && is(1, "to") {
            return self.move_enum(&key, &(key.0.clone(), new()?));
        }
        if is(0, "set") && is(1, "schema") {
            let schema = new()?;
            self.known_schema(&schema)?;
            return self.move_enum(&key, &(schema, key.1.clone()));
        }
        // Nobody here owns a type but the migrations.
        if is(0, "owner") {
            return Ok(());
        }
        Err(Trouble::unsupported(
            source.text(),
            "write add value, rename value or rename to",
        ))
    }

    /// Gives an enum other labels, everywhere; `renamed` in the rows too.
    fn change_enum(
        &mut self,
        known: &EnumType,
        labels: Vec<String>,
        renamed: Option<(String, String)>,
    ) -> Result<()> {
        let new = EnumType {
            labels,
            ..known.clone()
        };
        let before = self.catalog.clone();
        let (old, label) = (Type::Enum(Arc::new(known.clone())), renamed.clone());
        self.retype_everywhere(known, &new, label.as_ref())?;
        for table in before.tables.values() {
            let within = |ty: &Type| matches!(ty, Type::Array(item) if **item == old);
            if table.view.is_some()
                || !table
                    .columns
                    .iter()
                    .any(|column| column.ty == old || within(&column.ty))
            {
                continue;
            }
            let Some(changed) = self.catalog.table(&table.schema, &table.name).cloned() else {
                continue;
            };
            let mut filled = Vec::new();
            if let Some((from, to)) = &renamed {
                if let Some(column) = table.columns.iter().find(|column| within(&column.ty)) {
                    return Err(Trouble::unsupported(
                        format!("rename value of the array column {}", column.name),
                        "add the new value, update the rows, and leave the old value",
                    ));
                }
                for column in table
                    .columns
                    .iter()
                    .filter(|column| column.ty == old && column.generated.is_none())
                {
                    filled.push((
                        column.name.clone(),
                        relabelled(&column.name, &new, from, to),
                    ));
                }
            }
            self.rebuild_with(table, (*changed).clone(), &filled)?;
        }
        Ok(())
    }

    pub(super) fn move_enum(&mut self, key: &Key, to: &Key) -> Result<()> {
        identifier(&to.1)?;
        self.free_type(to)?;
        let Some(known) = self.catalog.enums.get(key).cloned() else {
            return Err(no_type(key));
        };
        let taken = self.catalog.routines.values().flatten().find(|routine| {
            routine
                .params
                .iter()
                .any(|param| param.ty == Type::Enum(known.clone()))
        });
        if let Some(routine) = taken {
            return Err(Trouble::unsupported(
                format!(
                    "another name for type {}, which function {} takes",
                    key.1, routine.name
                ),
                "drop the function, rename the type, create it again",
            ));
        }
        let new = EnumType {
            schema: to.0.clone(),
            name: to.1.clone(),
            labels: known.labels.clone(),
        };
        self.retype_everywhere(&known, &new, None)?;
        if let Some(moved) = self.catalog.enums.remove(key) {
            self.catalog.enums.insert(to.clone(), moved);
        }
        Ok(())
    }

    /// Puts a type in the place of another wherever the catalog names it. Expressions hold their types in every part of theirs, so this
    /// is done on the form they are stored in.
    fn retype_everywhere(
        &mut self,
        old: &EnumType,
        new: &EnumType,
        label: Option<&(String, String)>,
    ) -> Result<()> {
        let failed =
            |error: serde_json::Error| Trouble::sql("XX000", format!("the catalog: {error}"));
        // Tables wait with expressions of the old type.
        self.flush()?;
        let mut stored = serde_json::to_value(&self.catalog).map_err(failed)?;
        let (from, to) = (
            serde_json::to_value(old).map_err(failed)?,
            serde_json::to_value(new).map_err(failed)?,
        );
        replace(&mut stored, &from, &to, label);
        self.catalog = serde_json::from_value::<Catalog>(stored).map_err(failed)?;
        Ok(())
    }

    pub(super) fn drop_enum(
        &mut self,
        name: &ast::ObjectName,
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        let key = named(name)?;
        self.remove_enum(&key, if_exists, cascade)
    }

    pub(super) fn remove_enum(&mut self, key: &Key, if_exists: bool, cascade: bool) -> Result<()> {
        let Some(known) = self.catalog.enums.get(key).cloned() else {
            return if if_exists { Ok(()) } else { Err(no_type(key)) };
        };
        let ty = Type::Enum(known.clone());
        let uses =
            |other: &Type| *other == ty || matches!(other, Type::Array(item) if **item == ty);
        let mut using = Vec::new();
        for (table, of) in &self.catalog.tables {
            for column in of.columns.iter().filter(|column| uses(&column.ty)) {
                using.push((table.clone(), column.name.clone(), column.ty.name()));
            }
        }
        if !using.is_empty() && !cascade {
            let by: Vec<String> = using
                .iter()
                .map(|(table, column, ty)| {
                    format!(
                        "column {column} of table {} depends on type {ty}",
                        shown(table)
                    )
                })
                .collect();
            return Err(depended_on(&format!("type {}", shown(key)), &by));
        }
        for (table, column, _) in using {
            if let Some(table) = self.catalog.tables.get(&table).cloned() {
                if table.view.is_some() {
                    self.drop_readers(&table, true)?;
                    self.catalog
                        .tables
                        .remove(&(table.schema.clone(), table.name.clone()));
                } else {
                    self.drop_column(&table, &column, true, true)?;
                }
            }
        }
        if let Some(routine) = self
            .catalog
            .routines
            .values()
            .flatten()
            .find(|routine| routine.params.iter().any(|param| uses(&param.ty)))
        {
            return Err(depended_on(
                &format!("type {}", shown(key)),
                &[format!(
                    "function {} depends on type {}",
                    routine.name,
                    shown(key)
                )],
            ));
        }
        self.catalog.enums.remove(key);
        Ok(())
    }
}

/// `case column when old then new else column end`
fn relabelled(column: &str, ty: &EnumType, from: &str, to: &str) -> Expr {
    let ty = Type::Enum(Arc::new(ty.clone()));
    let literal = |label: &str| Expr::Literal {
        value: label.into(),
        ty: ty.clone(),
    };
    let column = Expr::Column {
        level: 0,
        source: 0,
        name: column.to_owned(),
        ty: ty.clone(),
    };
    let is_old = Expr::Call {
        function: Function::Eq,
        args: vec![column.clone(), literal(from)],
        ty: Type::Bool,
    };
    Expr::Case {
        branches: vec![(is_old, literal(to))],
        otherwise: Some(Box::new(column)),
        ty,
    }
}

/// Replaces a type in a stored catalog, and a label in its literals.
fn replace(json: &mut Json, from: &Json, to: &Json, label: Option<&(String, String)>) {
    if json == from {
        *json = to.clone();
        return;
    }
    if let (Some((old, new)), Json::Object(map)) = (label, &mut *json)
        && map.get("ty").and_then(|ty| ty.get("Enum")) == Some(from)
        && let Some(text) = map.get_mut("value").and_then(|value| value.get_mut("Text"))
        && text == old.as_str()
    {
        *text = Json::String(new.clone());
    }
    match json {
        Json::Array(items) => items
            .iter_mut()
            .for_each(|item| replace(item, from, to, label)),
        Json::Object(map) => map
            .values_mut()
            .for_each(|item| replace(item, from, to, label)),
        _ => {}
    }
}

fn fits(label: &str) -> Result<()> {
    if label.is_empty() || label.len() > LABEL_BYTES_MAX {
        return Err(
            SqlError::new("42602", format!("invalid enum label \"{label}\""))
                .detail(format!("Labels must be {LABEL_BYTES_MAX} bytes or less."))
                .into(),
        );
    }
    Ok(())
}

fn position(known: &EnumType, label: &str) -> Result<usize> {
    known
        .labels
        .iter()
        .position(|known| known == label)
        .ok_or_else(|| {
            Trouble::sql(
                "22023",
                format!("\"{label}\" is not an existing enum label"),
            )
        })
}

fn exists(label: &str) -> Trouble {
    Trouble::sql("42710", format!("enum label \"{label}\" already exists"))
}

fn no_type(key: &Key) -> Trouble {
    Trouble::sql("42704", format!("type \"{}\" does not exist", shown(key)))
}
