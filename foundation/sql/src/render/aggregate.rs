//! Aggregates as SQLite has them, or as the engine adds them.

use super::Renderer;
use crate::error::SqlError;
use crate::expr::{Aggregate, Expr, Window};
use crate::functions::registry::builtin;
use crate::statement::JsonOut;
use crate::types::Type;

impl Renderer<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Result<(), SqlError> {
        let first = aggregate.args.first().map(Expr::ty);
        let exact = matches!(first, Some(Type::Int8 | Type::Numeric(_)));
        match aggregate.name.as_str() {
            "sum" if exact => self.plain("pg_sum_numeric", aggregate),
            "sum" => self.plain(
                match first {
                    Some(Type::Interval) => "pg_sum_interval",
                    Some(Type::Float4) => "pg_sum_float4",
                    Some(Type::Float8) => "pg_sum_float8",
                    _ => "pg_sum_int8",
                },
                aggregate,
            ),
            "avg" => self.plain(
                match first {
                    Some(Type::Interval) => "pg_avg_interval",
                    Some(Type::Float4) => "pg_avg_float4",
                    Some(Type::Float8) => "pg_avg_float8",
                    _ => "pg_avg_numeric",
                },
                aggregate,
            ),
            "bool_and" | "every" => self.plain("min", aggregate),
            "bool_or" => self.plain("max", aggregate),
            "min" | "max" if matches!(first, Some(Type::Enum(_))) => self.extreme_label(aggregate),
            "string_agg" if aggregate.distinct => {
                // SQLite gives a distinct aggregate one argument only.
                self.out.push("pg_join(");
                self.gathered("json_group_array", &aggregate.args[..1], aggregate)?;
                self.out.push(", ");
                self.expr(&aggregate.args[1])?;
                self.out.push(")");
                Ok(())
            }
            "string_agg" => self.plain("pg_string_agg", aggregate),
            "array_agg" => self.wrapped("pg_some", "json_group_array", aggregate),
            "json_agg" => self.json("pg_json_gather", aggregate),
            "json_object_agg" => self.json("pg_json_object_gather", aggregate),
            "jsonb_agg" | "jsonb_object_agg" => {
                self.out.push("pg_jsonb_agg(");
                self.json(
                    if aggregate.name == "jsonb_agg" {
                        "pg_json_gather"
                    } else {
                        "pg_json_object_gather"
                    },
                    aggregate,
                )?;
                self.out.push(")");
                Ok(())
            }
            name => self.plain(name, aggregate),
        }
    }

    /// `f(..) over (..)`
    pub(super) fn window(&mut self, window: &Window) -> Result<(), SqlError> {
        let aggregate = Aggregate {
            name: window.name.clone(),
            args: window.args.clone(),
            distinct: false,
            order: Vec::new(),
            filter: None,
            ty: window.ty.clone(),
        };
        match window.name.as_str() {
            "row_number" | "rank" | "dense_rank" | "percent_rank" | "cume_dist" => {
                self.out.push(&window.name).push("()");
            }
            "count" | "sum" | "avg" | "min" | "max" => self.aggregate(&aggregate)?,
            name => self.plain(name, &aggregate)?,
        }
        self.out.push(" OVER (");
        for (index, expr) in window.partition.iter().enumerate() {
            self.out
                .push(if index > 0 { ", " } else { "PARTITION BY " });
            self.expr(expr)?;
            self.collate(expr);
        }
        self.order(&window.order)?;
        self.out.push(")");
        Ok(())
    }

    fn plain(&mut self, name: &str, aggregate: &Aggregate) -> Result<(), SqlError> {
        self.out.push(name).push("(");
        if aggregate.args.is_empty() {
            self.out.push("*");
        }
        self.out
            .push(if aggregate.distinct { "DISTINCT " } else { "" });
        for (index, arg) in aggregate.args.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            self.expr(arg)?;
            if let Some(collation) = arg.ty().collation() {
                self.out.push(" COLLATE ").push(collation);
            }
        }
        self.end(aggregate)
    }

    /// Values as JSON, the last argument; before it the key of an object.
    fn json(&mut self, name: &str, aggregate: &Aggregate) -> Result<(), SqlError> {
        self.out.push(name).push("(");
        self.out
            .push(if aggregate.distinct { "DISTINCT " } else { "" });
        let last = aggregate.args.len().saturating_sub(1);
        for (index, arg) in aggregate.args.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            match builtin("to_json(anyelement)").filter(|_| index == last) {
                Some(to_json) => self.builtin(to_json, std::slice::from_ref(arg))?,
                None => self.expr(arg)?,
            }
        }
        self.end(aggregate)
    }

    /// The order, the parenthesis, the filter.
    fn end(&mut self, aggregate: &Aggregate) -> Result<(), SqlError> {
        self.order(&aggregate.order)?;
        let gathers = matches!(
            aggregate.name.as_str(),
            "array_agg" | "string_agg" | "json_agg" | "jsonb_agg"
        );
        if let (true, true, [], [first, ..]) = (
            aggregate.distinct,
            gathers,
            &aggregate.order[..],
            &aggregate.args[..],
        ) {
            // Postgres finds the distinct ones by sorting.
            self.out.push(" ORDER BY ");
            self.sort_key(first)?;
            self.out.push(" NULLS LAST");
        }
        self.out.push(")");
        if let Some(filter) = &aggregate.filter {
            self.out.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.out.push(")");
        }
        Ok(())
    }

    /// An aggregate of JSON, given to a function that makes of it what Postgres gives.
    fn wrapped(&mut self, around: &str, name: &str, aggregate: &Aggregate) -> Result<(), SqlError> {
        self.out.push(around).push("(");
        self.gathered(name, &aggregate.args, aggregate)?;
        self.out.push(")");
        Ok(())
    }

    fn gathered(
        &mut self,
        name: &str,
        args: &[Expr],
        aggregate: &Aggregate,
    ) -> Result<(), SqlError> {
        self.out.push(name).push("(");
        self.out
            .push(if aggregate.distinct { "DISTINCT " } else { "" });
        for (index, arg) in args.iter().enumerate() {
            self.out.push(if index > 0 { ", " } else { "" });
            if name == "json_group_object" && index == 0 {
                self.expr(arg)?;
            } else {
                self.json_member(arg)?;
            }
        }
        self.end(aggregate)
    }

    /// A value as a member of an array of SQLite's JSON.
    pub(crate) fn json_member(&mut self, expr: &Expr) -> Result<(), SqlError> {
        match expr.ty().json_out() {
            JsonOut::Text | JsonOut::Int => self.expr(expr),
            JsonOut::Bool => {
                self.out.push("json(CASE ");
                self.expr(expr)?;
                self.out
                    .push(" WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)");
                Ok(())
            }
            form @ (JsonOut::Float | JsonOut::Float4) => {
                self.out.push(if form == JsonOut::Float {
                    "json(pg_json_float("
                } else {
                    "json(pg_json_float4("
                });
                self.expr(expr)?;
                self.out.push("))");
                Ok(())
            }
            JsonOut::Raw if matches!(expr.ty(), Type::Numeric(_)) => {
                // NaN and the infinities are the numerics that end in a letter.
                let text = self.apart(|renderer| renderer.expr(expr))?;
                self.out.push("CASE WHEN substr(").push(&text);
                self.out.push(", -1) > '9' THEN ").push(&text);
                self.out.push(" ELSE json(").push(&text).push(") END");
                Ok(())
            }
            JsonOut::Raw => {
                self.out.push("json(");
                self.expr(expr)?;
                self.out.push(")");
                Ok(())
            }
            JsonOut::Bytes => {
                let text = self.apart(|renderer| renderer.expr(expr))?;
                self.out.push("CASE WHEN ").push(&text);
                self.out
                    .push(" IS NOT NULL THEN '\\x' || lower(hex(")
                    .push(&text)
                    .push(")) END");
                Ok(())
            }
        }
    }

    /// The least or greatest label by the order of the declaration.
    fn extreme_label(&mut self, aggregate: &Aggregate) -> Result<(), SqlError> {
        let Some(Type::Enum(labels)) = aggregate.args.first().map(Expr::ty) else {
            return Ok(());
        };
        self.out.push("CASE ").push(&aggregate.name).push("(");
        self.sort_key(&aggregate.args[0])?;
        self.end(aggregate)?;
        for (rank, label) in labels.labels.iter().enumerate() {
            self.out.push(&format!(" WHEN {rank} THEN "));
            self.value(&crate::value::Value::text(label.as_str()));
        }
        self.out.push(" END");
        Ok(())
    }
}
