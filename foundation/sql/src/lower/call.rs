//! Function calls, casts, `case` and the parts of an interval.

use super::{Lowering, Operand, call, number, object, same, textual};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast;

impl Lowering<'_> {
    pub(super) fn function(&mut self, function: &ast::Function) -> Result<Operand> {
        let unsupported = || {
            Trouble::unsupported(
                function.to_string(),
                "use auth.uid(), auth.role(), auth.email(), auth.jwt(), now(), gen_random_uuid(), coalesce, nullif, greatest, least, lower, upper, length, trim, replace, abs, json and array functions; write the rest with operators",
            )
        };
        let plain = function.over.is_none()
            && function.filter.is_none()
            && function.within_group.is_empty()
            && matches!(function.parameters, ast::FunctionArguments::None);
        let (schema, name) = object(&function.name).ok_or_else(unsupported)?;
        let mut args: Vec<&ast::Expr> = Vec::new();
        let mut star = false;
        match &function.args {
            ast::FunctionArguments::None => {}
            ast::FunctionArguments::List(list)
                if list.duplicate_treatment.is_none() && list.clauses.is_empty() =>
            {
                for arg in &list.args {
                    match arg {
                        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => {
                            args.push(expr)
                        }
                        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard) => star = true,
                        _ => return Err(unsupported()),
                    }
                }
            }
            _ => return Err(unsupported()),
        }
        if !plain {
            return Err(unsupported());
        }
        let schema = schema
            .as_deref()
            .filter(|schema| !matches!(*schema, "pg_catalog" | "extensions"));
        let nullary = |function, ty| Ok(Operand::Typed(call(function, Vec::new(), ty)));
        let typed = |expr| Ok(Operand::Typed(expr));
        if schema.is_none()
            && let Some(expr) = self.sequence_function(&name, &args)?
        {
            return typed(expr);
        }
        match (schema, name.as_str(), args.len()) {
            (Some("auth"), "uid", 0) => nullary(Function::AuthUid, Type::Uuid),
            (Some("auth"), "role", 0) => nullary(Function::AuthRole, Type::Text),
            (Some("auth"), "email", 0) => nullary(Function::AuthEmail, Type::Text),
            (Some("auth"), "jwt", 0) => nullary(Function::AuthJwt, Type::Jsonb),
            (Some(_), ..) => Err(unsupported()),
            (
                None,
                "now"
                | "current_timestamp"
                | "transaction_timestamp"
                | "statement_timestamp"
                | "clock_timestamp",
                0,
            ) => nullary(Function::Now, Type::Timestamptz),
            (None, "current_date", 0) => nullary(Function::CurrentDate, Type::Date),
            (None, "localtimestamp", 0) => {
                let now = call(Function::Now, Vec::new(), Type::Timestamptz);
                typed(Expr::Cast {
                    expr: Box::new(now),
                    ty: Type::Timestamp,
                })
            }
            (None, "gen_random_uuid" | "uuid_generate_v4", 0) => {
                nullary(Function::RandomUuid, Type::Uuid)
            }
            (None, "lower", 1) => typed(self.texts(Function::Lower, &args, Type::Text)?),
            (None, "upper", 1) => typed(self.texts(Function::Upper, &args, Type::Text)?),
            (None, "length" | "char_length" | "character_length", 1) => {
                typed(self.texts(Function::Length, &args, Type::Int4)?)
            }
            (None, "trim" | "btrim", 1) => typed(self.texts(Function::Trim, &args, Type::Text)?),
            (None, "replace", 3) => typed(self.texts(Function::Replace, &args, Type::Text)?),
            (None, "strpos", 2) => {
                typed(self.texts(Function::Position, &[args[1], args[0]], Type::Int4)?)
            }
            (None, "starts_with", 2) => {
                typed(self.texts(Function::StartsWith, &args, Type::Bool)?)
            }
            (None, "split_part", 3) => {
                let mut parts = vec![self.value(args[0])?, self.value(args[1])?];
                let field = self.operand(args[2])?;
                parts.push(self.coerce(field, &Type::Int4)?);
                if !parts[..2].iter().all(|part| textual(&part.ty())) {
                    return Err(unsupported());
                }
                typed(call(Function::SplitPart, parts, Type::Text))
            }
            (None, "abs", 1) => {
                let value = self.value(args[0])?;
                let ty = value.ty();
                if !number(&ty) || matches!(ty, Type::Numeric(_)) {
                    return Err(unsupported());
                }
                typed(call(Function::Abs, vec![value], ty))
            }
            (None, "coalesce", 1..) => typed(self.common(Function::Coalesce, &args)?),
            // Each further argument triples the text that picks one.
            (None, "greatest" | "least", 1..=6) => {
                let function = if name == "greatest" {
                    Function::Greatest
                } else {
                    Function::Least
                };
                let picked = self.common(function, &args)?;
                if !sorts(&picked.ty()) {
                    return Err(unsupported());
                }
                typed(picked)
            }
            (None, "nullif", 2) => typed(self.common(Function::NullIf, &args)?),
            (None, "jsonb_typeof" | "json_typeof", 1) => {
                typed(self.on_json(Function::JsonTypeof, args[0], Type::Text)?)
            }
            (None, "jsonb_array_length" | "json_array_length", 1) => {
                typed(self.on_json(Function::JsonArrayLength, args[0], Type::Int4)?)
            }
            (None, "cardinality", 1) => typed(self.on_array(Function::Cardinality, args[0])?),
            (None, "array_length", 2) if args[1].to_string() == "1" => {
                typed(self.on_array(Function::ArrayLength, args[0])?)
            }
            (None, "timezone", 2) => typed(self.at_utc(args[0], args[1])?),
            (None, "count" | "max" | "min", _) if !self.aggregates => Err(Trouble::invalid(
                function.to_string(),
                "aggregate functions are not allowed here",
                "put it into what a sub-select selects: (select count(*) from ..)",
            )),
            (None, "count", 0) if star => nullary(Function::Count, Type::Int8),
            (None, "count", 1) => {
                let value = self.within_aggregate(args[0])?;
                typed(call(Function::Count, vec![value], Type::Int8))
            }
            (None, "max" | "min", 1) => {
                let value = self.within_aggregate(args[0])?;
                let ty = value.ty();
                if !sorts(&ty) {
                    return Err(unsupported());
                }
                let function = if name == "max" {
                    Function::Max
                } else {
                    Function::Min
                };
                typed(call(function, vec![value], ty))
            }
            _ => Err(unsupported()),
        }
    }

    /// An argument of an aggregate, which takes no aggregate itself.
    fn within_aggregate(&mut self, arg: &ast::Expr) -> Result<Expr> {
        self.aggregates = false;
        let value = self.value(arg);
        self.aggregates = true;
        value
    }

    /// `at time zone 'utc'`: the one zone everything here is kept in.
    pub(super) fn at_utc(&mut self, zone: &ast::Expr, moment: &ast::Expr) -> Result<Expr> {
        let utc = match self.operand(zone)? {
            Operand::Unknown(Some(zone)) => zone.eq_ignore_ascii_case("utc"),
            Operand::Typed(Expr::Literal {
                value: Value::Text(zone),
                ..
            }) => zone.eq_ignore_ascii_case("utc"),
            _ => false,
        };
        if !utc {
            return Err(Trouble::unsupported(
                format!("time zone {zone}"),
                "use 'utc', and turn it into local time in the app",
            ));
        }
        let moment = self.value(moment)?;
        let ty = match moment.ty() {
            Type::Timestamptz => Type::Timestamp,
            Type::Timestamp => Type::Timestamptz,
            other => {
                return Err(SqlError::new(
                    "42883",
                    format!(
                        "function timezone(unknown, {}) does not exist",
                        other.name()
                    ),
                )
                .hint("cast it to timestamptz")
                .into());
            }
        };
        Ok(Expr::Cast {
            expr: Box::new(moment),
            ty,
        })
    }

    fn on_json(&mut self, function: Function, arg: &ast::Expr, ty: Type) -> Result<Expr> {
        let json = self.value(arg)?;
        match json.ty() {
            Type::Json | Type::Jsonb => Ok(call(function, vec![json], ty)),
            other => Err(super::mismatch(&other, &Type::Jsonb)),
        }
    }

    fn on_array(&mut self, function: Function, arg: &ast::Expr) -> Result<Expr> {
        let array = self.value(arg)?;
        match array.ty() {
            Type::Array(_) => Ok(call(function, vec![array], Type::Int4)),
            other => Err(SqlError::new(
                "42883",
                format!("an array is wanted, not {}", other.name()),
            )
            .into()),
        }
    }

    /// Arguments of one common type.
    fn common(&mut self, function: Function, args: &[&ast::Expr]) -> Result<Expr> {
        let mut operands = Vec::with_capacity(args.len());
        for arg in args {
            operands.push(self.operand(arg)?);
        }
        let ty = self.common_type(&operands)?;
        let args = operands
            .into_iter()
            .map(|operand| self.coerce(operand, &ty))
            .collect::<Result<Vec<_>>>()?;
        Ok(call(function, args, ty))
    }

    fn common_type(&self, operands: &[Operand]) -> Result<Type> {
        let mut common: Option<Type> = None;
        for operand in operands {
            let Operand::Typed(expr) = operand else {
                continue;
            };
            let ty = expr.ty();
            common = Some(match common {
                None => ty,
                Some(known) if same(&known, &ty) && super::rank(&known) >= super::rank(&ty) => {
                    known
                }
                Some(known) if same(&known, &ty) => ty,
                Some(known) if super::implicit(&ty, &known) => known,
                Some(known) if super::implicit(&known, &ty) => ty,
                Some(known) => {
                    return Err(SqlError::new(
                        "42804",
                        format!("types {} and {} cannot be matched", known.name(), ty.name()),
                    )
                    .hint("cast one of them with ::")
                    .into());
                }
            });
        }
        Ok(common.unwrap_or(Type::Text))
    }

    pub(super) fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let mut tests = Vec::with_capacity(conditions.len());
        let mut results = Vec::with_capacity(conditions.len() + 1);
        for when in conditions {
            tests.push(match operand {
                Some(operand) => self.compare(Function::Eq, "=", operand, &when.condition)?,
                None => self.condition(&when.condition)?,
            });
            results.push(self.operand(&when.result)?);
        }
        let has_otherwise = otherwise.is_some();
        if let Some(otherwise) = otherwise {
            results.push(self.operand(otherwise)?);
        }
        let ty = self.common_type(&results)?;
        let mut results = results
            .into_iter()
            .map(|result| self.coerce(result, &ty))
            .collect::<Result<Vec<_>>>()?;
        let otherwise = if has_otherwise {
            results.pop().map(Box::new)
        } else {
            None
        };
        Ok(Expr::Case {
            branches: tests.into_iter().zip(results).collect(),
            otherwise,
            ty,
        })
    }

    pub(super) fn cast(&self, operand: Operand, ty: &Type) -> Result<Expr> {
        match operand {
            Operand::Unknown(Some(text)) => {
                let text = if let Type::Varchar(Some(limit)) = ty {
                    text.chars().take(*limit as usize).collect()
                } else {
                    text
                };
                Ok(Expr::Literal {
                    value: ty.read_text(&text)?,
                    ty: ty.clone(),
                })
            }
            Operand::Unknown(None) => Ok(Expr::Literal {
                value: Value::Null,
                ty: ty.clone(),
            }),
            Operand::Typed(expr) => {
                let from = expr.ty();
                if from == *ty {
                    return Ok(expr);
                }
                if !castable(&from, ty) {
                    return Err(SqlError::new(
                        "42846",
                        format!("cannot cast type {} to {}", from.name(), ty.name()),
                    )
                    .hint("cast through text")
                    .into());
                }
                Ok(Expr::Cast {
                    expr: Box::new(expr),
                    ty: ty.clone(),
                })
            }
        }
    }
}

