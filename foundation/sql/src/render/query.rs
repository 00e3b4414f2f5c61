//! Queries as SQLite has them.

use super::source::cte_name;
use super::{Alias, Renderer};
use crate::catalog::Catalog;
use crate::error::SqlError;
use crate::expr::{Expr, Function, Part};
use crate::query::{Body, Distinct, Of, Order, Output, Query, Select, SetOperator};
use crate::value::Value;

impl Renderer<'_> {
    /// A whole query; its columns go by `names` where they are given.
    pub(crate) fn query(
        &mut self,
        query: &Query,
        names: Option<&[String]>,
    ) -> Result<(), SqlError> {
        let recursive = query.with.iter().any(|cte| cte.recursive);
        for (index, cte) in query.with.iter().enumerate() {
            self.out.push(match (index, recursive) {
                (0, true) => "WITH RECURSIVE ",
                (0, false) => "WITH ",
                _ => ", ",
            });
            self.out.ident(&cte_name(&cte.name));
            for (index, column) in cte.columns.iter().enumerate() {
                self.out
                    .push(if index > 0 { ", " } else { " (" })
                    .ident(column);
            }
            self.out.push(if cte.columns.is_empty() { "" } else { ")" });
            self.out.push(" AS (");
            self.query(&cte.query, None)?;
            self.out.push(") ");
        }
        if let Body::Select(select) = &query.body {
            return self.select(select, query, names);
        }
        if query.order.is_empty() && query.limit.is_none() && query.offset.is_none() {
            return self.body(&query.body, names);
        }
        let alias = format!("p{}_0", self.levels.len());
        self.out.push("SELECT * FROM (");
        self.body(&query.body, names)?;
        self.out.push(") AS ").ident(&alias);
        self.levels.push(vec![Alias::Name(alias)]);
        let tail = self.order(&query.order).and_then(|()| self.limits(query));
        self.levels.pop();
        tail
    }

    fn body(&mut self, body: &Body, names: Option<&[String]>) -> Result<(), SqlError> {
        match body {
            Body::Select(select) => {
                let bare = Query::select(Select::default());
                self.select(select, &bare, names)
            }
            Body::Values(rows) => self.values(rows, names),
            Body::Query(query) => self.query(query, names),
            Body::Set {
                operator,
                all,
                left,
                right,
            } => {
                self.side(left, names, false)?;
                self.out.push(match (operator, all) {
                    (SetOperator::Union, true) => " UNION ALL ",
                    (SetOperator::Union, false) => " UNION ",
                    (SetOperator::Intersect, _) => " INTERSECT ",
                    (SetOperator::Except, _) => " EXCEPT ",
                });
                self.side(right, None, true)
            }
        }
    }

    /// One side of a set operation: SQLite takes no parentheses there, and reads from left to right.
    fn side(&mut self, body: &Body, names: Option<&[String]>, right: bool) -> Result<(), SqlError> {
        let plain = match body {
            Body::Select(select) => !matches!(select.distinct, Distinct::On(_)),
            Body::Set { .. } => !right,
            Body::Values(_) => true,
            Body::Query(_) => false,
        };
        if plain {
            return self.body(body, names);
        }
        self.out.push("SELECT * FROM (");
        self.body(body, names)?;
        self.out.push(")");
        Ok(())
    }

    /// Rows of values as selects, so that their columns have names.
    fn values(&mut self, rows: &[Vec<Expr>], names: Option<&[String]>) -> Result<(), SqlError> {
        self.levels.push(Vec::new());
        let rendered = self.value_rows(rows, names);
        self.levels.pop();
        rendered
    }

    fn value_rows(&mut self, rows: &[Vec<Expr>], names: Option<&[String]>) -> Result<(), SqlError> {
        let first = rows.first().map_or(&[][..], Vec::as_slice);
        self.out.push("SELECT ");
        if first.is_empty() {
            self.out.push("NULL");
            return Ok(());
        }
        for (at, expr) in first.iter().enumerate() {
            let own = format!("column{}", at + 1);
            let name = names.and_then(|names| names.get(at)).unwrap_or(&own);
            self.out.push(if at > 0 { ", " } else { "" }).push(&own);
            if let Some(collation) = expr.ty().collation() {
                self.out.push(" COLLATE ").push(collation);
            }
            self.out.push(" AS ").ident(name);
        }
        self.out.push(" FROM (VALUES ");
        for (index, row) in rows.iter().enumerate() {
            self.out.push(if index > 0 { ", (" } else { "(" });
            for (at, expr) in row.iter().enumerate() {
                self.out.push(if at > 0 { ", " } else { "" });
                if index == 0 && !matches!(expr, Expr::Literal { .. }) {
                    // A column by itself, also where its cast needs nothing, would lend its name to that of the values.
                    self.out.push("+");
                }
                self.expr(expr)?;
            }
            self.out.push(")");
        }
        self.out.push(")");
        Ok(())
    }

    fn select(
        &mut self,
        select: &Select,
        query: &Query,
        names: Option<&[String]>,
    ) -> Result<(), SqlError> {
        let depth = self.levels.len();
        let aliases: Vec<String> = (0..select.from.len())
            .map(|index| format!("p{depth}_{index}"))
            .collect();
        let level = select
            .from
            .iter()
            .zip(&aliases)
            .map(|(source, name)| Self::alias_of(source, name.clone()))
            .collect();
        self.levels.push(level);
        // What is drawn anew is drawn for each row.
        let each = self.each;
        self.each |= !select.from.is_empty();
        let rendered = match &select.distinct {
            Distinct::On(keys) => self.distinct_on(select, keys, query, names, &aliases),
            _ => self.plain_select(select, query, names, &aliases),
        };
        self.each = each;
        self.levels.pop();
        rendered
    }

    fn plain_select(
        &mut self,
        select: &Select,
        query: &Query,
        names: Option<&[String]>,
        aliases: &[String],
    ) -> Result<(), SqlError> {
        self.out.push("SELECT ");
        if select.distinct == Distinct::Rows {
            self.out.push("DISTINCT ");
        }
        self.outputs(&select.columns, names)?;
        self.rest(select, &query.order, aliases)?;
        self.order(&query.order)?;
        self.limits(query)
    }

    /// Everything of a select from ` FROM` to ` HAVING`.
    fn rest(
        &mut self,
        select: &Select,
        order: &[Order],
        aliases: &[String],
    ) -> Result<(), SqlError> {
        let secured = self.from(select, order, aliases)?;
        let mut next = " WHERE ";
        for (table, name) in secured {
            self.out.push(next);
            self.policies(&table, crate::catalog::Command::Select, false, &name)?;
            next = " AND ";
        }
        if let Some(filter) = &select.filter {
            self.out.push(next);
            self.filter(filter)?;
        }
        for (index, expr) in select.group.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { " GROUP BY " });
            self.grouped(expr)?;
        }
        if let Some(having) = &select.having {
            if select.group.is_empty() {
                // One group of all rows, which SQLite has to be told.
                self.out.push(" GROUP BY NULL");
            }
            self.out.push(" HAVING ");
            self.expr(having)?;
        }
        Ok(())
    }

    /// An expression grouped by. An integer literal would be a column's place.
    fn grouped(&mut self, expr: &Expr) -> Result<(), SqlError> {
        if let Expr::Literal { .. } = expr {
            self.out.push("+");
        }
        if folds(expr) {
            self.out.push("CAST(");
            self.expr(expr)?;
            self.out.push(" AS INTEGER)");
            return Ok(());
        }
        self.expr(expr)?;
        self.collate(expr);
        Ok(())
    }

    pub(crate) fn outputs(
        &mut self,
        columns: &[Output],
        names: Option<&[String]>,
    ) -> Result<(), SqlError> {
        if columns.is_empty() {
            self.out.push("1");
        }
        for (index, column) in columns.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            self.expr(&column.expr)?;
            self.collate(&column.expr);
            let name = names
                .and_then(|names| names.get(index))
                .unwrap_or(&column.name);
            self.out.push(" AS ").ident(name);
        }
        Ok(())
    }

    pub(crate) fn order(&mut self, order: &[Order]) -> Result<(), SqlError> {
        for (index, term) in order.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { " ORDER BY " });
            self.order_term(term)?;
        }
        Ok(())
    }

    pub(crate) fn order_term(&mut self, term: &Order) -> Result<(), SqlError> {
        self.sort_key(&term.expr)?;
        if term.descending {
            self.out.push(" DESC");
        }
        // Nulls sort lowest in SQLite.
        if term.nulls_first == term.descending {
            self.out.push(if term.nulls_first {
                " NULLS FIRST"
            } else {
                " NULLS LAST"
            });
        }
        Ok(())
    }

    /// What a value sorts by: an enum's label by its place in the declaration.
    pub(crate) fn sort_key(&mut self, expr: &Expr) -> Result<(), SqlError> {
        let mut constant = true;
        expr.walk(0, &mut |_, expr| {
            constant &= !matches!(expr, Expr::Column { .. })
        });
        if constant {
            // A lone integer would be a column's place.
            self.out.push("+");
        }
        if folds(expr) {
            self.out.push("CAST(");
            self.expr(expr)?;
            self.out.push(" AS INTEGER)");
            return Ok(());
        }
        self.rank(expr)?;
        self.collate(expr);
        Ok(())
    }

    fn limits(&mut self, query: &Query) -> Result<(), SqlError> {
        match (&query.limit, &query.offset) {
            (None, None) => return Ok(()),
            (Some(limit), _) => {
                self.out.push(" LIMIT ");
                self.limit(limit, "-1")?;
            }
            (None, Some(_)) => {
                self.out.push(" LIMIT -1");
            }
        }
        if let Some(offset) = &query.offset {
            self.out.push(" OFFSET ");
            self.limit(offset, "0")?;
        }
        Ok(())
    }

    fn limit(&mut self, expr: &Expr, none: &str) -> Result<(), SqlError> {
        if let Expr::Literal { .. } = expr {
            return self.expr(expr);
        }
        self.out.push("coalesce(");
        self.expr(expr)?;
        self.out.push(", ").push(none).push(")");
        Ok(())
    }

    /// `distinct on`: rows are numbered within their key in the order asked for, and the first of each is taken.
    fn distinct_on(
        &mut self,
        select: &Select,
        keys: &[Expr],
        query: &Query,
        names: Option<&[String]>,
        aliases: &[String],
    ) -> Result<(), SqlError> {
        self.out.push("SELECT ");
        for (index, column) in select.columns.iter().enumerate() {
            let name = names
                .and_then(|names| names.get(index))
                .unwrap_or(&column.name);
            self.out.push(if index > 0 { ", " } else { "" });
            self.out.push(&format!("\"o{index}\" AS ")).ident(name);
        }
        if select.columns.is_empty() {
            self.out.push("NULL");
        }
        self.out.push(" FROM (SELECT ");
        for (index, column) in select.columns.iter().enumerate() {
            self.expr(&column.expr)?;
            self.collate(&column.expr);
            self.out.push(&format!(" AS \"o{index}\", "));
        }
        for (index, term) in query.order.iter().enumerate() {
            self.sort_key(&term.expr)?;
            self.out.push(&format!(" AS \"k{index}\", "));
        }
        self.out.push("row_number() OVER (PARTITION BY ");
        for (index, key) in keys.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            self.expr(key)?;
            self.collate(key);
        }
        self.order(&query.order)?;
        self.out.push(") AS \"n\"");
        self.rest(select, &query.order, aliases)?;
        self.out.push(") WHERE \"n\" = 1");
        for (index, term) in query.order.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { " ORDER BY " });
            self.out.push(&format!("\"k{index}\""));
            self.out.push(if term.descending { " DESC" } else { "" });
            self.out.push(if term.nulls_first {
                " NULLS FIRST"
            } else {
                " NULLS LAST"
            });
        }
        self.limits(query)
    }

    /// `(select ..)` as a value: more than one row is an error.
    pub(super) fn scalar(&mut self, query: &Query) -> Result<(), SqlError> {
        if at_most_one(self.catalog, query) {
            self.out.push("(");
            self.query(query, None)?;
            self.out.push(")");
            return Ok(());
        }
        self.out.push("(SELECT CASE WHEN count(*) < 2 THEN max(\"v\") ELSE pg_raise('21000', 'more than one row returned by a subquery used as an expression') END FROM (");
        self.query(query, Some(&["v".to_owned()]))?;
        self.out.push("))");
        Ok(())
    }
}

