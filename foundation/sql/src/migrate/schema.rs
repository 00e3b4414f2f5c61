//! `create schema`: schemas are prefixes of names in the file, so that there is nothing to run.

use super::{Migration, RESERVED, identifier};
use crate::lower::{fold, object};
use crate::trouble::{Result, Trouble};
use sqlparser::ast;

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
}
