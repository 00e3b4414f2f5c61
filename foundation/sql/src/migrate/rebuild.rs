//! Tables waiting to be changed in the file.
//!
//! What a migration says about a table is gathered until something else is run, so that a table that is created and altered a dozen
//! times is made once, and one that exists is copied at most once. What SQLite's own `alter table` can not do is done by copying.
//!
//! The engine runs migrations with foreign keys unenforced and checks them before the commit.

use super::{Migration, Step, rendered};
use crate::catalog::{Column, Table};
use crate::ddl;
use crate::expr::Expr;
use crate::render::{Scope, render_each};
use crate::statement::{Bind, Statement};
use crate::trouble::Result;
use crate::types::Type;
use crate::value::Value;
use pando_kernel::Role;
use std::collections::BTreeMap;

/// The name the new table has until the old one is gone.
const TEMPORARY: &str = "pando.rebuild";
/// Runs in the file: raises an error with this state and message.
pub const RAISE: &str = "pando_raise";

/// A table whose definition in the catalog is ahead of that in the file.
pub(super) struct Pending {
    /// As the file has it; none if it is yet to be made.
    file: Option<Table>,
    /// What fills each column, over the table as the file has it. A column that is missing here is null.
    from: BTreeMap<String, Expr>,
    /// The line of the last change.
    line: u64,
}

pub(super) type Key = (String, String);

pub(super) fn key_of(table: &Table) -> Key {
    (table.schema.clone(), table.name.clone())
}

fn column_of(column: &Column) -> Expr {
    Expr::Column {
        level: 0,
        source: 0,
        name: column.name.clone(),
        ty: column.ty.clone(),
    }
}

impl Migration {
    /// Takes a new table into the catalog; the file gets it when it must.
    pub(super) fn create(&mut self, table: Table) -> Result<()> {
        // Rendered now, so that what can't be is refused on its line.
        rendered(ddl::create_table(&self.catalog, &table, &table.file_name()))?;
        self.pending.insert(
            key_of(&table),
            Pending {
                file: None,
                from: BTreeMap::new(),
                line: self.line,
            },
        );
        self.put(table);
        Ok(())
    }

    /// Replaces `old` by `new`, of the same name: columns keep what they hold, new ones are filled with their defaults.
    pub(super) fn rebuild(&mut self, old: &Table, new: Table) -> Result<()> {
        self.rebuild_with(old, new, &[])
    }

    /// As [`rebuild`](Self::rebuild), with expressions over the old table for some columns.
    pub(super) fn rebuild_with(
        &mut self,
        old: &Table,
        new: Table,
        filled: &[(String, Expr)],
    ) -> Result<()> {
        rendered(ddl::create_table(&self.catalog, &new, TEMPORARY))?;
        let line = self.line;
        let pending = self.pending.entry(key_of(old)).or_insert_with(|| Pending {
            file: Some(old.clone()),
            from: old
                .columns
                .iter()
                .map(|column| (column.name.clone(), column_of(column)))
                .collect(),
            line,
        });
        pending.line = line;
        let before = pending.from.clone();
        for column in &new.columns {
            if old.column(&column.name).is_none()
                && let Some(default) = &column.default
            {
                pending.from.insert(column.name.clone(), default.clone());
            }
        }
        for (name, expr) in filled {
            let expr = substituted(expr, |name, ty| {
                Some(before.get(name).cloned().unwrap_or(null(ty)))
            });
            pending.from.insert(name.clone(), expr);
        }
        pending.from.retain(|name, _| new.column(name).is_some());
        self.put(new);
        Ok(())
    }

    /// Whether the file has nothing of the table yet.
    pub(super) fn is_unmade(&self, table: &Table) -> bool {
        self.pending
            .get(&key_of(table))
            .is_some_and(|pending| pending.file.is_none())
    }

    /// A table that the file does not have yet goes by another name.
    pub(super) fn rename_unmade(&mut self, from: &Key, to: Key) {
        if let Some(pending) = self.pending.remove(from) {
            self.pending.insert(to, pending);
        }
    }

    /// Drops a table from the file, if it got there.
    pub(super) fn drop_from_file(&mut self, table: &Table) {
        let file = match self.pending.remove(&key_of(table)) {
            Some(pending) => pending.file,
            None => Some(table.clone()),
        };
        if let Some(file) = file {
            self.run_now(|out| {
                out.push("DROP TABLE ").ident(&file.file_name());
            });
        }
    }

