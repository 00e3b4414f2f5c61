//! Operators: which of Postgres' operators is meant follows from the types of the operands.

use super::call::Syntax;
use super::{Lowering, Operand, call, line, rank, textual};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::types::conversion::When;
use sqlparser::ast::{self, BinaryOperator as Op};

impl Lowering<'_> {
    pub(super) fn binary(
        &mut self,
        left: &ast::Expr,
        op: &Op,
        right: &ast::Expr,
    ) -> Result<Operand> {
        let expr = match op {
            Op::And | Op::Or => {
                let function = if *op == Op::And {
                    Function::And
                } else {
                    Function::Or
                };
                let word = if *op == Op::And { "AND" } else { "OR" };
                call(
                    function,
                    vec![self.logical(left, word)?, self.logical(right, word)?],
                    Type::Bool,
                )
            }
            Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
                // Comparisons do not chain in Postgres; the parser would take it.
                for side in [left, right] {
                    if let ast::Expr::BinaryOp {
                        op: Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq,
                        ..
                    } = side
                    {
                        return Err(Trouble::invalid(
                            format!("{left} {op} {right}"),
                            "comparisons do not chain",
                            "put parentheses around one of them",
                        ));
                    }
                }
                let function = match op {
                    Op::Eq => Function::Eq,
                    Op::NotEq => Function::Ne,
                    Op::Lt => Function::Lt,
                    Op::LtEq => Function::Le,
                    Op::Gt => Function::Gt,
                    _ => Function::Ge,
                };
                let sign = if *op == Op::NotEq {
                    "<>".to_owned()
                } else {
                    op.to_string()
                };
                self.compare(function, &sign, left, right)?
            }
            Op::AtAt => self.search(left, right)?,
            op => {
                let (name, negated) = symbol(op)?;
                let operands = vec![self.operand(left)?, self.operand(right)?];
                let found = self.builtin(name, operands, Syntax::Operator)?;
                if negated {
                    call(Function::Not, vec![found], Type::Bool)
                } else {
                    found
                }
            }
        };
        Ok(Operand::Typed(expr))
    }

    pub(super) fn unary(&mut self, op: ast::UnaryOperator, expr: &ast::Expr) -> Result<Operand> {
        use ast::UnaryOperator as U;
        let name = match op {
            U::Not => {
                return Ok(Operand::Typed(call(
                    Function::Not,
                    vec![self.logical(expr, "NOT")?],
                    Type::Bool,
                )));
            }
            U::Plus => "+",
            U::Minus => {
                // A literal's sign belongs to it, so that the least integer can be written.
                if let ast::Expr::Value(value) = expr
                    && let ast::Value::Number(text, _) = &value.value
                {
                    return super::literal(&ast::Value::Number(format!("-{text}"), false));
                }
                "-"
            }
            U::BitwiseNot => "~",
            U::PGAbs => "@",
            U::PGSquareRoot => "|/",
            U::PGCubeRoot => "||/",
            _ => {
                return Err(Trouble::unsupported(
                    format!("operator {op}"),
                    "write it with the operators of the portable language",
                ));
            }
        };
        if let ast::Expr::BinaryOp {
            op: Op::PGExp | Op::BitwiseXor,
            ..
        } = expr
        {
            // Postgres binds the sign tighter, the parser the power.
            return Err(Trouble::unsupported(
                format!("{op} {expr}"),
                "put parentheses around the power, or around the number with its sign",
            ));
        }
        let operand = self.operand(expr)?;
        Ok(Operand::Typed(self.builtin(
            name,
            vec![operand],
            Syntax::Operator,
        )?))
    }

    fn logical(&mut self, expr: &ast::Expr, word: &str) -> Result<Expr> {
        match self.operand(expr)? {
            Operand::Typed(lowered) if lowered.ty() != Type::Bool => {
                let trouble: Trouble = SqlError::new(
                    "42804",
                    format!(
                        "argument of {word} must be type boolean, not type {}",
                        lowered.ty().base_name()
                    ),
                )
                .hint("compare it with something")
                .into();
                Err(trouble.at(line(expr)))
            }
            operand => self
                .coerce(operand, &Type::Bool)
                .map_err(|trouble| trouble.at(line(expr))),
        }
    }

    /// Two operands brought to one type, as the comparison operators want them.
    pub(super) fn unify(
        &self,
        left: Operand,
        right: Operand,
        op: impl std::fmt::Display,
    ) -> Result<(Expr, Expr)> {
        match (left, right) {
            (Operand::Typed(left), Operand::Typed(right)) => {
                let (a, b) = (left.ty(), right.ty());
                let target = meeting(&a, &b).ok_or_else(|| missing(op, &a, &b))?;
                Ok((
                    self.coerce(Operand::Typed(left), &target)?,
                    self.coerce(Operand::Typed(right), &target)?,
                ))
            }
            (Operand::Typed(left), unknown) => {
                let ty = left.ty();
                Ok((left, self.coerce(unknown, &ty)?))
            }
            (unknown, Operand::Typed(right)) => {
                let ty = right.ty();
                Ok((self.coerce(unknown, &ty)?, right))
            }
            (left, right) => Ok((self.settle(left)?, self.settle(right)?)),
        }
    }

    pub(super) fn compare(
        &mut self,
        function: Function,
        sign: &str,
        left: &ast::Expr,
        right: &ast::Expr,
    ) -> Result<Expr> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        let args = self.comparable(sign, left, right)?;
        let ordered = matches!(
            function,
            Function::Lt | Function::Le | Function::Gt | Function::Ge
        );
        match args[0].ty() {
            Type::Array(item) if ordered && matches!(*item, Type::Enum(_)) => {
                return Err(Trouble::unsupported(
                    format!("{} {sign} {}", args[0].ty().name(), args[1].ty().name()),
                    "compare with =",
                ));
            }
            _ => {}
        }
        Ok(call(function, args, Type::Bool))
    }

    /// The operands of a comparison, brought to one type that has an `=`.
    pub(super) fn comparable(
        &self,
        sign: &str,
        left: Operand,
        right: Operand,
    ) -> Result<Vec<Expr>> {
        let json =
            |operand: &Operand| matches!(operand, Operand::Typed(expr) if expr.ty() == Type::Json);
        if json(&left) || json(&right) {
            let name = |operand: &Operand| match operand {
                Operand::Typed(expr) => expr.ty().base_name(),
                Operand::Unknown(_) => "unknown".to_owned(),
            };
            return Err(missing_named(sign, &name(&left), &name(&right)));
        }
        let (left, right) = self.unify(left, right, sign)?;
        match left.ty() {
            Type::Array(item) if *item == Type::Json => Err(SqlError::new(
                "42883",
                "could not identify a comparison function for type json",
            )
            .into()),
            _ => Ok(vec![left, right]),
        }
    }

    pub(super) fn test(&mut self, function: Function, expr: &ast::Expr) -> Result<Expr> {
        Ok(call(function, vec![self.value(expr)?], Type::Bool))
    }

    pub(super) fn truth(&mut self, function: Function, expr: &ast::Expr) -> Result<Expr> {
        Ok(call(function, vec![self.condition(expr)?], Type::Bool))
    }
}

