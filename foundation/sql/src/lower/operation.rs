//! `insert`, `update` and `delete`, as migrations, functions and triggers write them.

use super::{Level, Lowering, Named, fold, line, object};
use crate::catalog::{Catalog, Identity, Index, Table};
use crate::expr::Expr;
use crate::operation::{Assignment, Conflict, Delete, Insert, Operation, Update};
use crate::query::{Body, Query, Source};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;
use std::sync::Arc;

impl Lowering<'_> {
    /// A statement over rows; none if it is another kind of statement.
    pub fn operation(&mut self, statement: &ast::Statement) -> Result<Option<Operation>> {
        Ok(Some(match statement {
            ast::Statement::Query(query) => match self.call_alone(query)? {
                Some(call) => Operation::Call(Box::new(call)),
                None => Operation::Select(self.query(query)?),
            },
            ast::Statement::Insert(insert) => Operation::Insert(Box::new(self.insert(insert)?)),
            ast::Statement::Update(update) => Operation::Update(Box::new(self.update(update)?)),
            ast::Statement::Delete(delete) => Operation::Delete(Box::new(self.delete(delete)?)),
            _ => return Ok(None),
        }))
    }

    /// A table whose rows can be changed.
    fn changed_table(&self, name: &ast::ObjectName) -> Result<Arc<Table>> {
        let table = self.table(name)?;
        if table.view.is_some() {
            return Err(Trouble::unsupported(
                format!("changing rows of view {}", table.name),
                "change the table it selects from",
            ));
        }
        Ok(table)
    }

    fn insert(&mut self, insert: &ast::Insert) -> Result<Insert> {
        let refused = |what: &str, advice: &str| {
            Err(Trouble::unsupported(format!("insert .. {what}"), advice))
        };
        let ast::TableObject::TableName(name) = &insert.table else {
            return refused("into a function", "insert into a table");
        };
        if insert.or.is_some()
            || insert.overwrite
            || insert.replace_into
            || insert.partitioned.is_some()
        {
            return refused("or, overwrite, replace or partition", "write on conflict");
        }
        let table = self.changed_table(name)?;
        let columns = self.insert_columns(&table, &insert.columns)?;
        let (rows, defaults, columns) = match &insert.source {
            None => (default_row(), Vec::new(), Vec::new()),
            Some(source) => {
                self.insert_rows(&table, source, columns, !insert.columns.is_empty())?
            }
        };
        let alias = insert.table_alias.as_ref().map(|alias| fold(&alias.alias));
        let conflict = match &insert.on {
            None => None,
            Some(ast::OnInsert::OnConflict(conflict)) => {
                Some(self.conflict(&table, alias.clone(), conflict)?)
            }
            Some(other) => {
                return Err(Trouble::unsupported(other.to_string(), "write on conflict"));
            }
        };
        let overriding = insert.overriding.is_some();
        let given = |name: &String| {
            let at = columns.iter().position(|column| column == name)?;
            let all_default = match &rows.body {
                Body::Values(rows) => (0..rows.len()).all(|row| defaults.contains(&(row, at))),
                _ => false,
            };
            (!all_default).then_some(())
        };
        if let Some(column) = table.columns.iter().find(|column| {
            let ours = column.generated.is_some()
                || column.identity == Some(Identity::Always) && !overriding;
            ours && given(&column.name).is_some()
        }) {
            return Err(Trouble::invalid(
                column.name.clone(),
                format!(
                    "cannot insert a non-DEFAULT value into column \"{}\"",
                    column.name
                ),
                if column.generated.is_some() {
                    "leave it out"
                } else {
                    "leave it out, or write overriding system value"
                },
            )
            .state("428C9"));
        }
        let target = self.target(&table, alias);
        let returning = self.within_sources(vec![target], |lowering| {
            lowering.returning(insert.returning.as_ref())
        })?;
        asks_others(self.catalog, &returning, &table)?;
        Ok(Insert {
            schema: table.schema.clone(),
            table: table.name.clone(),
            columns,
            rows,
            defaults,
            overriding,
            conflict,
            returning,
        })
    }

    fn insert_columns(&self, table: &Table, written: &[ast::ObjectName]) -> Result<Vec<String>> {
        if written.is_empty() {
            return Ok(table
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect());
        }
        let mut columns: Vec<String> = Vec::with_capacity(written.len());
        for column in written {
            let Some((None, name)) = object(column) else {
                return Err(Trouble::unsupported(column.to_string(), "name a column"));
            };
            known_column(table, &name)?;
            if columns.contains(&name) {
                return Err(Trouble::invalid(
                    name.clone(),
                    format!("column \"{name}\" specified more than once"),
                    "name it once",
                )
                .state("42701"));
            }
            columns.push(name);
        }
        Ok(columns)
    }

    #[expect(clippy::type_complexity, reason = "three parts of one statement")]
    fn insert_rows(
        &mut self,
        table: &Table,
        source: &ast::Query,
        mut columns: Vec<String>,
        named: bool,
    ) -> Result<(Query, Vec<(usize, usize)>, Vec<String>)> {
        let mut defaults = Vec::new();
        let mut written = source.clone();
        if let ast::SetExpr::Values(values) = written.body.as_mut() {
            for (row, cells) in values.rows.iter_mut().enumerate() {
                self.spread(&mut cells.content)?;
                for (at, cell) in cells.content.iter_mut().enumerate() {
                    if is_default(cell) {
                        defaults.push((row, at));
                        *cell = ast::Expr::Value(ast::Value::Null.into());
                    }
                }
            }
        }
        let (mut rows, open) = match written.body.as_ref() {
            ast::SetExpr::Values(values)
                if written.with.is_none()
                    && written.order_by.is_none()
                    && written.limit_clause.is_none() =>
            {
                // Each value takes the type of its own column, whatever stands in the other rows.
                (self.cells(table, &columns, values)?, Vec::new())
            }
            _ => self.query_opened(&written)?,
        };
        let width = rows.columns().len();
        if width > columns.len() {
            return Err(Trouble::invalid(
                table.name.clone(),
                "INSERT has more expressions than target columns",
                "drop the extra value",
            ));
        }
        if width < columns.len() {
            if named {
                return Err(Trouble::invalid(
                    table.name.clone(),
                    "INSERT has more target columns than expressions",
                    "add the missing value",
                ));
            }
            columns.truncate(width);
        }
        for (at, name) in columns.iter().enumerate() {
            let column = known_column(table, name)?;
            self.assign_column(&mut rows, at, &column.ty, open.get(at) == Some(&true))
                .map_err(|trouble| trouble.state_for(name, &column.ty))?;
        }
        Ok((rows, defaults, columns))
    }

    /// `values`, each assigned to its column.
    fn cells(&mut self, table: &Table, columns: &[String], values: &ast::Values) -> Result<Query> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            if row.content.len() != width {
                return Err(Trouble::invalid(
                    "values",
                    "VALUES lists must all be the same length",
                    "give each row the same number of values",
                ));
            }
            let mut cells = Vec::with_capacity(width);
            for (at, cell) in row.content.iter().enumerate() {
                let operand = self.within_sources(Vec::new(), |lowering| lowering.operand(cell))?;
                cells.push(match columns.get(at) {
                    Some(name) => {
                        let ty = &known_column(table, name)?.ty;
                        self.assign(operand, ty)
                            .map_err(|trouble| trouble.at(line(cell)).state_for(name, ty))?
                    }
                    None => self.settle(operand)?,
                });
            }
            rows.push(cells);
        }
        Ok(Query {
            body: Body::Values(rows),
            ..default_row()
        })
    }

    fn conflict(
        &mut self,
        table: &Arc<Table>,
        alias: Option<String>,
        conflict: &ast::OnConflict,
    ) -> Result<Conflict> {
        let (target, predicate) = self.conflict_target(table, conflict.conflict_target.as_ref())?;
        let update = match &conflict.action {
            ast::OnConflictAction::DoNothing => None,
            ast::OnConflictAction::DoUpdate(update) => {
                if target.is_empty() {
                    return Err(Trouble::invalid(
                        "on conflict do update",
                        "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                        "name the columns: on conflict (..) do update",
                    ));
                }
                let excluded = Named::alias("excluded", super::scope::columns(table));
                let sources = vec![self.target(table, alias), excluded];
                Some(self.within_sources(sources, |lowering| {
                    let assignments = lowering.assignments(table, &update.assignments)?;
                    let filter = update
                        .selection
                        .as_ref()
                        .map(|filter| lowering.condition(filter))
                        .transpose()?;
                    Ok((assignments, filter))
                })?)
            }
        };
        Ok(Conflict {
            target,
            predicate,
            update,
        })
    }

    fn conflict_target(
        &mut self,
        table: &Arc<Table>,
        target: Option<&ast::ConflictTarget>,
    ) -> Result<(Vec<Expr>, Option<Expr>)> {
        let column = |name: &String| -> Result<Expr> {
            let column = known_column(table, name)?;
            Ok(Expr::Column {
                level: 0,
                source: 0,
                name: name.clone(),
                ty: column.ty.clone(),
            })
        };
        match target {
            None => Ok((Vec::new(), None)),
            Some(ast::ConflictTarget::OnConstraint(name)) => {
                let named = object(name).map(|(_, name)| name);
                let key = table
                    .primary_key
                    .iter()
                    .chain(&table.uniques)
                    .find(|key| Some(&key.name) == named.as_ref())
                    .ok_or_else(|| {
                        Trouble::invalid(
                            name.to_string(),
                            format!(
                                "constraint \"{name}\" for table \"{}\" does not exist",
                                table.name
                            ),
                            "check the name",
                        )
                        .state("42704")
                    })?;
                Ok((key.columns.iter().map(column).collect::<Result<_>>()?, None))
            }
            Some(ast::ConflictTarget::Columns { columns, predicate }) => {
                let names: Vec<String> = columns.iter().map(fold).collect();
                let exprs = names.iter().map(column).collect::<Result<Vec<_>>>()?;
                let sources = vec![Named::table(table)];
                let predicate = self.within_sources(sources, |lowering| {
                    predicate
                        .as_ref()
                        .map(|predicate| lowering.condition(predicate))
                        .transpose()
                })?;
                let same = |known: &[String]| {
                    known.len() == names.len() && known.iter().all(|name| names.contains(name))
                };
                let keyed = table
                    .primary_key
                    .iter()
                    .chain(&table.uniques)
                    .any(|key| same(&key.columns));
                let index = table.indexes.iter().find(|index| {
                    index.unique
                        && index_columns(index).is_some_and(|columns| same(&columns))
                        && (index.predicate.is_none() || index.predicate == predicate)
                });
                match index {
                    _ if keyed => Ok((exprs, None)),
                    Some(index) => Ok((exprs, index.predicate.clone())),
                    None => Err(Trouble::invalid(
                        names.join(", "),
                        "there is no unique or exclusion constraint matching the ON CONFLICT specification",
                        "name the columns of the primary key, or of a unique constraint or index",
                    )
                    .state("42P10")),
                }
            }
        }
    }

    fn assignments(
        &mut self,
        table: &Table,
        written: &[ast::Assignment],
    ) -> Result<Vec<Assignment>> {
        let mut assignments: Vec<Assignment> = Vec::with_capacity(written.len());
        for assignment in written {
            let pairs: Vec<(&ast::ObjectName, &ast::Expr)> =
                match (&assignment.target, &assignment.value) {
                    (ast::AssignmentTarget::ColumnName(name), value) => vec![(name, value)],
                    (ast::AssignmentTarget::Tuple(names), ast::Expr::Tuple(values))
                        if names.len() == values.len() =>
                    {
                        names.iter().zip(values).collect()
                    }
                    _ => {
                        return Err(Trouble::unsupported(
                            assignment.to_string(),
                            "assign each column by itself",
                        ));
                    }
                };
            for (name, value) in pairs {
                let Some((None, name)) = object(name) else {
                    return Err(Trouble::unsupported(name.to_string(), "name a column"));
                };
                let column = known_column(table, &name)?;
                if assignments.iter().any(|known| known.column == name) {
                    return Err(Trouble::invalid(
                        name.clone(),
                        format!("multiple assignments to same column \"{name}\""),
                        "assign it once",
                    ));
                }
                let value = if is_default(value) {
                    None
                } else {
                    if column.identity == Some(Identity::Always) || column.generated.is_some() {
                        return Err(Trouble::invalid(
                            name.clone(),
                            format!("column \"{name}\" can only be updated to DEFAULT"),
                            "leave it as it is",
                        )
                        .state("428C9"));
                    }
                    let operand = self.operand(value)?;
                    let assigned = self
                        .assign(operand, &column.ty)
                        .map_err(|trouble| trouble.at(line(value)).state_for(&name, &column.ty))?;
                    Some(assigned)
                };
                assignments.push(Assignment {
                    column: name,
                    value,
                });
            }
        }
        Ok(assignments)
    }

    fn update(&mut self, update: &ast::Update) -> Result<Update> {
        let refused = || {
            Trouble::unsupported(
                update.to_string(),
                "write update <table> set .. from .. where ..",
            )
        };
        let ast::TableFactor::Table { name, alias, .. } = &update.table.relation else {
            return Err(refused());
        };
        if !update.table.joins.is_empty() || update.or.is_some() || update.limit.is_some() {
            return Err(refused());
        }
        let from = match &update.from {
            None => &[][..],
            Some(ast::UpdateTableFromKind::AfterSet(from)) => &from[..],
            Some(_) => return Err(refused()),
        };
        let table = self.changed_table(name)?;
        let alias = alias.as_ref().map(|alias| fold(&alias.name));
        let target = self.target(&table, alias);
        self.within_sources(vec![target], |lowering| {
            let from = lowering.sources(from)?;
            let assignments = lowering.assignments(&table, &update.assignments)?;
            let filter = update
                .selection
                .as_ref()
                .map(|filter| lowering.condition(filter))
                .transpose()?;
            let returning = lowering.returning(update.returning.as_ref())?;
            joined_plainly(&from)?;
            own_columns(&returning)?;
            asks_others(lowering.catalog, &returning, &table)?;
            Ok(Update {
                schema: table.schema.clone(),
                table: table.name.clone(),
                assignments,
                from,
                filter,
                returning,
            })
        })
    }

    fn delete(&mut self, delete: &ast::Delete) -> Result<Delete> {
        let refused =
            || Trouble::unsupported(delete.to_string(), "write delete from <table> where ..");
        let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) =
            &delete.from;
        let [item] = &from[..] else {
            return Err(refused());
        };
        let ast::TableFactor::Table { name, alias, .. } = &item.relation else {
            return Err(refused());
        };
        if !item.joins.is_empty() || delete.limit.is_some() || !delete.tables.is_empty() {
            return Err(refused());
        }
        let table = self.changed_table(name)?;
        let alias = alias.as_ref().map(|alias| fold(&alias.name));
        let target = self.target(&table, alias);
        self.within_sources(vec![target], |lowering| {
            let using = lowering.sources(delete.using.as_deref().unwrap_or_default())?;
            let filter = delete
                .selection
                .as_ref()
                .map(|filter| lowering.condition(filter))
                .transpose()?;
            let returning = lowering.returning(delete.returning.as_ref())?;
            joined_plainly(&using)?;
            own_columns(&returning)?;
            asks_others(lowering.catalog, &returning, &table)?;
            Ok(Delete {
                schema: table.schema.clone(),
                table: table.name.clone(),
                using,
                filter,
                returning,
            })
        })
    }

    /// Lowers something on a level of its own with these sources.
    pub(crate) fn within_sources<T>(
        &mut self,
        sources: Vec<Named>,
        lower: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.levels.push(Level { sources });
        let lowered = lower(self);
        self.levels.pop();
        lowered
    }
}

