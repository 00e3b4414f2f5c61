//! `create schema`, `alter schema`, `drop schema`: schemas are prefixes of names in the file.

use super::comment::{dotted, is_word};
use super::reference::depended_on;
use super::{Migration, RESERVED, Source, identifier};
use crate::catalog::Catalog;
use crate::lower::{fold, object};
use crate::trouble::{Result, Trouble};
use sqlparser::ast;
use sqlparser::tokenizer::Token;

impl Migration {
    pub(super) fn create_schema(
        &mut self,
        name: &ast::SchemaName,
        if_not_exists: bool,
    ) -> Result<()> {
        // Nobody here owns a schema but the migrations.
        let schema = match name {
            ast::SchemaName::Simple(name) | ast::SchemaName::NamedAuthorization(name, _) => {
                object(name)
            }
            ast::SchemaName::UnnamedAuthorization(owner) => Some((None, fold(owner))),
        };
        let Some((None, schema)) = schema else {
            return Err(Trouble::unsupported(
                format!("create schema {name}"),
                "give it a name without dots",
            ));
        };
        if RESERVED.contains(&schema.as_str()) || schema.starts_with("pg_") {
            return Err(Trouble::sql(
                "42939",
                format!("unacceptable schema name \"{schema}\""),
            ));
        }
        identifier(&schema)?;
        if self.has_schema(&schema) {
            return if if_not_exists {
                Ok(())
            } else {
                Err(Trouble::sql(
                    "42P06",
                    format!("schema \"{schema}\" already exists"),
                ))
            };
        }
        self.catalog.schemas.insert(schema);
        Ok(())
    }

    fn has_schema(&self, schema: &str) -> bool {
        schema == "public" || self.catalog.schemas.contains(schema)
    }

    /// Refuses a schema that was not created.
    pub(super) fn known_schema(&self, schema: &str) -> Result<()> {
        if self.has_schema(schema) {
            return Ok(());
        }
        Err(Trouble::sql(
            "3F000",
            format!("schema \"{schema}\" does not exist"),
        ))
    }

    pub(super) fn drop_schema(
        &mut self,
        name: &ast::ObjectName,
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        let Some((None, schema)) = object(name) else {
            return Err(Trouble::unsupported(name.to_string(), "name one schema"));
        };
        if !self.has_schema(&schema) && if_exists {
            return Ok(());
        }
        self.known_schema(&schema)?;
        let held = self.held(&schema);
        if !held.is_empty() && !cascade {
            let by: Vec<String> = held
                .iter()
                .map(|(kind, name)| {
                    format!(
                        "{kind} {} depends on schema {schema}",
                        Catalog::file_name(&schema, name)
                    )
                })
                .collect();
            return Err(depended_on(&format!("schema {schema}"), &by));
        }
        if schema == "public" {
            return Err(Trouble::unsupported(
                "drop schema public",
                "drop what is in it",
            ));
        }
        for (kind, name) in held {
            let named = ast::ObjectName::from(vec![
                ast::Ident::with_quote('"', &schema),
                ast::Ident::with_quote('"', &name),
            ]);
            let key = (schema.clone(), name);
            match kind {
                "view" => self.drop_view(&named, true, true)?,
                "table" => self.drop_table(&named, true, true)?,
                "sequence" => self.drop_sequence(&named, true, true)?,
                "type" => self.remove_enum(&key, true, true)?,
                _ => {
                    return Err(Trouble::unsupported(
                        format!("drop schema {schema}, which has functions"),
                        "drop its functions first",
                    ));
                }
            }
        }
        self.catalog.schemas.remove(&schema);
        Ok(())
    }

    /// What a schema holds, but for what goes with something else: first what reads, then what is read.
    fn held(&self, schema: &str) -> Vec<(&'static str, String)> {
        let mut held = Vec::new();
        let tables = || {
            self.catalog
                .tables
                .values()
                .filter(|table| table.schema == schema)
        };
        held.extend(
            self.catalog
                .routines
                .keys()
                .filter(|key| key.0 == schema)
                .map(|key| ("function", key.1.clone())),
        );
        held.extend(
            tables()
                .filter(|table| table.view.is_some())
                .map(|table| ("view", table.name.clone())),
        );
        held.extend(
            tables()
                .filter(|table| table.view.is_none())
                .map(|table| ("table", table.name.clone())),
        );
        held.extend(
            self.catalog
                .sequences
                .iter()
                .filter(|(key, sequence)| key.0 == schema && sequence.owned_by.is_none())
                .map(|(key, _)| ("sequence", key.1.clone())),
        );
        held.extend(
            self.catalog
                .enums
                .keys()
                .filter(|key| key.0 == schema)
                .map(|key| ("type", key.1.clone())),
        );
        held
    }

    /// `alter schema .. rename to`, `owner to`.
    pub(super) fn alter_schema(&mut self, source: &Source) -> Result<()> {
        let words: Vec<&Token> = source.words().skip(2).collect();
        let mut rest = words.iter().copied().peekable();
        let Some(schema) = dotted(&mut rest).pop() else {
            return Err(Trouble::unsupported(source.text(), "name one schema"));
        };
        self.known_schema(&schema)?;
        let rest: Vec<&Token> = rest.collect();
        if rest.first().is_some_and(|word| is_word(word, "owner")) {
            return Ok(());
        }
        let new = dotted(&mut rest.iter().skip(2).copied().peekable()).pop();
        let (Some(new), true) = (
            new,
            rest.first().is_some_and(|word| is_word(word, "rename")),
        ) else {
            return Err(Trouble::unsupported(
                source.text(),
                "write alter schema <name> rename to <name>",
            ));
        };
        if schema == "public" {
            return Err(Trouble::unsupported(
                "another name for schema public",
                "create a schema of that name",
            ));
        }
        let held = self.held(&schema);
        if let Some((kind, name)) = held
            .iter()
            .find(|(kind, _)| matches!(*kind, "function" | "view"))
        {
            return Err(Trouble::unsupported(
                format!("another name for schema {schema}, which has {kind} {name}"),
                "drop it, rename the schema, create it again",
            ));
        }
        let name = ast::SchemaName::Simple(ast::ObjectName::from(vec![ast::Ident::with_quote(
            '"', &new,
        )]));
        self.create_schema(&name, false)?;
        for (kind, name) in held {
            let (from, to) = ((schema.clone(), name.clone()), (new.clone(), name));
            match kind {
                "table" => {
                    if let Some(table) = self.catalog.tables.get(&from).cloned() {
                        self.set_schema(&table, &new)?;
                    }
                }
                "sequence" => self.rename_sequence(&from, &to)?,
                _ => self.move_enum(&from, &to)?,
            }
        }
        self.catalog.schemas.remove(&schema);
        Ok(())
    }
}