/// Postgres' spelling of an operator, and whether it is the negation of it that is meant.
fn symbol(op: &Op) -> Result<(&'static str, bool)> {
    Ok(match op {
        Op::Plus => ("+", false),
        Op::Minus => ("-", false),
        Op::Multiply => ("*", false),
        Op::Divide => ("/", false),
        Op::Modulo => ("%", false),
        Op::PGExp | Op::BitwiseXor => ("^", false),
        Op::StringConcat => ("||", false),
        Op::BitwiseAnd => ("&", false),
        Op::BitwiseOr => ("|", false),
        Op::PGBitwiseXor => ("#", false),
        Op::PGBitwiseShiftLeft => ("<<", false),
        Op::PGBitwiseShiftRight => (">>", false),
        Op::Arrow => ("->", false),
        Op::LongArrow => ("->>", false),
        Op::HashArrow => ("#>", false),
        Op::HashLongArrow => ("#>>", false),
        Op::HashMinus => ("#-", false),
        Op::AtArrow => ("@>", false),
        Op::ArrowAt => ("<@", false),
        Op::PGOverlap => ("&&", false),
        Op::Question => ("?", false),
        Op::QuestionAnd => ("?&", false),
        Op::QuestionPipe => ("?|", false),
        Op::PGStartsWith => ("^@", false),
        Op::PGRegexMatch => ("~", false),
        Op::PGRegexIMatch => ("~*", false),
        Op::PGRegexNotMatch => ("~", true),
        Op::PGRegexNotIMatch => ("~*", true),
        Op::PGLikeMatch => ("~~", false),
        Op::PGILikeMatch => ("~~*", false),
        Op::PGNotLikeMatch => ("~~", true),
        Op::PGNotILikeMatch => ("~~*", true),
        other => {
            return Err(Trouble::unsupported(
                format!("operator {other}"),
                "write it with the operators of the portable language",
            ));
        }
    })
}

/// The type two types are compared as; none if they are not compared.
pub(super) fn meeting(left: &Type, right: &Type) -> Option<Type> {
    if left == right {
        return Some(left.clone());
    }
    if let (Type::Char(_), Type::Char(_)) = (left, right) {
        // Of different lengths: without the blanks that fill them.
        return Some(Type::Text);
    }
    if let (Type::Array(one), Type::Array(other)) = (left, right)
        && std::mem::discriminant(&**one) != std::mem::discriminant(&**other)
    {
        // Arrays compare with arrays of the same type only: not even varchar with text.
        return None;
    }
    let (a, b) = (left.base(), right.base());
    if a == b {
        return Some(a);
    }
    match (rank(&a), rank(&b)) {
        // An integer meets a float of any width as a double.
        (Some(x), Some(y)) if x.max(y) >= 4 => return Some(Type::Float8),
        (Some(x), Some(y)) => return Some(if x > y { a } else { b }),
        _ => {}
    }
    if textual(&a) && textual(&b) {
        return Some(Type::Text);
    }
    if let (Type::Array(_), Type::Array(_)) = (&a, &b) {
        // Arrays compare with arrays of the same type only.
        return None;
    }
    match (a.conversion(&b), b.conversion(&a)) {
        (Some(When::Implicit), _) => Some(b),
        (_, Some(When::Implicit)) => Some(a),
        _ => None,
    }
}

/// `operator does not exist: uuid = text`
pub(super) fn missing(op: impl std::fmt::Display, left: &Type, right: &Type) -> Trouble {
    missing_named(op, &left.base_name(), &right.base_name())
}

fn missing_named(op: impl std::fmt::Display, left: &str, right: &str) -> Trouble {
    SqlError::new("42883", format!("operator does not exist: {left} {op} {right}"))
        .hint("No operator matches the given name and argument types. You might need to add explicit type casts.")
        .into()
}
