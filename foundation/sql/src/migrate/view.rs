//! `create view`, `alter view`, `drop view`.

use super::{Migration, Source, identifier, named};
use crate::catalog::{Catalog, CheckOption, Column, Command, Table, View};
use crate::lower::{Lowering, fold};
use crate::trouble::{Result, Trouble};
use crate::writable::writable;
use sqlparser::ast;

impl Migration {
    pub(super) fn create_view(&mut self, create: &ast::CreateView, source: &Source) -> Result<()> {
        let (schema, name) = named(&create.name)?;
        let refused = |what: &str, advice: &str| {
            Err(Trouble::unsupported(
                format!("create {what} {name}"),
                advice,
            ))
        };
        if create.materialized {
            return refused(
                "materialized view",
                "create a view, or a table that a trigger fills",
            );
        }
        if create.temporary {
            return refused("temporary view", "create an ordinary view");
        }
        let (invoker, check) = options(&create.options)?;
        if !invoker {
            exposed_by_owner(&schema, &name)?;
        }
        let check = match source.check_option() {
            Some((_, true)) => Some(CheckOption::Local),
            Some((_, false)) => Some(CheckOption::Cascaded),
            None => check,
        };
        let query = Lowering::bare(&self.catalog).query(&create.query)?;
        let given: Vec<String> = create
            .columns
            .iter()
            .map(|column| fold(&column.name))
            .collect();
        let mut columns = query.columns();
        if given.len() > columns.len() {
            return Err(Trouble::invalid(
                name.clone(),
                "CREATE VIEW specifies more column names than columns",
                "leave the last names out",
            ));
        }
        for (column, name) in columns.iter_mut().zip(given) {
            column.0 = name;
        }
        for (at, (name, _)) in columns.iter().enumerate() {
            identifier(name)?;
            if columns[..at].iter().any(|(known, _)| known == name) {
                return Err(Trouble::invalid(
                    name.clone(),
                    format!("column \"{name}\" specified more than once"),
                    "give one of them another name with as",
                )
                .state("42701"));
            }
        }
        let key = (schema.clone(), name.clone());
        let known = self.catalog.tables.get(&key).cloned();
        match &known {
            Some(known) if known.view.is_none() => {
                return Err(taken(&name));
            }
            Some(_) if !create.or_replace => {
                return if create.if_not_exists {
                    Ok(())
                } else {
                    Err(taken(&name))
                };
            }
            Some(known) => kept(known, &columns)?,
            None => {
                let file_name = Catalog::file_name(&schema, &name);
                if self
                    .catalog
                    .tables
                    .values()
                    .any(|table| table.file_name().eq_ignore_ascii_case(&file_name))
                {
                    return Err(taken(&name));
                }
            }
        }
        let columns = columns
            .into_iter()
            .map(|(name, ty)| Column::of_view(name, ty))
            .collect();
        let mut view = known.map_or_else(|| self.new_table(schema, name), |known| (*known).clone());
        view.columns = columns;
        view.rls_enabled = false;
        view.view = Some(View {
            query,
            invoker,
            check,
            source: source.text(),
        });
        if check.is_some() {
            // What it can't check it must not seem to.
            writable(&self.catalog, &view, Command::Update).map_err(|error| {
                Trouble::invalid(
                    view.name.clone(),
                    "WITH CHECK OPTION is supported only on automatically updatable views",
                    error.detail.unwrap_or_else(|| "leave it out".to_owned()),
                )
                .state("0A000")
            })?;
        }
        self.put(view);
        Ok(())
    }