/// Whether SQLite orders the stored form of a type as Postgres orders its values.
fn sorts(ty: &Type) -> bool {
    number(ty)
        || matches!(
            ty,
            Type::Text
                | Type::Varchar(_)
                | Type::Date
                | Type::Time
                | Type::Timestamp
                | Type::Timestamptz
                | Type::Uuid
                | Type::Bool
        )
}

/// Whether an explicit cast exists on the embedded engine; [`crate::render`] knows how each is made.
pub(crate) fn castable(from: &Type, to: &Type) -> bool {
    use Type as T;
    match (from, to) {
        _ if same(from, to) => true,
        // Filling up with blanks is done where a literal is read, and nowhere else.
        (_, T::Char(_)) => false,
        (_, T::Interval) | (T::Interval, _) => false,
        (from, to) if textual(to) => !matches!(from, T::Bytea),
        (from, to) if textual(from) => {
            !matches!(to, T::Bytea | T::Array(_))
                || matches!(to, T::Array(item) if **item == T::Text)
        }
        (from, to) if number(from) && number(to) => true,
        (T::Bool, T::Int4) | (T::Int4, T::Bool) => true,
        (T::Timestamptz | T::Timestamp | T::Date, T::Timestamptz | T::Timestamp | T::Date) => true,
        (T::Json, T::Jsonb) | (T::Jsonb, T::Json) => true,
        (T::Jsonb, T::Bool) => true,
        (T::Jsonb, to) => number(to),
        _ => false,
    }
}

