//! Filters as SQL conditions with Postgres' three-valued logic.

use crate::error::PlanError;
use crate::input::InputType;
use crate::level::Level;
use crate::operand::{self, Operand, no_operator};
use crate::planner::Planner;
use crate::request::{Filter, Is, Op, Quantifier, Slot, Test};
use pando_sql::search::Config;
use pando_sql::{Bind, SqlError, Statement, Type, Value};

/// Filters that are written as one chain.
const CHAIN_MAX: usize = 32;

impl<'a> Planner<'a> {
    /// Appends one filter of a level as a condition.
    pub(crate) fn filter(
        &mut self,
        level: &Level<'a>,
        filter: &'a Filter,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        match filter {
            Filter::Compare {
                path,
                negated,
                test,
            } => {
                let operand = operand::resolve(level.table, path)?;
                if *negated {
                    out.push("NOT (");
                }
                self.test(&level.alias, &operand, test, out)?;
                if *negated {
                    out.push(")");
                }
            }
            Filter::Group {
                negated,
                any,
                filters,
            } => {
                out.push(if *negated { "NOT (" } else { "(" });
                self.combine(level, filters, *any, out)?;
                out.push(")");
            }
            Filter::Embedded { name, present } => {
                let child = level.child(name)?;
                if !present {
                    out.push("NOT ");
                }
                self.exists(level, child, out)?;
            }
        }
        Ok(())
    }

    /// Appends filters joined by `and` or `or`, halved as long as they are many: SQLite bounds the depth of an
    /// expression, and a chain is as deep as it is long.
    fn combine(
        &mut self,
        level: &Level<'a>,
        filters: &'a [Filter],
        any: bool,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let joined = if any { " OR " } else { " AND " };
        match filters {
            [] => {
                out.push(if any { "0" } else { "1" });
            }
            many if many.len() > CHAIN_MAX => {
                let (first, second) = many.split_at(many.len() / 2);
                out.push("(");
                self.combine(level, first, any, out)?;
                out.push(")").push(joined).push("(");
                self.combine(level, second, any, out)?;
                out.push(")");
            }
            few => {
                for (index, member) in few.iter().enumerate() {
                    if index > 0 {
                        out.push(joined);
                    }
                    self.filter(level, member, out)?;
                }
            }
        }
        Ok(())
    }

    fn test(
        &mut self,
        alias: &str,
        operand: &Operand<'_>,
        test: &Test,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        match test {
            Test::Op(op, slot) => {
                let comparison = Comparison::of(*op, &operand.ty)?;
                comparison.left(alias, operand, out);
                let ty = comparison.input();
                self.bind_input(*slot, ty, out);
                out.push(comparison.close);
            }
            Test::Quantified(op, quantifier, slot) => {
                self.quantified(alias, operand, *op, *quantifier, *slot, out)?
            }
            Test::In(slot) => {
                equality(&operand.ty, "=")?;
                operand.render(alias, out);
                out.push(" IN (SELECT value FROM json_each(");
                self.bind_input(*slot, InputType::List(operand.ty.clone()), out);
                out.push("))");
            }
            Test::Search {
                mode,
                config,
                query,
            } => {
                let config = config
                    .as_deref()
                    .map_or(Ok(Config::DEFAULT), Config::read)?;
                if !is_textual(&operand.ty) {
                    return Err(unsearchable(&operand.ty).into());
                }
                out.push("pg_fts(");
                operand.render(alias, out);
                out.push(&format!(", '{config}', "));
                self.bind_input(*query, InputType::Search(config, *mode), out);
                out.push(")");
            }
            Test::Is(is) => {
                let (text, boolean) = match is {
                    Is::Null => (" IS NULL", None),
                    Is::NotNull => (" IS NOT NULL", None),
                    Is::True => (" IS 1", Some("TRUE")),
                    Is::False => (" IS 0", Some("FALSE")),
                    Is::Unknown => (" IS NULL", Some("UNKNOWN")),
                };
                if let Some(word) = boolean.filter(|_| operand.ty != Type::Bool) {
                    return Err(SqlError::new(
                        "42804",
                        format!(
                            "argument of IS {word} must be type boolean, not type {}",
                            operand.ty.name()
                        ),
                    )
                    .into());
                }
                operand.render(alias, out);
                out.push(text);
            }
        }
        Ok(())
    }

    /// `x op any (array)` and `x op all (array)`, null as Postgres has it.
    fn quantified(
        &mut self,
        alias: &str,
        operand: &Operand<'_>,
        op: Op,
        quantifier: Quantifier,
        slot: Slot,
        out: &mut Statement,
    ) -> Result<(), PlanError> {
        let comparison = Comparison::of(op, &operand.ty)?;
        let input = match comparison.input() {
            InputType::EnumRank(ty) => InputType::EnumRanks(ty),
            InputType::Scalar(ty) => InputType::Array(ty),
            other => other,
        };
        if (op, quantifier) == (Op::Eq, Quantifier::Any) {
            // The same meaning, and an index serves it.
            operand.render(alias, out);
            out.push(" IN (SELECT value FROM json_each(");
            self.bind_input(slot, input, out);
            out.push("))");
            return Ok(());
        }
        out.push(match quantifier {
            Quantifier::Any => {
                "(SELECT CASE WHEN max(x) THEN 1 WHEN count(*) > count(x) THEN NULL ELSE 0 END"
            }
            Quantifier::All => {
                "(SELECT CASE WHEN min(x) = 0 THEN 0 WHEN count(*) > count(x) THEN NULL ELSE 1 END"
            }
        });
        out.push(" FROM (SELECT ");
        comparison.left(alias, operand, out);
        out.push("member.value")
            .push(comparison.close)
            .push(" AS x FROM json_each(");
        self.bind_input(slot, input, out);
        out.push(") AS member))");
        Ok(())
    }
}