/// Outer joins to rows that are changed have no meaning of their own.
fn joined_plainly(sources: &[Source]) -> Result<()> {
    if sources.iter().any(|source| {
        matches!(
            source.join,
            crate::query::Join::Right | crate::query::Join::Full
        )
    }) {
        return Err(Trouble::unsupported(
            "right or full join in update or delete",
            "use join or left join",
        ));
    }
    Ok(())
}

/// A sub-select of `returning` would see the rows as they are now, where Postgres shows them as they were before.
fn asks_others(catalog: &Catalog, returning: &[crate::query::Output], table: &Table) -> Result<()> {
    let own = (table.schema.clone(), table.name.clone());
    let mut asked: Vec<(String, String)> = Vec::new();
    let mut calls = false;
    for output in returning {
        output
            .expr
            .each_source(&mut |source| asked.extend(table_of(source)));
        output.expr.walk(0, &mut |_, expr| {
            if let Expr::Apply { routine, .. } = expr {
                // What a function asks is not looked for any deeper than whether it asks at all.
                calls |= catalog
                    .routine(routine)
                    .is_some_and(|routine| asks(&routine.body));
            }
        });
    }
    if calls {
        return Err(Trouble::unsupported(
            format!(
                "returning f(..) of {}, with a function that reads tables",
                table.name
            ),
            "call it in a statement of its own",
        ));
    }
    // What views ask is asked too. Those seen already are behind `seen`.
    let mut seen = 0;
    while let Some((schema, name)) = asked.get(seen).cloned() {
        seen += 1;
        let Some(view) = catalog
            .table(&schema, &name)
            .and_then(|found| found.view.clone())
        else {
            continue;
        };
        view.query.each_source(&mut |source| {
            asked.extend(table_of(source).filter(|below| !asked.contains(below)));
        });
    }
    if asked.contains(&own) {
        return Err(Trouble::unsupported(
            format!("returning (select .. from {})", table.name),
            "select from the changed table in a statement of its own",
        ));
    }
    Ok(())
}

