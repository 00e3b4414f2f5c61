//! `alter table`.

mod identity;

use super::comment::{dotted, pair};
use super::name::constrained as taken;
use super::{Migration, Source, identifier};
use crate::catalog::Table;
use crate::ddl;
use crate::expr::Expr;
use crate::lower::{Lowering, castable, cut, fold, object};
use crate::trouble::{Result, Trouble};
use sqlparser::ast::{self, AlterColumnOperation as Column, AlterTableOperation as Operation};
use sqlparser::tokenizer::Token;
use std::sync::Arc;

impl Migration {
    pub(super) fn alter_table(&mut self, source: &Source) -> Result<()> {
        // Each action sees what the one before it left.
        for (action, words) in source.alter_actions() {
            self.line = action.line;
            if self.alter_by_words(&action, &words)? {
                continue;
            }
            let ast::Statement::AlterTable(alter) = action.statement()? else {
                return Err(super::unsupported(source));
            };
            for operation in &alter.operations {
                match self.table_of(&alter)? {
                    Some(table) => self.alter(&table, operation)?,
                    None => return Ok(()),
                }
            }
        }
        Ok(())
    }

    /// Actions the parser has no rule for; false for all others.
    fn alter_by_words(&mut self, action: &Source, words: &[Token]) -> Result<bool> {
        let word = |at: usize| match words.get(at) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_lowercase(),
            _ => String::new(),
        };
        if word(0) != "alter" {
            return Ok(false);
        }
        let at = 1 + usize::from(word(1) == "column");
        let Some(Token::Word(name)) = words.get(at) else {
            return Ok(false);
        };
        let (first, second) = (word(at + 1), word(at + 2));
        let identity = match (first.as_str(), second.as_str()) {
            ("restart", _) | ("set", "generated" | "start" | "increment" | "minvalue") => true,
            ("set", "maxvalue" | "no" | "cache" | "cycle" | "restart") => true,
            ("drop", "identity") => false,
            _ => return Ok(false),
        };
        let name = if name.quote_style.is_some() {
            cut(name.value.clone())
        } else {
            cut(name.value.to_ascii_lowercase())
        };
        let Some(table) = self.table_named(action)? else {
            return Ok(true);
        };
        if identity {
            self.change_identity(&table, &name, &words[at + 1..])?;
        } else {
            self.drop_identity(&table, &name, word(at + 3) == "if")?;
        }
        Ok(true)
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
                    crate::Catalog::file_name(&key.0, &key.1)
                ),
            )),
        }
    }

    fn table_of(&self, alter: &ast::AlterTable) -> Result<Option<Arc<Table>>> {
        match self.table(&alter.name) {
            Err(_) if alter.if_exists => Ok(None),
            table => table.map(Some),
        }
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
            } => {
                if *if_not_exists && table.column(&fold(&column_def.name)).is_some() {
                    return Ok(());
                }
                let later = self.column(&mut changed, column_def)?;
                self.finish_columns(&mut changed, later)?;
                self.add_column(table, changed)?;
            }
            Operation::DropColumn {
                column_names,
                if_exists,
                ..
            } => {
                for name in column_names {
                    self.drop_column(&mut changed, &fold(name), *if_exists)?;
                }
                if changed != *table {
                    self.rebuild(table, changed)?;
                }
                for name in column_names {
                    self.forget_owned(&table.schema, &table.name, Some(&fold(name)));
                }
            }
            Operation::RenameColumn {
                old_column_name,
                new_column_name,
            } => self.rename_column(table, &fold(old_column_name), &fold(new_column_name))?,
            Operation::RenameTable {
                table_name: ast::RenameTableNameKind::To(name) | ast::RenameTableNameKind::As(name),
            } => {
                let Some((None, name)) = object(name) else {
                    return Err(Trouble::unsupported(
                        operation.to_string(),
                        "give the new name without a schema",
                    ));
                };
                self.rename_table(table, &name)?;
            }
            Operation::RenameConstraint { old_name, new_name } => {
                let (old, new) = (fold(old_name), identifier(&fold(new_name))?.to_owned());
                if taken(table, &new) {
                    return Err(Trouble::invalid(
                        new.clone(),
                        format!("constraint \"{new}\" already exists"),
                        "choose another name",
                    ));
                }
                let keys = changed
                    .primary_key
                    .iter_mut()
                    .chain(&mut changed.uniques)
                    .map(|key| &mut key.name);
                let rest = changed
                    .checks
                    .iter_mut()
                    .map(|check| &mut check.name)
                    .chain(changed.foreign_keys.iter_mut().map(|key| &mut key.name));
                let Some(name) = keys.chain(rest).find(|name| **name == old) else {
                    return Err(no_constraint(table, &old));
                };
                *name = new;
                self.rebuild(table, changed)?;
            }
            Operation::AddConstraint { constraint, .. } => {
                self.constraint(&mut changed, constraint)?;
                self.rebuild(table, changed)?;
            }
            Operation::DropConstraint {
                if_exists, name, ..
            } => {
                let name = fold(name);
                if !taken(table, &name) {
                    return if *if_exists {
                        Ok(())
                    } else {
                        Err(no_constraint(table, &name))
                    };
                }
                changed.primary_key = changed.primary_key.filter(|key| key.name != name);
                changed.uniques.retain(|key| key.name != name);
                changed.checks.retain(|check| check.name != name);
                changed.foreign_keys.retain(|key| key.name != name);
                self.referred_still(table, &changed)?;
                self.rebuild(table, changed)?;
            }
            Operation::AlterColumn { column_name, op } => {
                self.alter_column(table, changed, &fold(column_name), op)?
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

    /// Appends a plain nullable column in place; anything more rebuilds the table, filling the rows that are there.
    fn add_column(&mut self, table: &Table, changed: Table) -> Result<()> {
        let same_constraints = changed.uniques.len() == table.uniques.len()
            && changed.checks.len() == table.checks.len()
            && changed.foreign_keys.len() == table.foreign_keys.len();
        let Some(column) = changed.columns.last() else {
            return Ok(());
        };
        let simple = !column.not_null
            && column.default.is_none()
            && column.generated.is_none()
            && same_constraints
            && changed.primary_key == table.primary_key
            && ddl::plain(&column.ty);
        if !simple {
            return self.rebuild(table, changed);
        }
        let (name, storage) = (column.name.clone(), ddl::storage(&column.ty));
        self.run(|out| {
            out.push("ALTER TABLE ")
                .ident(&table.file_name())
                .push(" ADD COLUMN ")
                .ident(&name)
                .push(" ")
                .push(storage);
        });
        self.put(changed);
        Ok(())
    }

    fn drop_column(&self, changed: &mut Table, name: &str, if_exists: bool) -> Result<()> {
        if changed.column(name).is_none() {
            return if if_exists {
                Ok(())
            } else {
                Err(no_column(changed, name))
            };
        }
        if let Some(policy) = self.policy_on(changed, name) {
            return Err(Trouble::invalid(
                name,
                format!("policy \"{policy}\" depends on column \"{name}\""),
                "drop the policy first",
            ));
        }
        let referring = self.catalog.tables.values().find(|other| {
            other.foreign_keys.iter().any(|key| {
                key.foreign_schema == changed.schema
                    && key.foreign_table == changed.name
                    && key.foreign_columns.iter().any(|column| column == name)
            })
        });
        if let Some(other) = referring {
            return Err(Trouble::invalid(
                name,
                format!("a foreign key of table \"{}\" refers to it", other.name),
                "drop that constraint first",
            ));
        }
        changed.columns.retain(|column| column.name != name);
        changed.primary_key = changed
            .primary_key
            .take()
            .filter(|key| key.columns.iter().all(|column| column != name));
        changed
            .uniques
            .retain(|key| key.columns.iter().all(|column| column != name));
        changed
            .foreign_keys
            .retain(|key| key.columns.iter().all(|column| column != name));
        changed.checks.retain(|check| !mentions(&check.expr, name));
        changed.indexes.retain(|index| {
            !index
                .parts
                .iter()
                .map(|part| &part.expr)
                .chain(&index.predicate)
                .any(|expr| mentions(expr, name))
        });
        Ok(())
    }

    fn policy_on(&self, table: &Table, column: &str) -> Option<String> {
        for other in self.catalog.tables.values() {
            for policy in &other.policies {
                for expr in policy.using.iter().chain(&policy.check) {
                    let mut expr = expr.clone();
                    let mut found = false;
                    for_columns(&mut expr, other, table, &mut |name| found |= name == column);
                    if found {
                        return Some(policy.name.clone());
                    }
                }
            }
        }
        None
    }

    fn rename_column(&mut self, table: &Table, old: &str, new: &str) -> Result<()> {
        identifier(new)?;
        if table.column(old).is_none() {
            return Err(no_column(table, old));
        }
        if table.column(new).is_some() {
            return Err(Trouble::invalid(
                new,
                format!(
                    "column \"{new}\" of relation \"{}\" already exists",
                    table.name
                ),
                "choose another name",
            ));
        }
        // SQLite carries the name into indexes, checks and the foreign keys of other tables.
        self.run(|out| {
            out.push("ALTER TABLE ")
                .ident(&table.file_name())
                .push(" RENAME COLUMN ")
                .ident(old)
                .push(" TO ")
                .ident(new);
        });
        self.rename_owner(|owner| {
            if owner.0 == table.schema && owner.1 == table.name && owner.2 == old {
                new.clone_into(&mut owner.2);
            }
        });
        let keys: Vec<(String, String)> = self.catalog.tables.keys().cloned().collect();
        for key in keys {
            let Some(other) = self.catalog.tables.get(&key).cloned() else {
                continue;
            };
            let mut changed = (*other).clone();
            let own = key == (table.schema.clone(), table.name.clone());
            let rename = |name: &mut String| {
                if name == old {
                    new.clone_into(name);
                }
            };
            if own {
                changed
                    .columns
                    .iter_mut()
                    .for_each(|column| rename(&mut column.name));
                changed
                    .primary_key
                    .iter_mut()
                    .chain(&mut changed.uniques)
                    .flat_map(|key| &mut key.columns)
                    .for_each(rename);
                changed
                    .foreign_keys
                    .iter_mut()
                    .flat_map(|key| &mut key.columns)
                    .for_each(rename);
            }
            for foreign in changed.foreign_keys.iter_mut().filter(|foreign| {
                foreign.foreign_schema == table.schema && foreign.foreign_table == table.name
            }) {
                foreign.foreign_columns.iter_mut().for_each(rename);
            }
            for expr in expressions(&mut changed) {
                for_columns(expr, &other, table, &mut |name| rename(name));
            }
            if changed != *other {
                self.put(changed);
            }
        }
        Ok(())
    }

    fn rename_table(&mut self, table: &Table, new: &str) -> Result<()> {
        identifier(new)?;
        if self.catalog.table(&table.schema, new).is_some() {
            return Err(Trouble::invalid(
                new,
                format!("relation \"{new}\" already exists"),
                "choose another name",
            ));
        }
        let mut renamed = table.clone();
        new.clone_into(&mut renamed.name);
        // SQLite carries the name into the foreign keys of other tables.
        self.run(|out| {
            out.push("ALTER TABLE ")
                .ident(&table.file_name())
                .push(" RENAME TO ")
                .ident(&renamed.file_name());
        });
        self.catalog
            .tables
            .remove(&(table.schema.clone(), table.name.clone()));
        self.put(renamed);
        self.rename_owner(|owner| {
            if owner.0 == table.schema && owner.1 == table.name {
                new.clone_into(&mut owner.1);
            }
        });
        for published in &mut self.catalog.published {
            if published.0 == table.schema && published.1 == table.name {
                new.clone_into(&mut published.1);
            }
        }
        for other in self.catalog.tables.values_mut() {
            let other = Arc::make_mut(other);
            for foreign in other.foreign_keys.iter_mut().filter(|foreign| {
                foreign.foreign_schema == table.schema && foreign.foreign_table == table.name
            }) {
                new.clone_into(&mut foreign.foreign_table);
            }
            for expr in expressions(other) {
                expr.rename_sources(&table.schema, &table.name, new);
            }
        }
        Ok(())
    }

    fn alter_column(
        &mut self,
        table: &Table,
        mut changed: Table,
        name: &str,
        op: &Column,
    ) -> Result<()> {
        let Some(at) = changed
            .columns
            .iter()
            .position(|column| column.name == *name)
        else {
            return Err(no_column(table, name));
        };
        match op {
            Column::SetDefault { .. } | Column::DropDefault
                if table.columns[at].identity.is_some() =>
            {
                let error = crate::SqlError::new(
                    "42601",
                    format!(
                        "column \"{name}\" of relation \"{}\" is an identity column",
                        table.name
                    ),
                );
                return Err(match op {
                    Column::DropDefault => {
                        error.hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.")
                    }
                    _ => error,
                }
                .into());
            }
            Column::AddGenerated {
                generated_as,
                sequence_options,
            } => {
                let always = matches!(generated_as, Some(ast::GeneratedAs::Always));
                let options = sequence_options.as_deref().unwrap_or_default();
                self.add_identity(table, name, always, options)?;
            }
            Column::SetDefault { value } => {
                changed.columns[at].default = Some(self.default(value, &table.columns[at].ty)?);
                self.put(changed);
            }
            Column::DropDefault => {
                changed.columns[at].default = None;
                self.put(changed);
            }
            Column::SetNotNull => {
                changed.columns[at].not_null = true;
                self.rebuild(table, changed)?;
            }
            Column::DropNotNull => {
                if table
                    .primary_key
                    .as_ref()
                    .is_some_and(|key| key.columns.iter().any(|column| column == name))
                {
                    return Err(Trouble::invalid(
                        name,
                        format!("column \"{name}\" is in a primary key"),
                        "drop the key first",
                    ));
                }
                changed.columns[at].not_null = false;
                self.rebuild(table, changed)?;
            }
            Column::SetDataType {
                data_type, using, ..
            } => {
                let ty = Lowering::bare(&self.catalog).data_type(data_type)?;
                let from = table.columns[at].ty.clone();
                let value = match using {
                    Some(using) => Lowering::over(&self.catalog, table).assigned(using, &ty)?,
                    None if castable(&from, &ty) => {
                        let column = Expr::Column {
                            level: 0,
                            source: 0,
                            name: name.to_owned(),
                            ty: from,
                        };
                        Expr::Cast {
                            expr: Box::new(column),
                            ty: ty.clone(),
                        }
                    }
                    None => {
                        return Err(Trouble::invalid(
                            name,
                            format!(
                                "column \"{name}\" cannot be cast automatically to type {}",
                                ty.name()
                            ),
                            "say how with using",
                        ));
                    }
                };
                if let Some(policy) = self.policy_on(table, name) {
                    return Err(Trouble::invalid(
                        name,
                        format!("policy \"{policy}\" depends on column \"{name}\""),
                        "drop the policy, change the type, create it again",
                    ));
                }
                if changed
                    .checks
                    .iter()
                    .any(|check| mentions(&check.expr, name))
                    || changed.indexes.iter().any(|index| {
                        index
                            .parts
                            .iter()
                            .map(|part| &part.expr)
                            .chain(&index.predicate)
                            .any(|expr| {
                                mentions(expr, name) && !matches!(expr, Expr::Column { .. })
                            })
                    })
                {
                    return Err(Trouble::invalid(
                        name,
                        "a check or an index depends on the type of the column",
                        "drop it, change the type, create it again",
                    ));
                }
                for part in changed
                    .indexes
                    .iter_mut()
                    .flat_map(|index| &mut index.parts)
                {
                    if let Expr::Column {
                        name: column,
                        ty: known,
                        ..
                    } = &mut part.expr
                        && column == name
                    {
                        *known = ty.clone();
                    }
                }
                changed.columns[at].ty = ty;
                if changed.columns[at].default.is_some() {
                    return Err(Trouble::unsupported(
                        format!("type of column {name}, which has a default"),
                        "drop the default, change the type, set it again",
                    ));
                }
                self.rebuild_with(table, changed, &[(name.to_owned(), value)])?;
            }
            other => {
                return Err(Trouble::unsupported(
                    format!("alter column {name} {other}"),
                    "create the table with it",
                ));
            }
        }
        Ok(())
    }

    /// A key that a foreign key refers to can't go.
    fn referred_still(&self, table: &Table, changed: &Table) -> Result<()> {
        for other in self.catalog.tables.values() {
            for foreign in other.foreign_keys.iter().filter(|foreign| {
                foreign.foreign_schema == table.schema && foreign.foreign_table == table.name
            }) {
                let still = changed
                    .primary_key
                    .iter()
                    .chain(&changed.uniques)
                    .any(|key| {
                        key.columns.len() == foreign.foreign_columns.len()
                            && key
                                .columns
                                .iter()
                                .all(|column| foreign.foreign_columns.contains(column))
                    });
                if !still {
                    return Err(Trouble::invalid(
                        foreign.name.clone(),
                        format!(
                            "constraint \"{}\" of table \"{}\" depends on the key",
                            foreign.name, other.name
                        ),
                        "drop that constraint first",
                    ));
                }
            }
        }
        Ok(())
    }
}