/// Months, days and microseconds of an interval literal: `interval '1 day 02:00'`, `interval '3' hour`.
pub(super) fn interval(interval: &ast::Interval) -> Result<[i64; 3]> {
    let refused = || {
        Trouble::unsupported(
            interval.to_string(),
            "write it as interval '1 day', '2 hours 30 minutes', '01:30:00'",
        )
    };
    let ast::Expr::Value(value) = interval.value.as_ref() else {
        return Err(refused());
    };
    let mut text = value.value.clone().into_string().ok_or_else(refused)?;
    if let Some(field) = &interval.leading_field {
        text.push(' ');
        text.push_str(&field.to_string().to_lowercase());
    }
    let mut parts = [0_i64; 3];
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if let Some((hours, rest)) = word.split_once(':') {
            let negative = hours.starts_with('-');
            let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
            let hours: i64 = hours
                .trim_start_matches(['-', '+'])
                .parse()
                .map_err(|_| refused())?;
            let minutes: i64 = minutes.parse().map_err(|_| refused())?;
            let seconds: i64 = seconds.parse().map_err(|_| refused())?;
            let micros = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000;
            parts[2] += if negative { -micros } else { micros };
            continue;
        }
        let unit_at = word.find(|c: char| c.is_ascii_alphabetic());
        let (count, unit) = match unit_at {
            Some(at) if at > 0 => (&word[..at], &word[at..]),
            _ => (word, words.next().ok_or_else(refused)?),
        };
        let count: i64 = count.parse().map_err(|_| refused())?;
        let (part, each) = match unit.trim_end_matches('s') {
            "year" | "yr" | "y" => (0, 12),
            "month" | "mon" => (0, 1),
            "week" | "w" => (1, 7),
            "day" | "d" => (1, 1),
            "hour" | "hr" | "h" => (2, 3_600_000_000),
            "minute" | "min" | "m" => (2, 60_000_000),
            "second" | "sec" | "" => (2, 1_000_000),
            "millisecond" | "msec" => (2, 1_000),
            "microsecond" | "usec" => (2, 1),
            _ => return Err(refused()),
        };
        parts[part] += count.checked_mul(each).ok_or_else(refused)?;
    }
    Ok(parts)
}