fn asks(body: &crate::routine::Body) -> bool {
    let crate::routine::Body::Sql(operations) = body else {
        return false;
    };
    let mut found = false;
    for operation in operations {
        if let Operation::Select(query) = operation {
            query.each_source(&mut |source| found |= table_of(source).is_some());
        }
    }
    found
}

fn table_of(source: &Source) -> Option<(String, String)> {
    match &source.of {
        crate::query::Of::Table { schema, name } => Some((schema.clone(), name.clone())),
        _ => None,
    }
}

/// The rows that a change was joined with are not there any more when it answers.
fn own_columns(returning: &[crate::query::Output]) -> Result<()> {
    for output in returning {
        let mut other = None;
        output.expr.walk(0, &mut |depth, expr| {
            if let Expr::Column {
                level,
                source,
                name,
                ..
            } = expr
                && *level == depth
                && *source > 0
            {
                other = Some(name.clone());
            }
        });
        if let Some(name) = other {
            return Err(Trouble::unsupported(
                format!("returning {name} of a joined table"),
                "return columns of the changed table, and select the others",
            ));
        }
    }
    Ok(())
}

fn default_row() -> Query {
    Query {
        with: Vec::new(),
        body: Body::Values(vec![Vec::new()]),
        order: Vec::new(),
        limit: None,
        offset: None,
    }
}

