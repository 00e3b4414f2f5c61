//! A migration: each statement changes the catalog and gives the SQLite statements that follow it. Nothing is run here.

pub(crate) mod advice;
mod alter;
mod column;
mod comment;
mod grant;
mod index;
mod kind;
mod name;
mod policy;
mod rebuild;
mod reference;
mod routine;
mod schema;
mod seed;
mod sequence;
mod table;
mod trigger;
mod view;

use crate::catalog::{Catalog, Table};
use crate::error::{Refusal, SqlError};
use crate::lower::{Lowering, fold, object};
use crate::parse::{Source, split};
use crate::routine::RoutineId;
use crate::statement::Statement;
use crate::trouble::{Result, Trouble};
use advice::{never, unsupported};
use rebuild::Pending;
pub use rebuild::RAISE;
pub use sequence::{FORGET_SEQUENCE, RENAME_SEQUENCE};
use sqlparser::ast;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One SQLite statement of a migration.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is run. Its binds are constants, `now()` or random uuids.
    pub sql: Statement,
    /// The line of the Postgres statement it follows from.
    pub line: u64,
}

/// What a migration comes to.
#[derive(Clone, Debug)]
pub struct Migrated {
    /// The catalog after it.
    pub catalog: Catalog,
    /// What is run, in order, in one transaction.
    pub steps: Vec<Step>,
}

/// Schemas a migration never creates or fills by another name.
const RESERVED: &[&str] = &["pg_catalog", "information_schema", "sqlite"];

/// Reads a migration written for Postgres.
///
/// Errors: the first statement that the embedded engine does not run, with its line and what to do.
pub fn migrate(catalog: &Catalog, file: &str, sql: &str) -> Result<Migrated, Refusal> {
    let sources = split(sql).map_err(|trouble| trouble.refusal(file, 1))?;
    let mut migration = Migration {
        catalog: catalog.clone(),
        steps: Vec::new(),
        line: 1,
        pending: BTreeMap::new(),
        failed: None,
        fresh: Vec::new(),
        rewritten: Vec::new(),
        armed: None,
    };
    for source in whole(&sources) {
        migration.line = source.line;
        migration
            .apply(source)
            .and_then(|()| migration.failed.take().map_or(Ok(()), Err))
            .map_err(|trouble| trouble.refusal(file, source.line))?;
    }
    migration.disarm();
    migration
        .flush()
        .and_then(|()| migration.settle_triggers(true))
        .map_err(|trouble| trouble.refusal(file, 1))?;
    migration.catalog.version = catalog.version + 1;
    Ok(Migrated {
        catalog: migration.catalog,
        steps: migration.steps,
    })
}

/// A file may say itself that it is one transaction.
fn whole(sources: &[Source]) -> &[Source] {
    let begins = |source: &Source| {
        matches!(
            source.text().to_lowercase().as_str(),
            "begin" | "begin transaction" | "begin work" | "start transaction"
        )
    };
    let ends = |source: &Source| {
        matches!(
            source.text().to_lowercase().as_str(),
            "commit" | "commit transaction" | "commit work" | "end"
        )
    };
    match sources {
        [first, rest @ .., last] if begins(first) && ends(last) => rest,
        _ => sources,
    }
}

struct Migration {
    catalog: Catalog,
    steps: Vec<Step>,
    line: u64,
    /// Tables the file does not have as the catalog says, yet.
    pending: BTreeMap<rebuild::Key, Pending>,
    /// Why a table could not be brought up to date.
    failed: Option<Trouble>,
    /// Triggers that were made, as schema, table and name, and where.
    fresh: Vec<((String, String, String), u64)>,
    /// Functions that were made or replaced.
    rewritten: Vec<RoutineId>,
    /// The triggers that stand in the engine while rows are written.
    armed: Option<Vec<String>>,
}

impl Migration {
    /// Runs a statement on the tables as they are now.
    fn step(&mut self, sql: Statement) {
        if let Err(trouble) = self.flush() {
            self.failed.get_or_insert(trouble);
        }
        self.push(sql);
    }

    fn run(&mut self, sql: impl FnOnce(&mut Statement)) {
        let mut statement = Statement::new();
        sql(&mut statement);
        self.step(statement);
    }

