//! `raise exception`: the message, and the names Postgres has for SQLSTATEs.

use super::Raise;
use crate::expr::{Expr, Function};
use crate::functions::registry::builtin;
use crate::lower::{Lowering, call, line};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;

/// The conditions that functions raise; others are written by their state.
const CONDITIONS: &[(&str, &str)] = &[
    ("raise_exception", "P0001"),
    ("no_data_found", "P0002"),
    ("too_many_rows", "P0003"),
    ("assert_failure", "P0004"),
    ("feature_not_supported", "0A000"),
    ("case_not_found", "20000"),
    ("cardinality_violation", "21000"),
    ("data_exception", "22000"),
    ("string_data_right_truncation", "22001"),
    ("null_value_not_allowed", "22004"),
    ("numeric_value_out_of_range", "22003"),
    ("division_by_zero", "22012"),
    ("invalid_parameter_value", "22023"),
    ("invalid_text_representation", "22P02"),
    ("integrity_constraint_violation", "23000"),
    ("restrict_violation", "23001"),
    ("not_null_violation", "23502"),
    ("foreign_key_violation", "23503"),
    ("unique_violation", "23505"),
    ("check_violation", "23514"),
    ("exclusion_violation", "23P01"),
    ("triggered_data_change_violation", "27000"),
    ("invalid_authorization_specification", "28000"),
    ("insufficient_privilege", "42501"),
    ("undefined_column", "42703"),
    ("undefined_function", "42883"),
    ("undefined_table", "42P01"),
    ("object_not_in_prerequisite_state", "55000"),
    ("object_in_use", "55006"),
    ("lock_not_available", "55P03"),
    ("query_canceled", "57014"),
    ("internal_error", "XX000"),
];

fn state_of(text: &str) -> Option<String> {
    let is_state = text.len() == 5
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if is_state {
        return Some(text.to_owned());
    }
    let named = CONDITIONS.iter().find(|(name, _)| *name == text);
    named.map(|(_, state)| (*state).to_owned())
}

/// Whether a text is a SQLSTATE or the name of one.
pub(super) fn is_condition(text: &str) -> bool {
    state_of(text).is_some()
}

/// An expression that raises the error.
pub(super) fn raised(lowering: &mut Lowering<'_>, raise: &Raise) -> Result<Expr> {
    let state = raise
        .state
        .as_deref()
        .and_then(state_of)
        .unwrap_or_else(|| "P0001".to_owned());
    let message = match (&raise.message, &raise.format) {
        (Some(message), _) => text(lowering, message)?,
        (None, Some(format)) => formatted(lowering, format, &raise.arguments)?,
        (None, None) => literal(raise.state.as_deref().unwrap_or(&state)),
    };
    let mut args = vec![literal(&state), message];
    for option in [&raise.detail, &raise.hint] {
        args.push(match option {
            Some(option) => text(lowering, option)?,
            None => Expr::Literal {
                value: Value::Null,
                ty: Type::Text,
            },
        });
    }
    raising(args)
}

/// An expression that raises an error with a state and a message.
pub(super) fn failing(state: &str, message: &str) -> Result<Expr> {
    let null = || Expr::Literal {
        value: Value::Null,
        ty: Type::Text,
    };
    raising(vec![literal(state), literal(message), null(), null()])
}

fn raising(args: Vec<Expr>) -> Result<Expr> {
    let function = builtin(".pg_raise(any, any, any, any)")
        .ok_or_else(|| Trouble::sql("XX000", "there is no pg_raise"))?;
    Ok(call(Function::Builtin(function), args, Type::Bool))
}

fn literal(text: &str) -> Expr {
    Expr::Literal {
        value: Value::text(text),
        ty: Type::Text,
    }
}

fn text(lowering: &mut Lowering<'_>, expr: &sqlparser::ast::Expr) -> Result<Expr> {
    lowering.assigned(expr, &Type::Text)
}

/// A value as its type prints it.
fn shown(value: Expr) -> Result<Expr> {
    let printed = match value.ty() {
        Type::Text | Type::Varchar(_) => value.clone(),
        _ => {
            let concat = builtin("concat(variadic any)")
                .ok_or_else(|| Trouble::sql("XX000", "there is no concat"))?;
            call(Function::Builtin(concat), vec![value.clone()], Type::Text)
        }
    };
    Ok(Expr::Case {
        branches: vec![(
            call(Function::IsNull, vec![value], Type::Bool),
            literal("<NULL>"),
        )],
        otherwise: Some(Box::new(printed)),
        ty: Type::Text,
    })
}

/// Each `%` is the next argument; `%%` is a percent sign.
fn formatted(
    lowering: &mut Lowering<'_>,
    format: &str,
    arguments: &[sqlparser::ast::Expr],
) -> Result<Expr> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut arguments = arguments.iter();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            plain.push(letter);
        } else if letters.peek() == Some(&'%') {
            letters.next();
            plain.push('%');
        } else {
            let argument = arguments.next().ok_or_else(|| {
                Trouble::invalid(
                    format,
                    "too few parameters specified for RAISE",
                    "give a value for each %",
                )
            })?;
            if !plain.is_empty() {
                parts.push(literal(&std::mem::take(&mut plain)));
            }
            let value = lowering
                .value(argument)
                .map_err(|trouble| trouble.at(line(argument)))?;
            parts.push(shown(value)?);
        }
    }
    if arguments.next().is_some() {
        return Err(Trouble::invalid(
            format,
            "too many parameters specified for RAISE",
            "write a % for each value",
        ));
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(literal(&plain));
    }
    let join = builtin("||(text, text)").ok_or_else(|| Trouble::sql("XX000", "there is no ||"))?;
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_else(|| literal(""));
    Ok(parts.fold(first, |left, right| {
        call(Function::Builtin(join), vec![left, right], Type::Text)
    }))
}