/// Whether SQLite makes an integer of it while it parses, which by itself would be a column's place.
fn folds(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Call {
            function: Function::And | Function::Or,
            ..
        }
    )
}

/// Whether a query surely gives no second row.
fn at_most_one(catalog: &Catalog, query: &Query) -> bool {
    if matches!(
        &query.limit,
        Some(Expr::Literal {
            value: Value::Int(0..=1),
            ..
        })
    ) {
        return true;
    }
    let Body::Select(select) = &query.body else {
        return matches!(&query.body, Body::Values(rows) if rows.len() < 2);
    };
    if select.from.is_empty() {
        return true;
    }
    let aggregates = select
        .columns
        .iter()
        .any(|output| has_aggregate(&output.expr));
    if aggregates && select.group.is_empty() {
        return true;
    }
    let [source] = &select.from[..] else {
        return false;
    };
    let Of::Table { schema, name } = &source.of else {
        return false;
    };
    let (Some(table), Some(filter)) = (catalog.table(schema, name), &select.filter) else {
        return false;
    };
    let mut pinned = Vec::new();
    pins(filter, &mut pinned);
    table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .any(|key| key.columns.iter().all(|column| pinned.contains(column)))
}

/// Columns of the one source that are equal to something that is not of it.
fn pins(filter: &Expr, pinned: &mut Vec<String>) {
    let Expr::Call { function, args, .. } = filter else {
        return;
    };
    match function {
        Function::And => args.iter().for_each(|arg| pins(arg, pinned)),
        Function::Eq => {
            for (column, other) in [(&args[0], &args[1]), (&args[1], &args[0])] {
                let Expr::Column { level: 0, name, .. } = column else {
                    continue;
                };
                let mut own = false;
                other.walk(0, &mut |depth, expr| {
                    own |= matches!(expr, Expr::Column { level, .. } if *level == depth);
                });
                if !own {
                    pinned.push(name.clone());
                }
            }
        }
        _ => {}
    }
}

fn has_aggregate(expr: &Expr) -> bool {
    let mut found = matches!(expr, Expr::Aggregate(_));
    expr.parts(&mut |part| {
        if let Part::Expr(expr) = part {
            found |= has_aggregate(expr);
        }
    });
    found
}
