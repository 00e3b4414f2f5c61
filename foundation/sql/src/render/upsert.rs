//! `on conflict`: rows that meet one that is there, or one another.

use super::{Alias, Renderer};
use crate::catalog::{Catalog, Command, Table};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::operation::{Conflict, Insert};
use crate::query::Body;
use crate::statement::Statement;
use std::sync::Arc;

/// How the rows of an upsert may meet one another.
pub(super) struct Merged {
    /// The key, as texts over the row proposed, `m`.
    keys: Vec<String>,
    /// Whether a row changes anything; none if each does.
    changes: Option<String>,
    /// Whether a null in the key equals a null.
    nulls: bool,
}

impl Merged {
    /// Begins the select that counts how often each row was met and changed before: an error unless it is none.
    pub(super) fn open(&self, out: &mut Statement) {
        out.push("SELECT *, ");
        let known: Vec<String> = self
            .keys
            .iter()
            .map(|key| format!("{key} IS NOT NULL"))
            .collect();
        if !self.nulls {
            out.push("CASE WHEN ")
                .push(&known.join(" AND "))
                .push(" THEN ");
        }
        match &self.changes {
            None => out.push("count(*)"),
            Some(_) => out.push("1 + count(*) FILTER (WHERE \"pando.changes\")"),
        };
        out.push(" OVER (PARTITION BY ").push(&self.keys.join(", "));
        if self.changes.is_some() {
            out.push(" ORDER BY \"pando.place\" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING");
        }
        out.push(if self.nulls { ")" } else { ") ELSE 1 END" });
        out.push(" AS \"pando.times\" FROM (SELECT *, row_number() OVER () AS \"pando.place\"");
        if let Some(changes) = &self.changes {
            out.push(", ").push(changes).push(" AS \"pando.changes\"");
        }
        out.push(" FROM (");
    }
}

/// The index in which rows with nulls in the key of an upsert meet, where a null equals a null.
fn nulls_target(
    catalog: &Catalog,
    table: &Table,
    conflict: &Conflict,
) -> Result<Option<String>, SqlError> {
    let same = |parts: &[Expr]| {
        parts.len() == conflict.target.len()
            && parts.iter().all(|part| conflict.target.contains(part))
    };
    for key in table.uniques.iter().filter(|key| key.nulls_equal) {
        let parts = crate::ddl::key_parts(table, key);
        let exprs: Vec<Expr> = parts.iter().map(|part| part.expr.clone()).collect();
        if same(&exprs) {
            return crate::ddl::nulls_target(catalog, &parts, None).map(Some);
        }
    }
    for index in table
        .indexes
        .iter()
        .filter(|index| index.unique && index.nulls_equal)
    {
        let exprs: Vec<Expr> = index.parts.iter().map(|part| part.expr.clone()).collect();
        if same(&exprs) && index.predicate == conflict.predicate {
            let target = crate::ddl::nulls_target(catalog, &index.parts, index.predicate.as_ref())?;
            return Ok(Some(target));
        }
    }
    Ok(None)
}