    /// Brings the file up to the catalog.
    pub(super) fn flush(&mut self) -> Result<()> {
        while let Some((key, pending)) = self.pending.pop_first() {
            let Some(table) = self.catalog.tables.get(&key).cloned() else {
                continue;
            };
            let line = std::mem::replace(&mut self.line, pending.line);
            let made = match &pending.file {
                None => self.make(&table),
                Some(file) => self.change(file, &table, &pending.from),
            };
            made.map_err(|trouble| trouble.at(pending.line))?;
            self.line = line;
        }
        Ok(())
    }

    fn make(&mut self, table: &Table) -> Result<()> {
        let create = rendered(ddl::create_table(&self.catalog, table, &table.file_name()))?;
        self.push(create);
        self.make_indexes(table, None)
    }

    /// Makes the indexes that `known` does not have.
    fn make_indexes(&mut self, table: &Table, known: Option<&Table>) -> Result<()> {
        for (name, sql) in rendered_indexes(self, table)? {
            let there = match known {
                Some(known) => rendered_indexes(self, known)?
                    .iter()
                    .any(|(other, text)| *other == name && text.sql == sql.sql),
                None => false,
            };
            if !there {
                self.push(sql);
            }
        }
        Ok(())
    }

    fn change(&mut self, file: &Table, table: &Table, from: &BTreeMap<String, Expr>) -> Result<()> {
        self.verify(file, table, from)?;
        let text = |table: &Table| {
            rendered(ddl::create_table(&self.catalog, table, "")).map(|statement| statement.sql)
        };
        let kept = table.columns.iter().all(|column| {
            column.generated.is_some()
                || file.column(&column.name).is_none()
                || from.get(&column.name).is_some_and(
                    |expr| matches!(expr, Expr::Column { name, .. } if *name == column.name),
                )
        });
        let wanted = text(table)?;
        let added: Option<Vec<&Column>> = table
            .columns
            .get(file.columns.len()..)
            .filter(|added| {
                added
                    .iter()
                    .all(|column| ddl::plain(column) && !from.contains_key(&column.name))
            })
            .map(|added| added.iter().collect());
        let extended = added.as_ref().map(|added| {
            let mut extended = file.clone();
            extended
                .columns
                .extend(added.iter().map(|column| (*column).clone()));
            extended
        });
        let extended = match extended {
            Some(extended) if kept && text(&extended)? == wanted => Some(extended),
            _ => None,
        };
        if extended.is_some() {
            for column in added.unwrap_or_default() {
                let (name, storage) = (column.name.clone(), ddl::storage(&column.ty));
                self.run_now(|out| {
                    out.push("ALTER TABLE ")
                        .ident(&table.file_name())
                        .push(" ADD COLUMN ")
                        .ident(&name)
                        .push(" ")
                        .push(storage);
                });
            }
            let wanted = rendered_indexes(self, table)?;
            for (name, sql) in rendered_indexes(self, file)? {
                if !wanted
                    .iter()
                    .any(|(other, text)| *other == name && text.sql == sql.sql)
                {
                    self.run_now(|out| {
                        out.push("DROP INDEX ").ident(&name);
                    });
                }
            }
            return self.make_indexes(table, Some(file));
        }
        self.copy(file, table, from)
    }

    fn copy(&mut self, file: &Table, table: &Table, from: &BTreeMap<String, Expr>) -> Result<()> {
        let create = rendered(ddl::create_table(&self.catalog, table, TEMPORARY))?;
        self.push(create);
        let mut copy = Statement::new();
        let mut select = Statement::new();
        copy.push("INSERT INTO ").ident(TEMPORARY).push(" (");
        let scope = Scope::over("old");
        let filled = table.columns.iter().filter_map(|column| {
            let expr = from.get(&column.name)?;
            column.generated.is_none().then_some((&column.name, expr))
        });
        for (index, (name, expr)) in filled.enumerate() {
            if index > 0 {
                copy.push(", ");
                select.push(", ");
            }
            copy.ident(name);
            render_each(&self.catalog, Role::Service, expr, &scope, &mut select)?;
        }
        if select.sql.is_empty() {
            // SQLite has no empty list of columns; the first one, null, stands for it.
            if let Some(first) = table.columns.first() {
                copy.ident(&first.name);
                select.push("NULL");
            }
        }
        copy.push(") SELECT ")
            .push(&select.sql)
            .push(" FROM ")
            .ident(&file.file_name())
            .push(" AS old");
        copy.binds = select.binds;
        // Rows that were there before a constraint that is not valid yet stay as they are; `verify` has looked at the others.
        let unchecked = table.checks.iter().any(|check| !check.validated);
        if unchecked {
            self.run_now(|out| {
                out.push("PRAGMA ignore_check_constraints = 1");
            });
        }
        self.push(copy);
        if unchecked {
            self.run_now(|out| {
                out.push("PRAGMA ignore_check_constraints = 0");
            });
        }
        self.run_now(|out| {
            out.push("DROP TABLE ").ident(&file.file_name());
        });
        self.run_now(|out| {
            out.push("ALTER TABLE ")
                .ident(TEMPORARY)
                .push(" RENAME TO ")
                .ident(&table.file_name());
        });
        self.make_indexes(table, None)?;
        self.made_anew(table)
    }