    /// `alter view .. set (security_invoker = ..)`, `rename to`, `owner to`.
    pub(super) fn alter_view(&mut self, source: &Source) -> Result<()> {
        let refused = || {
            Trouble::unsupported(
                source.text(),
                "write alter view <name> set (security_invoker = true), rename to <name>, or create it again",
            )
        };
        let text = source.text();
        let words: Vec<String> = text
            .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '=' | ','))
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let mut words: Vec<&str> = words.iter().skip(2).map(String::as_str).collect();
        let mut if_exists = false;
        if let ["if", "exists", rest @ ..] = &words[..] {
            if_exists = true;
            words = rest.to_vec();
        }
        let [name, rest @ ..] = &words[..] else {
            return Err(refused());
        };
        let (schema, plain) = name.rsplit_once('.').unwrap_or(("public", name));
        let unquoted = |name: &str| name.trim_matches('"').to_owned();
        let key = (unquoted(schema), unquoted(plain));
        let Some(view) = self
            .catalog
            .tables
            .get(&key)
            .filter(|table| table.view.is_some())
            .cloned()
        else {
            return if if_exists {
                Ok(())
            } else {
                Err(no_view(name))
            };
        };
        match rest {
            ["owner", "to", ..] => Ok(()),
            ["set", "security_invoker", value] => {
                if !on(value) {
                    exposed_by_owner(&key.0, &key.1)?;
                }
                let mut changed = (*view).clone();
                if let Some(view) = &mut changed.view {
                    view.invoker = on(value);
                }
                self.put(changed);
                Ok(())
            }
            ["set", "security_invoker"] => {
                let mut changed = (*view).clone();
                if let Some(view) = &mut changed.view {
                    view.invoker = true;
                }
                self.put(changed);
                Ok(())
            }
            ["rename", "to", new] => {
                let new = unquoted(new);
                identifier(&new)?;
                if self.catalog.table(&key.0, &new).is_some() {
                    return Err(taken(&new));
                }
                let mut renamed = (*view).clone();
                renamed.name.clone_from(&new);
                self.catalog.tables.remove(&key);
                self.put(renamed);
                self.rename_reads(&key, &(key.0.clone(), new));
                Ok(())
            }
            _ => Err(refused()),
        }
    }

    pub(super) fn drop_view(
        &mut self,
        name: &ast::ObjectName,
        if_exists: bool,
        cascade: bool,
    ) -> Result<()> {
        let key = named(name)?;
        match self.catalog.tables.get(&key).cloned() {
            Some(table) if table.view.is_some() => {
                self.drop_readers(&table, cascade)?;
                self.catalog.tables.remove(&key);
                Ok(())
            }
            Some(_) => Err(Trouble::invalid(
                name.to_string(),
                format!("\"{name}\" is not a view"),
                "write drop table",
            )
            .state("42809")),
            None if if_exists => Ok(()),
            None => Err(no_view(&name.to_string())),
        }
    }

    /// Drops the views and functions that read a table or view, or refuses because of them.
    pub(super) fn drop_readers(&mut self, table: &Table, cascade: bool) -> Result<()> {
        let reads = |query: &crate::query::Query| {
            query
                .tables()
                .iter()
                .any(|(schema, name)| *schema == table.schema && *name == table.name)
        };
        let views: Vec<_> = self
            .catalog
            .tables
            .values()
            .filter(|other| other.view.as_ref().is_some_and(|view| reads(&view.query)))
            .cloned()
            .collect();
        for view in views {
            if !cascade {
                return Err(Trouble::invalid(
                    table.name.clone(),
                    format!("view {} depends on it", view.name),
                    "drop the view first, or write cascade",
                )
                .state("2BP01"));
            }
            self.drop_readers(&view, true)?;
            self.catalog
                .tables
                .remove(&(view.schema.clone(), view.name.clone()));
        }
        Ok(())
    }

    /// Every query that reads a table or view reads it by its new name.
    pub(super) fn rename_reads(&mut self, from: &(String, String), to: &(String, String)) {
        for table in self.catalog.tables.values_mut() {
            if table.view.is_some() {
                let table = std::sync::Arc::make_mut(table);
                if let Some(view) = &mut table.view {
                    view.query.rename_sources(from, to);
                }
            }
        }
        for routine in self.catalog.routines.values_mut().flatten() {
            let routine = std::sync::Arc::make_mut(routine);
            if let crate::routine::Body::Sql(operations) = &mut routine.body {
                for operation in operations {
                    operation.rename_sources(from, to);
                }
            }
        }
    }
}