fn is_default(expr: &ast::Expr) -> bool {
    matches!(expr, ast::Expr::Identifier(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("default"))
}

fn known_column<'a>(table: &'a Table, name: &str) -> Result<&'a crate::catalog::Column> {
    table.column(name).ok_or_else(|| {
        Trouble::invalid(
            name,
            format!(
                "column \"{name}\" of relation \"{}\" does not exist",
                table.name
            ),
            "check the name",
        )
        .state("42703")
    })
}

/// The columns of an index that is over columns only.
fn index_columns(index: &Index) -> Option<Vec<String>> {
    index
        .parts
        .iter()
        .map(|part| match &part.expr {
            Expr::Column { name, .. } => Some(name.clone()),
            _ => None,
        })
        .collect()
}

impl Trouble {
    /// What can't be assigned says to which column.
    fn state_for(self, column: &str, ty: &Type) -> Trouble {
        if self.reason.starts_with("the column is of type") {
            let from = self
                .construct
                .trim_start_matches("a value of type ")
                .to_owned();
            return Trouble {
                reason: format!(
                    "column \"{column}\" is of type {} but expression is of type {from}",
                    ty.name()
                ),
                ..self
            }
            .state("42804");
        }
        self
    }
}

/// Whether a row is nothing but nulls: what stands for `default values`.
pub(crate) fn is_empty_row(query: &Query) -> bool {
    matches!(&query.body, Body::Values(rows) if rows.iter().all(Vec::is_empty))
}
