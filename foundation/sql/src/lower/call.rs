//! Function calls, casts, `case` and the parts of an interval.

use super::{Lowering, Operand, call, number, object, same, textual};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::functions::resolve::{Fault, resolve};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast;

/// How a built-in function is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Function,
    Operator,
}

/// `function lower(integer) does not exist`, `operator is not unique: unknown + unknown`
fn nothing_fits(name: &str, types: &[Option<Type>], syntax: Syntax, fault: Fault) -> Trouble {
    let shown: Vec<String> = types
        .iter()
        .map(|ty| {
            ty.as_ref()
                .map_or_else(|| "unknown".to_owned(), Type::base_name)
        })
        .collect();
    let called = match (syntax, &shown[..]) {
        (Syntax::Operator, [operand]) => format!("{name} {operand}"),
        (Syntax::Operator, [left, right]) => format!("{left} {name} {right}"),
        _ => format!("{name}({})", shown.join(", ")),
    };
    let (kind, state) = match (syntax, fault) {
        (Syntax::Function, Fault::Missing) => {
            (format!("function {called} does not exist"), "42883")
        }
        (Syntax::Function, Fault::Ambiguous) => {
            (format!("function {called} is not unique"), "42725")
        }
        (Syntax::Operator, Fault::Missing) => {
            (format!("operator does not exist: {called}"), "42883")
        }
        (Syntax::Operator, Fault::Ambiguous) => {
            (format!("operator is not unique: {called}"), "42725")
        }
    };
    let what = if syntax == Syntax::Function {
        "function"
    } else {
        "operator"
    };
    let hint = match fault {
        Fault::Missing => format!(
            "No {what} matches the given name and argument types. You might need to add explicit type casts."
        ),
        Fault::Ambiguous => format!(
            "Could not choose a best candidate {what}. You might need to add explicit type casts."
        ),
    };
    SqlError::new(state, kind).hint(hint).into()
}

impl Lowering<'_> {
    pub(super) fn function(&mut self, function: &ast::Function) -> Result<Operand> {
        if let Some(applied) = self.apply(function)? {
            return Ok(applied);
        }
        if let Some(aggregate) = self.aggregate(function)? {
            return Ok(aggregate);
        }
        let unsupported = || {
            Trouble::unsupported(
                function.to_string(),
                "write it with the functions of the portable language, or keep it for Postgres",
            )
        };
        let plain = function.over.is_none()
            && function.filter.is_none()
            && function.within_group.is_empty()
            && matches!(function.parameters, ast::FunctionArguments::None);
        let (schema, name) = object(&function.name).ok_or_else(unsupported)?;
        let mut args: Vec<&ast::Expr> = Vec::new();
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
            (None, "timezone", 2) => typed(self.at_utc(args[0], args[1])?),
            _ => typed(self.builtin_of(&name, &args)?),
        }
    }

    /// A call of a built-in function, of the overload that its arguments choose.
    pub(super) fn builtin_of(&mut self, name: &str, args: &[&ast::Expr]) -> Result<Expr> {
        let operands = args
            .iter()
            .map(|arg| self.operand(arg))
            .collect::<Result<Vec<_>>>()?;
        self.builtin(name, operands, Syntax::Function)
    }

    /// As [`builtin_of`](Self::builtin_of), of what is lowered already; operators too.
    pub(super) fn builtin(
        &self,
        name: &str,
        operands: Vec<Operand>,
        syntax: Syntax,
    ) -> Result<Expr> {
        let types: Vec<Option<Type>> = operands
            .iter()
            .map(|operand| match operand {
                Operand::Typed(expr) => Some(expr.ty()),
                Operand::Unknown(_) => None,
            })
            .collect();
        let resolved = resolve(name, &types, syntax == Syntax::Operator)
            .map_err(|fault| nothing_fits(name, &types, syntax, fault))?;
        let args = operands
            .into_iter()
            .zip(resolved.args)
            .map(|(operand, ty)| match ty {
                Some(ty) => self.coerce(operand, &ty),
                None => self.settle(operand),
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(call(
            Function::Builtin(resolved.function),
            args,
            resolved.result,
        ))
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

    pub(super) fn common_type(&self, operands: &[Operand]) -> Result<Type> {
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