fn no_column(table: &Table, name: &str) -> Trouble {
    Trouble::invalid(
        name,
        format!(
            "column \"{name}\" of relation \"{}\" does not exist",
            table.name
        ),
        "check the name",
    )
}

fn no_constraint(table: &Table, name: &str) -> Trouble {
    Trouble::invalid(
        name,
        format!(
            "constraint \"{name}\" of relation \"{}\" does not exist",
            table.name
        ),
        "check the name",
    )
}

/// Whether an expression over one table names a column.
fn mentions(expr: &Expr, column: &str) -> bool {
    let mut found = false;
    expr.walk(0, &mut |_, expr| {
        found |= matches!(expr, Expr::Column { name, .. } if name == column)
    });
    found
}

/// All expressions of a table that may name columns.
fn expressions(table: &mut Table) -> impl Iterator<Item = &mut Expr> {
    let checks = table.checks.iter_mut().map(|check| &mut check.expr);
    let indexes = table.indexes.iter_mut().flat_map(|index| {
        index
            .parts
            .iter_mut()
            .map(|part| &mut part.expr)
            .chain(&mut index.predicate)
    });
    let policies = table
        .policies
        .iter_mut()
        .flat_map(|policy| policy.using.iter_mut().chain(&mut policy.check));
    let generated = table
        .columns
        .iter_mut()
        .filter_map(|column| column.generated.as_mut());
    generated.chain(checks).chain(indexes).chain(policies)
}

/// Calls `visit` with the name of each column of `table` in an expression of `owner`.
fn for_columns(expr: &mut Expr, owner: &Table, table: &Table, visit: &mut impl FnMut(&mut String)) {
    let mut scope = vec![vec![(owner.schema.clone(), owner.name.clone())]];
    expr.walk_mut(&mut scope, &mut |scope, expr| {
        let Expr::Column {
            level,
            source,
            name,
            ..
        } = expr
        else {
            return;
        };
        let of = scope
            .len()
            .checked_sub(1 + *level as usize)
            .and_then(|at| scope[at].get(*source as usize));
        if of.is_some_and(|(schema, of)| *schema == table.schema && *of == table.name) {
            visit(name);
        }
    });
}