    /// What hangs on a table in the file and was dropped with it is made again here: the place for triggers.
    fn made_anew(&mut self, _table: &Table) -> Result<()> {
        Ok(())
    }

    /// Looks at the rows there are for those that break a new constraint, so that it is said as Postgres says it.
    fn verify(&mut self, file: &Table, table: &Table, from: &BTreeMap<String, Expr>) -> Result<()> {
        let mut raised = Vec::new();
        for column in &table.columns {
            let was = file.column(&column.name).is_some_and(|old| old.not_null);
            if column.not_null && !was && column.generated.is_none() {
                let message = format!(
                    "column \"{}\" of relation \"{}\" contains null values",
                    column.name, table.name
                );
                let null = match from.get(&column.name) {
                    Some(expr) if !draws(expr) => self.over(file, &is_null(expr.clone()))?,
                    Some(_) => continue,
                    None => Statement {
                        sql: "1".to_owned(),
                        binds: Vec::new(),
                    },
                };
                raised.push(raise("23502", &message, file, &null));
            }
        }
        for check in table.checks.iter().filter(|check| check.validated) {
            if file
                .checks
                .iter()
                .any(|old| old.expr == check.expr && old.validated)
            {
                continue;
            }
            let mut fits = true;
            let over = substituted(&check.expr, |name, ty| {
                let generated = file
                    .column(name)
                    .is_some_and(|column| column.generated.is_some());
                match from.get(name) {
                    Some(Expr::Column { name: known, .. }) if known == name => None,
                    Some(expr) if !draws(expr) && !generated => Some(expr.clone()),
                    None if table
                        .column(name)
                        .is_some_and(|column| column.generated.is_none()) =>
                    {
                        Some(null(ty))
                    }
                    // Computed while it is copied: the file's own check looks at it.
                    _ => {
                        fits = false;
                        None
                    }
                }
            });
            if !fits {
                continue;
            }
            let message = format!(
                "check constraint \"{}\" of relation \"{}\" is violated by some row",
                check.name, table.name
            );
            let broken = self.over(file, &not(over))?;
            raised.push(raise("23514", &message, file, &broken));
        }
        for (name, columns, filter) in uniques(table) {
            if uniques(file)
                .iter()
                .any(|(_, known, wide)| *known == columns && *wide == filter)
            {
                continue;
            }
            let parts = columns
                .iter()
                .map(|part| match part {
                    Expr::Column { name, .. } => from.get(name).cloned(),
                    _ => None,
                })
                .collect::<Option<Vec<Expr>>>();
            let (Some(parts), None) = (parts, &filter) else {
                continue;
            };
            if parts.iter().any(draws) {
                continue;
            }
            raised.push(self.duplicated(file, &name, &parts)?);
        }
        for statement in raised {
            self.push(statement);
        }
        Ok(())
    }

    /// An expression over the table as the file has it.
    fn over(&self, file: &Table, expr: &Expr) -> Result<Statement> {
        let mut out = Statement::new();
        let name = file.file_name();
        render_each(
            &self.catalog,
            Role::Service,
            expr,
            &Scope::over(&name),
            &mut out,
        )?;
        Ok(out)
    }