impl Renderer<'_> {
    /// The key that an upsert of several rows updates by, as texts over the proposed rows.
    pub(super) fn merged_by(
        &mut self,
        table: &Table,
        insert: &Insert,
    ) -> Result<Option<Merged>, SqlError> {
        let one = matches!(&insert.rows.body, Body::Values(rows) if rows.len() < 2);
        let Some(conflict) = insert
            .conflict
            .as_ref()
            .filter(|conflict| conflict.update.is_some() && !one)
        else {
            return Ok(None);
        };
        let row = Alias::Texts(Arc::new(self.texts_of(table, "m")?));
        self.levels.push(vec![row]);
        let keys = conflict
            .target
            .iter()
            .map(|expr| {
                let key = self.apart(|renderer| renderer.expr(expr))?;
                Ok(match expr.ty().collation() {
                    Some(collation) => format!("{key} COLLATE {collation}"),
                    None => key,
                })
            })
            .collect::<Result<Vec<_>, SqlError>>();
        self.levels.pop();
        let keys = keys?;
        let changes = match conflict
            .update
            .as_ref()
            .and_then(|(_, filter)| filter.as_ref())
        {
            Some(filter) => Some(self.changes(table, conflict, filter, &keys)?),
            None => None,
        };
        Ok(Some(Merged {
            keys,
            changes,
            nulls: nulls_target(self.catalog, table, conflict)?.is_some(),
        }))
    }

    /// Whether a row proposed, which goes by `m`, changes anything: the row it meets may not be there, or is one to be updated.
    fn changes(
        &mut self,
        table: &Table,
        conflict: &Conflict,
        filter: &Expr,
        keys: &[String],
    ) -> Result<String, SqlError> {
        let met = Alias::Name("met".to_owned());
        self.levels.push(vec![met.clone()]);
        let own = conflict
            .target
            .iter()
            .map(|expr| self.apart(|renderer| renderer.expr(expr)))
            .collect::<Result<Vec<_>, _>>();
        self.levels.pop();
        let same: Vec<String> = own?
            .iter()
            .zip(keys)
            .map(|(own, key)| format!("{own} IS {key}"))
            .collect();
        let same = same.join(" AND ");
        self.levels.push(vec![met, Alias::Name("m".to_owned())]);
        let filter = self.apart(|renderer| renderer.condition(filter));
        self.levels.pop();
        let from = self.apart(|renderer| {
            renderer
                .out
                .push("(SELECT 1 FROM ")
                .ident(&table.file_name());
            Ok(())
        })?;
        Ok(format!(
            "(NOT EXISTS {from} AS met WHERE {same}) OR EXISTS {from} AS met WHERE {same} AND ({})))",
            filter?
        ))
    }

    pub(super) fn conflict(
        &mut self,
        table: &Arc<Table>,
        conflict: &Conflict,
    ) -> Result<(), SqlError> {
        self.out.push(" ON CONFLICT");
        self.levels.push(vec![Alias::Bare]);
        let target = (|| -> Result<(), SqlError> {
            for (index, expr) in conflict.target.iter().enumerate() {
                self.out.push(if index > 0 { ", " } else { " (" });
                self.expr(expr)?;
            }
            self.out
                .push(if conflict.target.is_empty() { "" } else { ")" });
            if let Some(predicate) = &conflict.predicate {
                self.out.push(" WHERE ");
                // An index is found by the very text of its condition.
                let inline = std::mem::replace(&mut self.inline, true);
                let rendered = self.expr(predicate);
                self.inline = inline;
                rendered?;
            }
            Ok(())
        })();
        self.levels.pop();
        target?;
        self.resolution(table, conflict)?;
        // Rows with nulls meet in an index of their own.
        if let Some(target) = nulls_target(self.catalog, table, conflict)? {
            self.out.push(" ON CONFLICT ").push(&target);
            self.resolution(table, conflict)?;
        }
        Ok(())
    }

    /// What is done with a row that is there.
    fn resolution(&mut self, table: &Arc<Table>, conflict: &Conflict) -> Result<(), SqlError> {
        let Some((assignments, filter)) = &conflict.update else {
            self.out.push(" DO NOTHING");
            return Ok(());
        };
        let own = Alias::Name(table.file_name());
        self.levels
            .push(vec![own.clone(), Alias::Name("excluded".to_owned())]);
        let rendered = (|| -> Result<(), SqlError> {
            self.out.push(" DO UPDATE SET ");
            let (row, verdict) = self.assigned(table, assignments, &own)?;
            self.out.push(" WHERE ");
            let mut filter_text = match filter {
                Some(filter) => self.apart(|renderer| renderer.expr(filter))?,
                None => "1".to_owned(),
            };
            if let Some(verdict) = verdict {
                filter_text = format!("CASE WHEN {filter_text} THEN {verdict} END");
            }
            if !self.passes(table) {
                // A row that is there and may not be updated is an error, not a row passed over.
                let hidden = self.apart(|renderer| {
                    let mut asked = renderer.policies_apart(table, Command::Update, false, &own)?;
                    asked.extend(renderer.policies_apart(table, Command::Select, false, &own)?);
                    renderer.judge(table, &asked, " (USING expression)")
                })?;
                let allowed =
                    self.apart(|renderer| renderer.permitted(table, Command::Update, true, &row))?;
                // Nested, since SQLite leaves out what stands in one condition with a constant that is false.
                filter_text = format!(
                    "CASE WHEN {hidden} THEN CASE WHEN {filter_text} THEN {allowed} END END"
                );
            }
            self.out.push(&filter_text);
            Ok(())
        })();
        self.levels.pop();
        rendered
    }
}