    fn apply(&mut self, source: &Source) -> Result<()> {
        if !["insert", "update", "delete", "select", "with"]
            .iter()
            .any(|word| source.starts_with(&[word]))
        {
            self.disarm();
        }
        // A few statements are read by their words: the parser has no rule for them, or one that loses what is recorded here.
        if source.starts_with(&["alter", "publication"]) {
            return self.publication(source);
        }
        if source.starts_with(&["comment", "on"]) {
            return self.comment(source);
        }
        if source.starts_with(&["grant"]) || source.starts_with(&["revoke"]) {
            return self.grant(source);
        }
        if source.starts_with(&["alter", "default", "privileges"]) {
            return self.default_privileges(source);
        }
        if source.starts_with(&["set"]) {
            return self.set(source);
        }
        // How a dump says that it names everything with its schema.
        if source.text().to_lowercase() == "select pg_catalog.set_config('search_path', '', false)"
        {
            return Ok(());
        }
        if source.starts_with(&["create", "sequence"])
            || source.starts_with(&["create", "temporary", "sequence"])
            || source.starts_with(&["create", "temp", "sequence"])
        {
            return self.create_sequence(source);
        }
        if source.starts_with(&["alter", "sequence"]) {
            return self.alter_sequence(source);
        }
        if source.starts_with(&["alter", "type"]) {
            return self.alter_type_statement(source);
        }
        if source.starts_with(&["alter", "schema"]) {
            return self.alter_schema(source);
        }
        if source.starts_with(&["alter", "index"]) {
            return self.alter_index(source);
        }
        if source.starts_with(&["alter", "table"]) {
            return self.alter_table(source);
        }
        if source.starts_with(&["alter", "view"]) {
            return self.alter_view(source);
        }
        if source.starts_with(&["alter", "function"]) || source.starts_with(&["alter", "routine"]) {
            return self.alter_function(source);
        }
        let creates = |words: &[&str]| {
            source.starts_with(&[&["create"], words].concat())
                || source.starts_with(&[&["create", "or", "replace"], words].concat())
        };
        if creates(&["trigger"]) || creates(&["constraint", "trigger"]) {
            return self.create_trigger(source);
        }
        if source.starts_with(&["drop", "trigger"]) {
            return self.drop_trigger(source);
        }
        if source.starts_with(&["alter", "trigger"]) {
            return self.alter_trigger(source);
        }
        if let Some(refused) = never(source) {
            return Err(refused);
        }
        let statement = source.statement()?;
        match &statement {
            ast::Statement::CreateView(create) => self.create_view(create, source),
            ast::Statement::CreateFunction(create) => self.create_function(create, source),
            ast::Statement::DropFunction(drop) => self.drop_function(drop),
            ast::Statement::CreateSchema {
                schema_name,
                if_not_exists,
                ..
            } => self.create_schema(schema_name, *if_not_exists),
            ast::Statement::CreateExtension(extension) => self.create_extension(extension),
            ast::Statement::CreateType {
                name,
                representation: Some(ast::UserDefinedTypeRepresentation::Enum { labels }),
            } => self.create_enum(name, labels),
            ast::Statement::CreateTable(create) => self.create_table(create),
            ast::Statement::CreateIndex(create) => self.create_index(create),
            ast::Statement::CreatePolicy(create) => self.create_policy(create, source.text()),
            ast::Statement::AlterPolicy(alter) => self.alter_policy(alter),
            ast::Statement::DropPolicy(drop) => self.drop_policy(drop),
            ast::Statement::Drop {
                object_type,
                if_exists,
                names,
                cascade,
                ..
            } => self.drop(*object_type, *if_exists, names, *cascade),
            statement => {
                if self.rows(statement)? {
                    Ok(())
                } else {
                    Err(unsupported(source))
                }
            }
        }
    }

    fn create_extension(&mut self, extension: &ast::CreateExtension) -> Result<()> {
        let name = fold(&extension.name);
        if !matches!(name.as_str(), "pgcrypto" | "uuid-ossp" | "plpgsql") {
            return Err(Trouble::unsupported(
                format!("extension {name}"),
                advice::of_extension(&name),
            ));
        }
        if !self.catalog.extensions.contains(&name) {
            self.catalog.extensions.push(name);
        }
        Ok(())
    }

    fn drop(
        &mut self,
        kind: ast::ObjectType,
        if_exists: bool,
        names: &[ast::ObjectName],
        cascade: bool,
    ) -> Result<()> {
        for name in names {
            match kind {
                ast::ObjectType::Table => self.drop_table(name, if_exists, cascade)?,
                ast::ObjectType::Index => self.drop_index(name, if_exists)?,
                ast::ObjectType::Type => self.drop_enum(name, if_exists, cascade)?,
                ast::ObjectType::Schema => self.drop_schema(name, if_exists, cascade)?,
                ast::ObjectType::Sequence => self.drop_sequence(name, if_exists, cascade)?,
                // Nothing of these can have been created.
                ast::ObjectType::View => self.drop_view(name, if_exists, cascade)?,
                ast::ObjectType::MaterializedView if if_exists => {}
                other => {
                    return Err(Trouble::unsupported(
                        format!("drop {other} {name}"),
                        "leave it out",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The table a statement names.
    fn table(&self, name: &ast::ObjectName) -> Result<Arc<Table>> {
        Lowering::bare(&self.catalog).table(name)
    }

    fn put(&mut self, table: Table) {
        self.catalog
            .tables
            .insert((table.schema.clone(), table.name.clone()), Arc::new(table));
    }
}

/// A name with its schema, `public` when none is given; fit for a name in the file.
fn named(name: &ast::ObjectName) -> Result<(String, String)> {
    let (schema, plain) = object(name)
        .ok_or_else(|| Trouble::unsupported(name.to_string(), "name it as schema.name"))?;
    let schema = schema.unwrap_or_else(|| "public".to_owned());
    if RESERVED.contains(&schema.as_str())
        || plain.starts_with("sqlite_")
        || plain.starts_with("pando_")
    {
        return Err(Trouble::invalid(
            name.to_string(),
            "the name is reserved",
            "choose another",
        ));
    }
    identifier(&schema)?;
    identifier(&plain)?;
    Ok((schema, plain))
}

/// Names are kept as written, but for what could not be told apart in the file.
fn identifier(name: &str) -> Result<&str> {
    if name.is_empty() || name.len() > 63 || name.contains(['.', '"', '\0']) {
        return Err(Trouble::invalid(
            name,
            "a name has 1 to 63 bytes and no dot or double quote",
            "rename it",
        ));
    }
    Ok(name)
}

/// Rendering a part of the schema fails as the statement it stands in does.
fn rendered(result: Result<Statement, SqlError>) -> Result<Statement> {
    result.map_err(Trouble::from)
}