    fn duplicated(&self, file: &Table, name: &str, parts: &[Expr]) -> Result<Statement> {
        let mut out = Statement::new();
        let message = format!("could not create unique index \"{name}\"");
        out.push("SELECT ").push(RAISE).push("('23505', ");
        out.bind(Bind::Const(message.into())).push(") FROM ");
        let file_name = file.file_name();
        out.ident(&file_name);
        let scope = Scope::over(&file_name);
        for (index, part) in parts.iter().enumerate() {
            out.push(if index == 0 { " WHERE " } else { " AND " });
            render_each(&self.catalog, Role::Service, part, &scope, &mut out)?;
            out.push(" IS NOT NULL");
        }
        for (index, part) in parts.iter().enumerate() {
            out.push(if index == 0 { " GROUP BY " } else { ", " });
            render_each(&self.catalog, Role::Service, part, &scope, &mut out)?;
        }
        out.push(" HAVING count(*) > 1 LIMIT 1");
        Ok(out)
    }

    /// A statement that is run after what was said before, without bringing the tables up to date first.
    pub(super) fn push(&mut self, sql: Statement) {
        self.steps.push(Step {
            sql,
            line: self.line,
        });
    }

    /// As [`push`](Self::push).
    pub(super) fn run_now(&mut self, sql: impl FnOnce(&mut Statement)) {
        let mut statement = Statement::new();
        sql(&mut statement);
        self.push(statement);
    }
}

fn rendered_indexes(migration: &Migration, table: &Table) -> Result<Vec<(String, Statement)>> {
    Ok(ddl::indexes(&migration.catalog, table)?)
}

fn null(ty: &Type) -> Expr {
    Expr::Literal {
        value: Value::Null,
        ty: ty.clone(),
    }
}

/// An expression over one table with other expressions in the place of its columns.
fn substituted(expr: &Expr, mut with: impl FnMut(&str, &Type) -> Option<Expr>) -> Expr {
    let mut expr = expr.clone();
    // Marked first, so that columns of what is put in are not looked at themselves.
    let mut found = Vec::new();
    let mark = |at: usize| Value::text(format!("\u{1}column {at}"));
    expr.walk_mut(&mut Vec::new(), &mut |_, part| {
        if let Expr::Column { name, ty, .. } = part
            && let Some(other) = with(name, ty)
        {
            let ty = ty.clone();
            *part = Expr::Literal {
                value: mark(found.len()),
                ty,
            };
            found.push(other);
        }
    });
    expr.walk_mut(&mut Vec::new(), &mut |_, part| {
        if let Expr::Literal { value, .. } = part
            && let Some(at) = (0..found.len()).find(|at| *value == mark(*at))
        {
            *part = found[at].clone();
        }
    });
    expr
}

/// Raises an error if the file's table has a row for which the condition is true.
fn raise(state: &str, message: &str, file: &Table, condition: &Statement) -> Statement {
    let mut out = condition.clone();
    out.sql = String::new();
    out.push("SELECT ")
        .push(RAISE)
        .push("('")
        .push(state)
        .push("', ");
    out.bind(Bind::Const(message.into())).push(") FROM ");
    out.ident(&file.file_name())
        .push(" WHERE ")
        .push(&condition.sql)
        .push(" LIMIT 1");
    out
}

fn is_null(expr: Expr) -> Expr {
    Expr::Call {
        function: crate::expr::Function::IsNull,
        args: vec![expr],
        ty: crate::Type::Bool,
    }
}

fn not(expr: Expr) -> Expr {
    Expr::Call {
        function: crate::expr::Function::Not,
        args: vec![expr],
        ty: crate::Type::Bool,
    }
}

/// Whether asking for the value changes something, or gives another each time.
fn draws(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(0, &mut |_, expr| {
        found |= matches!(
            expr,
            Expr::Call {
                function: crate::expr::Function::NextVal | crate::expr::Function::SetVal,
                ..
            }
        );
    });
    found
}

/// What is unique: the name of the constraint or index, its parts and the rows it is about.
fn uniques(table: &Table) -> Vec<(String, Vec<Expr>, Option<Expr>)> {
    let columns = |names: &[String]| -> Vec<Expr> {
        names
            .iter()
            .filter_map(|name| table.column(name).map(column_of))
            .collect()
    };
    let keys = table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .map(|key| (key.name.clone(), columns(&key.columns), None));
    let indexes = table.indexes.iter().filter(|index| index.unique);
    keys.chain(indexes.map(|index| {
        (
            index.name.clone(),
            index.parts.iter().map(|part| part.expr.clone()).collect(),
            index.predicate.clone(),
        )
    }))
    .collect()
}
