//! The functions SQL writes with words of its own between the arguments, and subscripts.

use super::call::Syntax;
use super::{Lowering, Operand, call, fold, line};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast::{self, BinaryOperator as Op};

/// A literal of a type that is text or an integer.
fn text(value: impl Into<String>) -> Operand {
    Operand::Typed(Expr::Literal {
        value: Value::from(value.into()),
        ty: Type::Text,
    })
}

fn int(value: i64) -> Operand {
    Operand::Typed(Expr::Literal {
        value: Value::Int(value),
        ty: Type::Int4,
    })
}

impl Lowering<'_> {
    /// Everything `lower` does not know by itself.
    pub(super) fn form(&mut self, expr: &ast::Expr) -> Result<Operand> {
        use ast::Expr as E;
        let lowered = match expr {
            E::Like {
                negated,
                any,
                expr,
                pattern,
                escape_char,
            } => {
                let ops = (Op::PGLikeMatch, Op::PGNotLikeMatch);
                let escape = escape_char.as_deref();
                self.likeness("~~", ops, *negated, *any, (expr, pattern, escape))?
            }
            E::ILike {
                negated,
                any,
                expr,
                pattern,
                escape_char,
            } => {
                let ops = (Op::PGILikeMatch, Op::PGNotILikeMatch);
                let escape = escape_char.as_deref();
                self.likeness("~~*", ops, *negated, *any, (expr, pattern, escape))?
            }
            E::SimilarTo {
                negated,
                expr,
                pattern,
                escape_char,
            } => {
                let mut args = vec![expr.as_ref(), pattern.as_ref()];
                args.extend(escape_char.as_deref());
                negate(*negated, self.builtin_of(".similar", &args)?)
            }
            E::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => self.quantified(left, compare_op, right, false)?,
            E::AllOp {
                left,
                compare_op,
                right,
            } => self.quantified(left, compare_op, right, true)?,
            E::Extract { field, expr, .. } => {
                let field = field.to_string().trim_matches(['"', '\'']).to_lowercase();
                let operand = self.operand(expr)?;
                self.builtin(
                    "extract",
                    vec![Operand::Unknown(Some(field)), operand],
                    Syntax::Word,
                )?
            }
            E::Ceil {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => self.builtin_of("ceil", &[expr])?,
            E::Floor {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => self.builtin_of("floor", &[expr])?,
            E::Position { expr, r#in } => self.word("position", &[r#in, expr])?,
            E::Substring {
                expr,
                substring_from,
                substring_for,
                special,
                ..
            } => {
                let mut operands = vec![self.operand(expr)?];
                match (substring_from, substring_for) {
                    (None, Some(_)) => operands.push(int(1)),
                    (Some(from), _) => operands.push(self.operand(from)?),
                    (None, None) => {}
                }
                if let Some(count) = substring_for {
                    operands.push(self.operand(count)?);
                }
                let syntax = if *special {
                    Syntax::Function
                } else {
                    Syntax::Word
                };
                self.builtin("substring", operands, syntax)?
            }
            E::Overlay {
                expr,
                overlay_what,
                overlay_from,
                overlay_for,
            } => {
                let mut args = vec![expr.as_ref(), overlay_what.as_ref(), overlay_from.as_ref()];
                args.extend(overlay_for.as_deref());
                self.word("overlay", &args)?
            }
            E::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters,
            } => {
                let name = match trim_where {
                    Some(ast::TrimWhereField::Leading) => "ltrim",
                    Some(ast::TrimWhereField::Trailing) => "rtrim",
                    Some(ast::TrimWhereField::Both) | None => "btrim",
                };
                let mut args = vec![expr.as_ref()];
                args.extend(trim_what.as_deref());
                args.extend(trim_characters.iter().flatten());
                self.word(name, &args)?
            }
            E::AtTimeZone {
                timestamp,
                time_zone,
            } => self.word("timezone", &[time_zone, timestamp])?,
            E::Collate { expr, collation } => {
                let name = collation
                    .0
                    .last()
                    .and_then(|part| part.as_ident())
                    .map(fold);
                // Texts are in the order of their code points, which is what these collations are.
                if !name.is_some_and(|name| {
                    ["C", "POSIX", "ucs_basic", "default"].contains(&name.as_str())
                }) {
                    return Err(Trouble::unsupported(
                        format!("collate {collation}"),
                        "texts are in the order of their code points: write collate \"C\", or leave it out",
                    ));
                }
                return self.operand(expr);
            }
            E::Interval(interval) => interval_literal(interval)?,
            E::CompoundFieldAccess { root, access_chain } => {
                let mut operand = self.operand(root)?;
                for access in access_chain {
                    operand = Operand::Typed(self.subscript(operand, access)?);
                }
                return Ok(operand);
            }
            _ => {
                return Err(Trouble::unsupported(
                    expr.to_string(),
                    "write it with the operators and functions of the portable language, or keep it for Postgres",
                ));
            }
        };
        Ok(Operand::Typed(lowered))
    }

    fn word(&mut self, name: &str, args: &[&ast::Expr]) -> Result<Expr> {
        let operands = args
            .iter()
            .map(|arg| self.operand(arg))
            .collect::<Result<Vec<_>>>()?;
        self.builtin(name, operands, Syntax::Word)
    }

    /// `like` and `ilike`, of a pattern, of any and of all of an array's. `ops` are its operators, plain and negated.
    fn likeness(
        &mut self,
        operator: &str,
        ops: (Op, Op),
        negated: bool,
        any: bool,
        (expr, pattern, escape): (&ast::Expr, &ast::Expr, Option<&ast::Expr>),
    ) -> Result<Expr> {
        let op = if negated { ops.1 } else { ops.0 };
        match (any, all_of(pattern), escape) {
            (true, _, None) => self.quantified(expr, &op, pattern, false),
            (false, Some(all), None) => self.quantified(expr, &op, all, true),
            (false, _, escape) => self.like(operator, negated, expr, pattern, escape),
            (true, _, Some(_)) => Err(Trouble::unsupported(
                format!("{expr} {op} any ({pattern}) escape"),
                "leave out the escape, or compare with each pattern",
            )),
        }
    }

    fn like(
        &mut self,
        operator: &str,
        negated: bool,
        expr: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let operand = self.operand(expr)?;
        let pattern = match escape {
            None => self.operand(pattern)?,
            Some(escape) => Operand::Typed(self.builtin_of(".escape", &[pattern, escape])?),
        };
        let found = self.builtin(operator, vec![operand, pattern], Syntax::Operator)?;
        Ok(negate(negated, found))
    }

    /// `x op any (..)` and `x op all (..)`: a sub-select, a list in `array[..]`, or an array.
    fn quantified(
        &mut self,
        left: &ast::Expr,
        op: &Op,
        right: &ast::Expr,
        all: bool,
    ) -> Result<Expr> {
        let mut inner = right;
        while let ast::Expr::Nested(nested) = inner {
            inner = nested;
        }
        let sign = match op {
            Op::Eq => "=",
            Op::NotEq => "<>",
            Op::Lt => "<",
            Op::LtEq => "<=",
            Op::Gt => ">",
            Op::GtEq => ">=",
            Op::PGLikeMatch => "~~",
            Op::PGNotLikeMatch => "!~~",
            Op::PGILikeMatch => "~~*",
            Op::PGNotILikeMatch => "!~~*",
            Op::PGRegexMatch => "~",
            Op::PGRegexNotMatch => "!~",
            Op::PGRegexIMatch => "~*",
            Op::PGRegexNotIMatch => "!~*",
            other => {
                return Err(Trouble::unsupported(
                    format!("{other} any (..)"),
                    "use a comparison, like or a regular expression",
                ));
            }
        };
        match inner {
            ast::Expr::Subquery(query) if op == &Op::Eq && !all => {
                return self.in_query(left, query, false);
            }
            ast::Expr::Subquery(query) if op == &Op::NotEq && all => {
                return self.in_query(left, query, true);
            }
            ast::Expr::Subquery(_) => {
                return Err(Trouble::unsupported(
                    format!("{left} {op} .. (select ..)"),
                    "use exists (select .. where ..)",
                ));
            }
            _ => {}
        }
        let (needle, array) = (self.operand(left)?, self.operand(right)?);
        let pattern = sign.trim_start_matches('!').starts_with('~');
        let (needle, array) = self.with_members(needle, array, sign, pattern)?;
        // A list in `array[..]` is looked up as `in (..)` is, once its type was found to fit.
        if let ast::Expr::Array(written) = inner
            && !written.elem.is_empty()
            && matches!((op, all), (Op::Eq, false) | (Op::NotEq, true))
        {
            return Ok(negate(all, self.member(left, &written.elem)?));
        }
        if let (Op::Eq, false) | (Op::NotEq, true) = (op, all)
            && by_bytes(&needle.ty())
        {
            let found = call(Function::AnyOf, vec![needle, array], Type::Bool);
            return Ok(negate(all, found));
        }
        let name = if all { ".every" } else { ".some" };
        let args = vec![text(sign), Operand::Typed(needle), Operand::Typed(array)];
        self.builtin(name, args, Syntax::Function)
    }

    /// A value and an array of values of its type.
    fn with_members(
        &self,
        needle: Operand,
        array: Operand,
        op: &str,
        pattern: bool,
    ) -> Result<(Expr, Expr)> {
        let item = match &array {
            Operand::Typed(array) => match array.ty() {
                Type::Array(item) => Some(*item),
                _ => {
                    return Err(SqlError::new(
                        "42809",
                        "op ANY/ALL (array) requires array on right side",
                    )
                    .into());
                }
            },
            Operand::Unknown(_) => None,
        };
        let own = match &needle {
            Operand::Typed(expr) => Some(expr.ty()),
            Operand::Unknown(_) => None,
        };
        let target = match (own, item) {
            _ if pattern => Type::Text,
            (Some(ty), None) | (None, Some(ty)) => ty.base(),
            (None, None) => Type::Text,
            (Some(ty), Some(item)) => super::operator::meeting(&ty, &item)
                .ok_or_else(|| super::operator::missing(op, &ty, &item))?,
        };
        if target == Type::Json {
            return Err(super::operator::missing(op, &target, &target));
        }
        let needle = self.coerce(needle, &target)?;
        let array = self.coerce(array, &Type::Array(Box::new(target)))?;
        Ok((needle, array))
    }

    fn subscript(&mut self, operand: Operand, access: &ast::AccessExpr) -> Result<Expr> {
        let ast::AccessExpr::Subscript(subscript) = access else {
            return Err(Trouble::unsupported(
                format!(".{access}"),
                "composite values are not available: use columns, or jsonb with ->",
            ));
        };
        let value = self.settle(operand)?;
        let ty = value.ty();
        match (&ty, subscript) {
            (Type::Jsonb, ast::Subscript::Index { index }) => {
                let index = self.operand(index)?;
                self.builtin("->", vec![Operand::Typed(value), index], Syntax::Operator)
            }
            (Type::Array(_), ast::Subscript::Index { index }) => {
                let index = self.operand(index)?;
                self.builtin(
                    ".subscript",
                    vec![Operand::Typed(value), index],
                    Syntax::Function,
                )
            }
            (
                Type::Array(_),
                ast::Subscript::Slice {
                    lower_bound,
                    upper_bound,
                    stride: None,
                },
            ) => {
                let low = match lower_bound {
                    Some(low) => self.operand(low)?,
                    None => int(1),
                };
                let high = match upper_bound {
                    Some(high) => self.operand(high)?,
                    None => int(i64::from(i32::MAX)),
                };
                self.builtin(
                    ".slice",
                    vec![Operand::Typed(value), low, high],
                    Syntax::Function,
                )
            }
            _ => Err(SqlError::new(
                "42804",
                format!(
                    "cannot subscript type {} because it does not support subscripting",
                    ty.name()
                ),
            )
            .into()),
        }
    }

    /// `in (..)`, a list of values.
    pub(super) fn member(&mut self, expr: &ast::Expr, list: &[ast::Expr]) -> Result<Expr> {
        let mut operands = vec![self.operand(expr)?];
        for item in list {
            operands.push(self.operand(item)?);
        }
        let types: Vec<Type> = operands
            .iter()
            .filter_map(|operand| match operand {
                Operand::Typed(expr) => Some(expr.ty()),
                Operand::Unknown(_) => None,
            })
            .collect();
        let mut target = types.first().cloned().unwrap_or(Type::Text);
        for ty in &types {
            target = super::operator::meeting(&target, ty)
                .ok_or_else(|| super::operator::missing("=", &types[0], ty).at(line(expr)))?;
        }
        if target == Type::Json {
            return Err(super::operator::missing("=", &target, &target));
        }
        let args = operands
            .into_iter()
            .map(|operand| self.coerce(operand, &target))
            .collect::<Result<Vec<_>>>()?;
        Ok(call(Function::In, args, Type::Bool))
    }

    /// `array[..]`
    pub(super) fn array(&mut self, items: &[ast::Expr]) -> Result<Operand> {
        let mut operands = Vec::with_capacity(items.len());
        for item in items {
            operands.push(self.operand(item)?);
        }
        let nested = |operand: &Operand| matches!(operand, Operand::Typed(expr) if matches!(expr.ty(), Type::Array(_)));
        if operands.iter().any(nested) {
            return Err(Trouble::unsupported(
                "an array of arrays",
                "arrays of more than one dimension are not stored on the embedded engine: use jsonb",
            ));
        }
        let item = self.common_type_in("ARRAY", &operands)?;
        let args = operands
            .into_iter()
            .map(|operand| self.coerce(operand, &item))
            .collect::<Result<Vec<_>>>()?;
        let values: Option<Vec<Value>> = args
            .iter()
            .map(|arg| match arg {
                Expr::Literal { value, .. } => Some(value.clone()),
                _ => None,
            })
            .collect();
        let ty = Type::Array(Box::new(item.clone()));
        Ok(Operand::Typed(match values {
            Some(values) => Expr::Literal {
                value: crate::types::store(&item, &values),
                ty,
            },
            None => {
                let args = args.into_iter().map(Operand::Typed).collect();
                self.builtin(".array", args, Syntax::Function)?
            }
        }))
    }
}

/// What stands in `like all (..)`, which the parser takes for a function.
fn all_of(pattern: &ast::Expr) -> Option<&ast::Expr> {
    let ast::Expr::Function(function) = pattern else {
        return None;
    };
    let named = function.name.to_string().eq_ignore_ascii_case("all");
    match &function.args {
        ast::FunctionArguments::List(list) if named => match &list.args[..] {
            [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(inner))] => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

fn negate(negated: bool, expr: Expr) -> Expr {
    if negated {
        call(Function::Not, vec![expr], Type::Bool)
    } else {
        expr
    }
}

/// Whether equality is that of the stored forms, also as members of an array.
fn by_bytes(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Int2
            | Type::Int4
            | Type::Int8
            | Type::Bool
            | Type::Text
            | Type::Varchar(_)
            | Type::Uuid
            | Type::Date
            | Type::Time
            | Type::Timestamp
            | Type::Timestamptz
            | Type::Enum(_)
    )
}

/// `interval '1 day'`, `interval '3' hour`
fn interval_literal(interval: &ast::Interval) -> Result<Expr> {
    let refused = || {
        Trouble::unsupported(
            interval.to_string(),
            "write it as interval '1 day 02:30:00', without fields or precision behind",
        )
    };
    let plain = interval.last_field.is_none()
        && interval.leading_precision.is_none()
        && interval.fractional_seconds_precision.is_none();
    let ast::Expr::Value(value) = interval.value.as_ref() else {
        return Err(refused());
    };
    let mut text = value
        .value
        .clone()
        .into_string()
        .filter(|_| plain)
        .ok_or_else(refused)?;
    if let Some(field) = &interval.leading_field {
        // The field says what a bare number counts.
        let bare = text.trim().parse::<f64>().is_ok();
        if !bare {
            return Err(refused());
        }
        text = format!("{text} {}", field.to_string().to_lowercase());
    }
    Ok(Expr::Literal {
        value: Type::Interval.read_text(&text)?,
        ty: Type::Interval,
    })
}