/// A view that is replaced keeps its columns; others may follow them.
fn kept(known: &Table, columns: &[(String, crate::Type)]) -> Result<()> {
    for (at, column) in known.columns.iter().enumerate() {
        match columns.get(at) {
            None => {
                return Err(Trouble::invalid(
                    known.name.clone(),
                    "cannot drop columns from view",
                    "drop the view, and create it again",
                )
                .state("42P16"));
            }
            Some((name, _)) if *name != column.name => {
                return Err(Trouble::invalid(
                    known.name.clone(),
                    format!(
                        "cannot change name of view column \"{}\" to \"{name}\"",
                        column.name
                    ),
                    "drop the view, and create it again",
                )
                .state("42P16"));
            }
            Some((name, ty)) if *ty != column.ty => {
                return Err(Trouble::invalid(
                    known.name.clone(),
                    format!(
                        "cannot change data type of view column \"{name}\" from {} to {}",
                        column.ty.name(),
                        ty.name()
                    ),
                    "drop the view, and create it again",
                )
                .state("42P16"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn on(value: &str) -> bool {
    matches!(value.trim_matches('\''), "true" | "on" | "1" | "yes")
}

/// The schema that is exposed unless configured otherwise.
const EXPOSED: &str = "public";

/// A view of an exposed schema is read as its reader: as its owner it would show everybody every row.
fn exposed_by_owner(schema: &str, name: &str) -> Result<()> {
    if schema != EXPOSED {
        return Ok(());
    }
    Err(Trouble::unsupported(
        format!(
            "view {name} that passes the policies of its tables, in the exposed schema {schema}"
        ),
        "add with (security_invoker = true) after its name, so that it shows its reader what the policies allow, or put it into a \
         schema that is not exposed",
    ))
}

/// `with (security_invoker = true, check_option = ..)`
fn options(options: &ast::CreateTableOptions) -> Result<(bool, Option<CheckOption>)> {
    let options = match options {
        ast::CreateTableOptions::None => return Ok((false, None)),
        ast::CreateTableOptions::With(options) => options,
        other => {
            return Err(Trouble::unsupported(
                format!("{other}"),
                "write with (security_invoker = true)",
            ));
        }
    };
    let mut invoker = false;
    let mut check = None;
    for option in options {
        let text = option.to_string().to_lowercase();
        let (name, value) = text.split_once('=').unwrap_or((&text, "true"));
        match name.trim() {
            "security_invoker" => invoker = on(value.trim()),
            // It keeps functions of others from seeing rows the view hides; here a view's conditions always come first.
            "security_barrier" => {}
            "check_option" => {
                check = match value.trim().trim_matches('\'') {
                    "local" => Some(CheckOption::Local),
                    "cascaded" => Some(CheckOption::Cascaded),
                    _ => {
                        return Err(Trouble::invalid(
                            text,
                            "invalid value for enum option \"check_option\"",
                            "valid values are \"local\" and \"cascaded\"",
                        ));
                    }
                };
            }
            _ => {
                return Err(Trouble::unsupported(
                    format!("with ({text})"),
                    "write with (security_invoker = true)",
                ));
            }
        }
    }
    Ok((invoker, check))
}

fn taken(name: &str) -> Trouble {
    Trouble::invalid(
        name,
        format!("relation \"{name}\" already exists"),
        "choose another name, or write create or replace view",
    )
    .state("42P07")
}

fn no_view(name: &str) -> Trouble {
    Trouble::invalid(
        name,
        format!("view \"{name}\" does not exist"),
        "check the name, or write if exists",
    )
    .state("42P01")
}