/// How an operator is written for a type: `open`, the operand, `middle`, the input, `close`.
struct Comparison {
    open: &'static str,
    middle: &'static str,
    close: &'static str,
    /// Compared by the place in the enum's declaration.
    ranked: bool,
    ty: Type,
}

impl Comparison {
    fn of(op: Op, ty: &Type) -> Result<Comparison, SqlError> {
        let infix = |middle: &'static str| Comparison {
            open: "",
            middle,
            close: "",
            ranked: false,
            ty: ty.clone(),
        };
        let function = |open: &'static str| Comparison {
            open,
            middle: ", ",
            close: ")",
            ranked: false,
            ty: ty.clone(),
        };
        let ordering = |symbol: &str, middle: &'static str| {
            equality(ty, symbol)?;
            match ty {
                Type::Array(item) if matches!(**item, Type::Json | Type::Enum(_)) => {
                    Err(SqlError::new(
                        "0A000",
                        format!(
                            "comparing {} by order is not supported by the embedded engine",
                            ty.name()
                        ),
                    ))
                }
                Type::Enum(_) => Ok(Comparison {
                    ranked: true,
                    ..infix(middle)
                }),
                _ => Ok(infix(middle)),
            }
        };
        let textual = |symbol: &str, open: &'static str| {
            if is_textual(ty) {
                Ok(Comparison {
                    ty: Type::Text,
                    ..function(open)
                })
            } else {
                Err(no_operator(ty, symbol))
            }
        };
        match op {
            Op::Eq => equality(ty, "=").map(|()| infix(" = ")),
            Op::Neq => equality(ty, "<>").map(|()| infix(" <> ")),
            Op::IsDistinct => equality(ty, "=").map(|()| infix(" IS NOT ")),
            Op::Gt => ordering(">", " > "),
            Op::Gte => ordering(">=", " >= "),
            Op::Lt => ordering("<", " < "),
            Op::Lte => ordering("<=", " <= "),
            Op::Like => textual("~~", "pg_like("),
            Op::Ilike => textual("~~*", "pg_ilike("),
            Op::Match => textual("~", "pg_regex("),
            Op::Imatch => textual("~*", "pg_iregex("),
            Op::Contains => match ty {
                Type::Jsonb => Ok(function("pg_jsonb_contains(")),
                Type::Array(_) => Ok(function("pg_array_contains(")),
                _ => Err(no_operator(ty, "@>")),
            },
            Op::ContainedIn => match ty {
                Type::Jsonb => Ok(function("pg_jsonb_contained(")),
                Type::Array(_) => Ok(function("pg_array_contained(")),
                _ => Err(no_operator(ty, "<@")),
            },
            Op::Overlaps => match ty {
                Type::Array(_) => Ok(function("pg_array_overlaps(")),
                _ => Err(no_operator(ty, "&&")),
            },
        }
    }

    /// Appends everything that stands before the input.
    fn left(&self, alias: &str, operand: &Operand<'_>, out: &mut Statement) {
        out.push(self.open);
        if self.ranked {
            push_rank(&operand.ty, out, |out| operand.render(alias, out));
        } else {
            operand.render(alias, out);
            if self.close.is_empty() {
                operand.collate(out);
            }
        }
        out.push(self.middle);
    }

    fn input(&self) -> InputType {
        if self.ranked {
            InputType::EnumRank(self.ty.clone())
        } else {
            InputType::Scalar(self.ty.clone())
        }
    }
}

/// json has no equality in Postgres; everything else has.
fn equality(ty: &Type, symbol: &str) -> Result<(), SqlError> {
    if *ty == Type::Json {
        Err(no_operator(ty, symbol))
    } else {
        Ok(())
    }
}

/// Postgres finds texts in JSON too; nothing else can be searched.
fn unsearchable(ty: &Type) -> SqlError {
    if matches!(ty, Type::Json | Type::Jsonb) {
        return SqlError::new(
            "0A000",
            format!(
                "text search in {} is not available on the embedded engine",
                ty.name()
            ),
        )
        .hint("Search in one of its texts: data->>key.");
    }
    SqlError::new("42883", format!("operator does not exist: {} @@ tsquery", ty.name()))
        .hint("No operator matches the given name and argument types. You might need to add explicit type casts.")
}

fn is_textual(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::Varchar(_) | Type::Char(_))
}

/// Appends what a value sorts by: an enum's label by its place in the declaration, anything else by itself.
pub(crate) fn push_rank(ty: &Type, out: &mut Statement, operand: impl FnOnce(&mut Statement)) {
    let Type::Enum(labels) = ty else {
        return operand(out);
    };
    out.push("CASE ");
    operand(out);
    for (rank, label) in labels.labels.iter().enumerate() {
        out.push(" WHEN ")
            .bind(Bind::Const(Value::text(label.as_str())))
            .push(&format!(" THEN {rank}"));
    }
    out.push(" END");
}
