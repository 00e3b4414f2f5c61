//! Operators: which of Postgres' operators is meant follows from the types of the operands.

use super::{Lowering, Operand, call, line, number, rank, same, textual};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::trouble::{Result, Trouble};
use crate::types::{Type, push_member};
use crate::value::Value;
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
                call(
                    function,
                    vec![self.condition(left)?, self.condition(right)?],
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
            Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo => {
                self.arithmetic(op, left, right)?
            }
            Op::StringConcat => self.concat(left, right)?,
            Op::Arrow | Op::LongArrow => {
                let (get, ty) = (
                    if *op == Op::Arrow {
                        Function::JsonGet
                    } else {
                        Function::JsonGetText
                    },
                    Type::Text,
                );
                let json = self.json(left, op)?;
                let ty = if *op == Op::Arrow { json.ty() } else { ty };
                let key = match self.operand(right)? {
                    Operand::Typed(key)
                        if matches!(key.ty(), Type::Int2 | Type::Int4 | Type::Int8)
                            || textual(&key.ty()) =>
                    {
                        key
                    }
                    unknown @ Operand::Unknown(_) => self.coerce(unknown, &Type::Text)?,
                    Operand::Typed(key) => return Err(missing(op, &json.ty(), &key.ty())),
                };
                call(get, vec![json, key], ty)
            }
            Op::HashArrow | Op::HashLongArrow => {
                let json = self.json(left, op)?;
                let path = self.operand(right)?;
                let path = self.coerce(path, &Type::Array(Box::new(Type::Text)))?;
                let (function, ty) = if *op == Op::HashArrow {
                    (Function::JsonPath, json.ty())
                } else {
                    (Function::JsonPathText, Type::Text)
                };
                call(function, vec![json, path], ty)
            }
            Op::AtArrow => self.contains(left, right, op)?,
            Op::ArrowAt => self.contains(right, left, op)?,
            Op::PGOverlap => {
                let (left, right) = self.unified(left, right, op)?;
                match left.ty() {
                    Type::Array(_) => call(Function::ArrayOverlaps, vec![left, right], Type::Bool),
                    other => return Err(missing(op, &other, &right.ty())),
                }
            }
            Op::Question | Op::QuestionAnd | Op::QuestionPipe => {
                let json = self.jsonb(left, op)?;
                let (function, ty) = match op {
                    Op::Question => (Function::JsonExists, Type::Text),
                    Op::QuestionAnd => (Function::JsonExistsAll, Type::Array(Box::new(Type::Text))),
                    _ => (Function::JsonExistsAny, Type::Array(Box::new(Type::Text))),
                };
                let names = self.operand(right)?;
                call(function, vec![json, self.coerce(names, &ty)?], Type::Bool)
            }
            Op::PGRegexMatch => self.pattern(Function::Match, false, left, right)?,
            Op::PGRegexIMatch => self.pattern(Function::IMatch, false, left, right)?,
            Op::PGRegexNotMatch => self.pattern(Function::Match, true, left, right)?,
            Op::PGRegexNotIMatch => self.pattern(Function::IMatch, true, left, right)?,
            Op::PGLikeMatch => self.pattern(Function::Like, false, left, right)?,
            Op::PGILikeMatch => self.pattern(Function::ILike, false, left, right)?,
            Op::PGNotLikeMatch => self.pattern(Function::Like, true, left, right)?,
            Op::PGNotILikeMatch => self.pattern(Function::ILike, true, left, right)?,
            other => {
                return Err(Trouble::unsupported(
                    format!("operator {other}"),
                    "write it with the operators of the portable language",
                ));
            }
        };
        Ok(Operand::Typed(expr))
    }

    pub(super) fn unary(&mut self, op: ast::UnaryOperator, expr: &ast::Expr) -> Result<Operand> {
        match op {
            ast::UnaryOperator::Not => Ok(Operand::Typed(call(
                Function::Not,
                vec![self.condition(expr)?],
                Type::Bool,
            ))),
            ast::UnaryOperator::Plus => self.operand(expr),
            ast::UnaryOperator::Minus => {
                // A literal's sign belongs to it, so that the least integer can be written.
                if let ast::Expr::Value(value) = expr
                    && let ast::Value::Number(text, _) = &value.value
                {
                    return super::literal(&ast::Value::Number(format!("-{text}"), false));
                }
                let operand = self.value(expr)?;
                if !number(&operand.ty()) {
                    return Err(SqlError::new(
                        "42883",
                        format!("operator does not exist: - {}", operand.ty().name()),
                    )
                    .into());
                }
                let ty = operand.ty();
                Ok(Operand::Typed(call(Function::Neg, vec![operand], ty)))
            }
            _ => Err(Trouble::unsupported(
                format!("operator {op}"),
                "write it with the operators of the portable language",
            )),
        }
    }

    /// Two operands brought to one type, as the comparison operators want them.
    pub(super) fn unified(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        op: impl std::fmt::Display,
    ) -> Result<(Expr, Expr)> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        self.unify(left, right, op)
    }

    pub(super) fn unify(
        &self,
        left: Operand,
        right: Operand,
        op: impl std::fmt::Display,
    ) -> Result<(Expr, Expr)> {
        match (left, right) {
            (Operand::Typed(left), Operand::Typed(right)) => {
                let (a, b) = (left.ty(), right.ty());
                if same(&a, &b) {
                    return Ok((left, right));
                }
                let target = match (rank(&a), rank(&b)) {
                    // An integer meets a float of any width as a double.
                    (Some(x), Some(y)) if x.max(y) >= 4 => Type::Float8,
                    (Some(x), Some(y)) => {
                        if x > y {
                            a.clone()
                        } else {
                            b.clone()
                        }
                    }
                    _ => match (&a, &b) {
                        (Type::Date | Type::Timestamp | Type::Timestamptz, Type::Timestamptz)
                        | (Type::Date, Type::Timestamp) => b.clone(),
                        (Type::Timestamptz, Type::Date | Type::Timestamp)
                        | (Type::Timestamp, Type::Date) => a.clone(),
                        (Type::Char(_), other) | (other, Type::Char(_)) if textual(other) => {
                            Type::Text
                        }
                        _ => return Err(missing(op, &a, &b)),
                    },
                };
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
        let (left, right) = self.unified(left, right, sign)?;
        let ordered = matches!(
            function,
            Function::Lt | Function::Le | Function::Gt | Function::Ge
        );
        match left.ty() {
            Type::Json => return Err(missing(sign, &left.ty(), &right.ty())),
            Type::Enum(_) | Type::Jsonb | Type::Array(_) if ordered => {
                return Err(Trouble::unsupported(
                    format!("{} {sign} {}", left.ty().name(), right.ty().name()),
                    "compare with = or in (..)",
                ));
            }
            _ => {}
        }
        Ok(call(function, vec![left, right], Type::Bool))
    }

    pub(super) fn test(&mut self, function: Function, expr: &ast::Expr) -> Result<Expr> {
        Ok(call(function, vec![self.value(expr)?], Type::Bool))
    }

    pub(super) fn truth(&mut self, function: Function, expr: &ast::Expr) -> Result<Expr> {
        Ok(call(function, vec![self.condition(expr)?], Type::Bool))
    }

    pub(super) fn pattern(
        &mut self,
        function: Function,
        negated: bool,
        text: &ast::Expr,
        pattern: &ast::Expr,
    ) -> Result<Expr> {
        let found = self.texts(function, &[text, pattern], Type::Bool)?;
        Ok(if negated {
            call(Function::Not, vec![found], Type::Bool)
        } else {
            found
        })
    }

    /// A call whose arguments are texts.
    pub(super) fn texts(
        &mut self,
        function: Function,
        args: &[&ast::Expr],
        ty: Type,
    ) -> Result<Expr> {
        let mut lowered = Vec::with_capacity(args.len());
        for arg in args {
            let operand = self.operand(arg)?;
            let mut expr = self.settle(operand)?;
            if matches!(expr.ty(), Type::Char(_)) {
                expr = self.coerce(Operand::Typed(expr), &Type::Text)?;
            }
            if !textual(&expr.ty()) {
                return Err(Trouble::from(
                    SqlError::new("42883", format!("text is wanted, not {}", expr.ty().name()))
                        .hint("cast it with ::text"),
                )
                .at(line(arg)));
            }
            lowered.push(expr);
        }
        Ok(call(function, lowered, ty))
    }

    fn json(&mut self, expr: &ast::Expr, op: &Op) -> Result<Expr> {
        let json = self.value(expr)?;
        match json.ty() {
            Type::Json | Type::Jsonb => Ok(json),
            other => Err(SqlError::new(
                "42883",
                format!("operator does not exist: {} {op} unknown", other.name()),
            )
            .into()),
        }
    }

    fn jsonb(&mut self, expr: &ast::Expr, op: &Op) -> Result<Expr> {
        let json = self.json(expr, op)?;
        if json.ty() == Type::Jsonb {
            Ok(json)
        } else {
            Err(missing(op, &json.ty(), &Type::Text))
        }
    }

    fn contains(&mut self, whole: &ast::Expr, part: &ast::Expr, op: &Op) -> Result<Expr> {
        let (whole, part) = self.unified(whole, part, op)?;
        let function = match whole.ty() {
            Type::Jsonb => Function::JsonContains,
            Type::Array(_) => Function::ArrayContains,
            other => return Err(missing(op, &other, &part.ty())),
        };
        Ok(call(function, vec![whole, part], Type::Bool))
    }

    fn concat(&mut self, left: &ast::Expr, right: &ast::Expr) -> Result<Expr> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        let kind = |operand: &Operand| {
            if let Operand::Typed(expr) = operand {
                Some(expr.ty())
            } else {
                None
            }
        };
        let (function, ty) = match (kind(&left), kind(&right)) {
            (Some(Type::Jsonb), _) | (_, Some(Type::Jsonb)) => (Function::JsonConcat, Type::Jsonb),
            (Some(array @ Type::Array(_)), _) | (_, Some(array @ Type::Array(_))) => {
                (Function::ArrayConcat, array)
            }
            (None, None) => (Function::Concat, Type::Text),
            (left, right) => {
                // One text is enough: the other operand becomes one.
                if ![&left, &right]
                    .into_iter()
                    .any(|ty| ty.as_ref().is_none_or(textual))
                {
                    return Err(missing(
                        "||",
                        &left.unwrap_or(Type::Text),
                        &right.unwrap_or(Type::Text),
                    ));
                }
                (Function::Concat, Type::Text)
            }
        };
        let bring = |operand| match operand {
            Operand::Typed(expr) if function == Function::Concat && !textual(&expr.ty()) => {
                Ok(Expr::Cast {
                    expr: Box::new(expr),
                    ty: Type::Text,
                })
            }
            Operand::Typed(expr) if function == Function::Concat => Ok(expr),
            operand => self.coerce(operand, &ty),
        };
        let args = vec![bring(left)?, bring(right)?];
        Ok(call(function, args, ty))
    }

    fn arithmetic(&mut self, op: &Op, left: &ast::Expr, right: &ast::Expr) -> Result<Expr> {
        if let (Op::Plus | Op::Minus, ast::Expr::Interval(interval)) = (op, right) {
            let timestamp = self.value(left)?;
            let ty = match timestamp.ty() {
                Type::Date => Type::Timestamp,
                ty @ (Type::Timestamp | Type::Timestamptz) => ty,
                other => return Err(missing(op, &other, &Type::Interval)),
            };
            let timestamp = self.coerce(Operand::Typed(timestamp), &ty)?;
            let sign = if *op == Op::Plus { 1 } else { -1 };
            let parts = super::call::interval(interval)?;
            let mut args = vec![timestamp];
            args.extend(parts.map(|part| Expr::Literal {
                value: Value::Int(sign * part),
                ty: Type::Int8,
            }));
            return Ok(call(Function::TimestampAdd, args, ty));
        }
        let (left, right) = self.unified(left, right, op)?;
        let ty = match (left.ty(), right.ty()) {
            (a, b) if !number(&a) || !number(&b) => return Err(missing(op, &a, &b)),
            (a, b) if rank(&a) < rank(&b) => b,
            (a, _) => a,
        };
        let ty = if let Type::Numeric(_) = ty {
            Type::Numeric(None)
        } else {
            ty
        };
        let function = match op {
            Op::Plus => Function::Add,
            Op::Minus => Function::Sub,
            Op::Multiply => Function::Mul,
            Op::Divide => Function::Div,
            _ => Function::Mod,
        };
        match (&ty, function) {
            (Type::Numeric(_), Function::Div | Function::Mod) => Err(Trouble::unsupported(
                format!("numeric {op} numeric"),
                "cast to double precision, or divide in the app",
            )),
            (Type::Float4 | Type::Float8, Function::Mod) => Err(missing(op, &ty, &ty)),
            _ => Ok(call(function, vec![left, right], ty)),
        }
    }

    /// `in (..)`, a list of values.
    pub(super) fn member(&mut self, expr: &ast::Expr, list: &[ast::Expr]) -> Result<Expr> {
        let mut first = self.operand(expr)?;
        if let Operand::Unknown(_) = first {
            first = Operand::Typed(self.settle(first)?);
        }
        let Operand::Typed(needle) = first else {
            return Err(Trouble::unsupported(expr.to_string(), "give it a type"));
        };
        let mut args = vec![needle.clone()];
        for item in list {
            let operand = self.operand(item)?;
            let (same, item) = self.unify(Operand::Typed(needle.clone()), operand, "=")?;
            if same != needle {
                return Err(Trouble::unsupported(
                    format!("{expr} in (..) with types that differ"),
                    "cast the left side to the type of the list",
                )
                .at(line(expr)));
            }
            args.push(item);
        }
        Ok(call(Function::In, args, Type::Bool))
    }

    /// `= any (..)`: a sub-select, a list in `array[..]`, or an array.
    pub(super) fn any_of(&mut self, left: &ast::Expr, right: &ast::Expr) -> Result<Expr> {
        let mut inner = right;
        while let ast::Expr::Nested(nested) = inner {
            inner = nested;
        }
        match inner {
            ast::Expr::Subquery(query) => self.in_query(left, query, false),
            ast::Expr::Array(array) => self.member(left, &array.elem),
            _ => {
                let (needle, array) = (self.operand(left)?, self.operand(right)?);
                let array = match array {
                    Operand::Typed(array) => array,
                    unknown => {
                        let Operand::Typed(needle) = &needle else {
                            return Err(Trouble::unsupported(
                                right.to_string(),
                                "give the array a type",
                            ));
                        };
                        self.coerce(unknown, &Type::Array(Box::new(needle.ty())))?
                    }
                };
                let Type::Array(item) = array.ty() else {
                    return Err(SqlError::new(
                        "42809",
                        "op ANY/ALL (array) requires array on right side",
                    )
                    .into());
                };
                let needle = self.coerce(needle, &item)?;
                Ok(call(Function::AnyOf, vec![needle, array], Type::Bool))
            }
        }
    }

    /// `array[..]` of literals.
    pub(super) fn array(&mut self, items: &[ast::Expr]) -> Result<Operand> {
        let mut operands = Vec::with_capacity(items.len());
        for item in items {
            operands.push(self.operand(item)?);
        }
        let ty = operands
            .iter()
            .find_map(|operand| {
                if let Operand::Typed(expr) = operand {
                    Some(expr.ty())
                } else {
                    None
                }
            })
            .unwrap_or(Type::Text);
        let mut out = String::from("[");
        for operand in operands {
            let Expr::Literal { value, .. } = self.coerce(operand, &ty)? else {
                return Err(Trouble::unsupported(
                    "array[..] of columns or calls",
                    "use in (..), or an array literal",
                ));
            };
            push_member(&ty, &value, &mut out);
        }
        out.push(']');
        Ok(Operand::Typed(Expr::Literal {
            value: Value::from(out),
            ty: Type::Array(Box::new(ty)),
        }))
    }
}

/// `operator does not exist: uuid = text`
pub(super) fn missing(op: impl std::fmt::Display, left: &Type, right: &Type) -> Trouble {
    SqlError::new("42883", format!("operator does not exist: {} {op} {}", left.name(), right.name()))
        .hint("No operator matches the given name and argument types. You might need to add explicit type casts.")
        .into()
}
