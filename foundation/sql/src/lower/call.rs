//! Function calls, casts, `case` and the parts of an interval.

use super::{Lowering, Operand, call, object};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::functions::registry::overloads;
use crate::functions::resolve::{Fault, resolve};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast;

/// The beginnings of names of functions Postgres has and the portable language has not: refused by name, where others do not exist.
const KEPT: &[&str] = &[
    "pg_",
    "to_tsvector",
    "to_tsquery",
    "plainto_",
    "phraseto_",
    "websearch_",
    "ts_",
    "setweight",
    "tsvector",
    "xml",
    "xpath",
    "query_to",
    "set_config",
    "nextval",
    "currval",
    "lastval",
    "setval",
    "generate_",
    "unnest",
    "regexp_matches",
    "regexp_split_to_table",
    "json_",
    "jsonb_",
    "row_to_json",
    "array_",
    "to_date",
    "to_timestamp",
    "to_number",
    "to_ascii",
    "normalize",
    "inet_",
    "host",
    "version",
    "txid_",
    "dblink",
    "lo_",
    "crypt",
    "gen_salt",
    "digest",
    "hmac",
    "row_number",
    "rank",
    "dense_rank",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
    "ntile",
    "percent",
    "cume_dist",
    "mode",
    "st_",
    "similarity",
    "word_similarity",
    "unaccent",
    "timeofday",
    "current_database",
    "current_schema",
    "current_catalog",
    "has_",
    "obj_description",
    "col_description",
    "format_type",
    "range_",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "stddev",
    "variance",
    "var_",
    "corr",
    "covar",
    "regr_",
    "bit_and",
    "bit_or",
    "bit_xor",
    "string_to_table",
    "set_bit",
    "get_bit",
    "sinh",
    "cosh",
    "tanh",
    "sind",
    "cosd",
    "tand",
    "cot",
    "setseed",
    "overlaps",
    "current_time",
    "clock",
    "uuid_generate_v1",
    "uuid_generate_v3",
    "uuid_generate_v5",
];

/// How a built-in function is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Function,
    Operator,
    /// A function whose arguments have words between them.
    Word,
}

/// `function lower(integer) does not exist`, `operator is not unique: unknown + unknown`
fn nothing_fits(name: &str, types: &[Option<Type>], syntax: Syntax, fault: Fault) -> Trouble {
    if name == "to_char" && fault == Fault::Missing {
        return Trouble::unsupported("to_char of a number", "round it, or print it in the app");
    }
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
    if fault == Fault::Undetermined {
        return SqlError::new(
            "42804",
            "could not determine polymorphic type because input has type unknown",
        )
        .hint("cast the literal with ::")
        .into();
    }
    let called = if syntax == Syntax::Word {
        format!("pg_catalog.{called}")
    } else {
        called
    };
    let (kind, state) = match (syntax, fault) {
        (Syntax::Function | Syntax::Word, Fault::Missing) => {
            (format!("function {called} does not exist"), "42883")
        }
        (Syntax::Function | Syntax::Word, _) => {
            (format!("function {called} is not unique"), "42725")
        }
        (Syntax::Operator, Fault::Missing) => {
            (format!("operator does not exist: {called}"), "42883")
        }
        (Syntax::Operator, _) => (format!("operator is not unique: {called}"), "42725"),
    };
    let what = if syntax == Syntax::Operator {
        "operator"
    } else {
        "function"
    };
    let hint = match fault {
        Fault::Missing => format!(
            "No {what} matches the given name and argument types. You might need to add explicit type casts."
        ),
        _ => format!(
            "Could not choose a best candidate {what}. You might need to add explicit type casts."
        ),
    };
    SqlError::new(state, kind).hint(hint).into()
}

impl Lowering<'_> {
    pub(super) fn function(&mut self, function: &ast::Function) -> Result<Operand> {
        if let Some(over) = &function.over {
            return self.window(function, over);
        }
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
                        ast::FunctionArg::Named { .. } | ast::FunctionArg::ExprNamed { .. }
                            if name == "make_interval" =>
                        {
                            return self.make_interval(&list.args);
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
        if schema.is_none()
            && let ("to_jsonb" | "to_json" | "row_to_json", [arg]) = (name.as_str(), &args[..])
            && let Some(json) = self.row_as_json(&name, arg)?
        {
            return typed(json);
        }
        match (schema, name.as_str(), args.len()) {
            (Some("auth"), "uid", 0) => nullary(Function::AuthUid, Type::Uuid),
            (Some("auth"), "role", 0) => nullary(Function::AuthRole, Type::Text),
            (Some("auth"), "email", 0) => nullary(Function::AuthEmail, Type::Text),
            (Some("auth"), "jwt", 0) => nullary(Function::AuthJwt, Type::Jsonb),
            (Some("storage"), "foldername" | "filename" | "extension", 1) => {
                typed(self.builtin_of(&format!("storage.{name}"), &args)?)
            }
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
            (None, "current_timestamp" | "localtimestamp", 1) => {
                let now = call(Function::Now, Vec::new(), Type::Timestamptz);
                let now = if name == "localtimestamp" {
                    self.cast(Operand::Typed(now), &Type::Timestamp)?
                } else {
                    now
                };
                let digits = self.operand(args[0])?;
                typed(self.builtin(
                    ".precision",
                    vec![Operand::Typed(now), digits],
                    Syntax::Function,
                )?)
            }
            (None, "localtime", 0) => {
                let now = call(Function::Now, Vec::new(), Type::Timestamptz);
                typed(self.cast(Operand::Typed(now), &Type::Time)?)
            }
            (None, "current_user" | "current_role" | "session_user" | "user", 0) => {
                nullary(Function::AuthRole, Type::Text)
            }
            (None, "current_setting", 1 | 2) => typed(self.setting(args[0])?),
            (None, "pg_typeof", 1) => {
                let shown = match self.operand(args[0])? {
                    Operand::Typed(expr) => expr.ty().base_name(),
                    Operand::Unknown(_) => "unknown".to_owned(),
                };
                typed(Expr::Literal {
                    value: shown.into(),
                    ty: Type::Text,
                })
            }
            (None, "age", 1) => {
                let since = self.value(args[0])?;
                let ty = if since.ty() == Type::Timestamp {
                    Type::Timestamp
                } else {
                    Type::Timestamptz
                };
                let today = call(Function::CurrentDate, Vec::new(), Type::Date);
                let today = self.cast(Operand::Typed(today), &ty)?;
                let operands = vec![Operand::Typed(today), Operand::Typed(since)];
                typed(self.builtin("age", operands, Syntax::Function)?)
            }
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
            (None, "greatest" | "least", 1..) => {
                let mut operands = Vec::with_capacity(args.len());
                for arg in &args {
                    operands.push(self.operand(arg)?);
                }
                let ty = self.common_type_in(&name.to_uppercase(), &operands)?;
                if ty == Type::Json {
                    return Err(SqlError::new(
                        "42883",
                        "could not identify a comparison function for type json",
                    )
                    .into());
                }
                let operands = operands
                    .into_iter()
                    .map(|operand| Ok(Operand::Typed(self.coerce(operand, &ty)?)))
                    .collect::<Result<Vec<_>>>()?;
                typed(self.builtin(&format!(".{name}"), operands, Syntax::Function)?)
            }
            (None, "nullif", 2) => typed(self.null_if(args[0], args[1])?),
            (None, "make_interval", _) => {
                let ast::FunctionArguments::List(list) = &function.args else {
                    return Err(unsupported());
                };
                self.make_interval(&list.args)
            }
            _ if name.starts_with('.') => Err(unsupported()),
            _ => {
                if overloads(&name).next().is_none() {
                    // A type's name is a cast, where there is no function of that name.
                    if let ([arg], Some(ty)) = (&args[..], Type::builtin(&name)) {
                        let operand = self.operand(arg)?;
                        return typed(self.cast(operand, &ty)?);
                    }
                    if KEPT.iter().any(|kept| name.starts_with(kept)) {
                        return Err(unsupported());
                    }
                }
                typed(self.builtin_of(&name, &args)?)
            }
        }
    }

    /// `current_setting('request.jwt.claims', true)` and its relatives: who calls.
    fn setting(&mut self, name: &ast::Expr) -> Result<Expr> {
        let asked = match self.operand(name)? {
            Operand::Unknown(Some(asked)) => asked,
            Operand::Typed(Expr::Literal {
                value: Value::Text(asked),
                ..
            }) => asked.to_string(),
            _ => String::new(),
        };
        let (function, ty) = match asked.to_ascii_lowercase().as_str() {
            "request.jwt.claims" => (Function::AuthJwt, Type::Jsonb),
            "request.jwt.claim.sub" => (Function::AuthUid, Type::Uuid),
            "request.jwt.claim.role" | "role" => (Function::AuthRole, Type::Text),
            "request.jwt.claim.email" => (Function::AuthEmail, Type::Text),
            _ => {
                return Err(Trouble::unsupported(
                    format!("current_setting({name})"),
                    "use auth.uid(), auth.jwt(), or current_setting('request.jwt.claims', true)",
                ));
            }
        };
        self.cast(Operand::Typed(call(function, Vec::new(), ty)), &Type::Text)
    }

    /// `make_interval(days => 3)`: its arguments have names and defaults.
    fn make_interval(&mut self, args: &[ast::FunctionArg]) -> Result<Operand> {
        const NAMES: [&str; 7] = ["years", "months", "weeks", "days", "hours", "mins", "secs"];
        let refused = |arg: &ast::FunctionArg| {
            Trouble::unsupported(
                format!("make_interval({arg})"),
                "its arguments are years, months, weeks, days, hours, mins, secs",
            )
        };
        let mut given: [Option<Operand>; 7] = Default::default();
        for (place, arg) in args.iter().enumerate() {
            let (place, value) = match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(value)) => {
                    (Some(place), value)
                }
                ast::FunctionArg::Named {
                    name,
                    arg: ast::FunctionArgExpr::Expr(value),
                    ..
                } => (
                    NAMES.iter().position(|known| *known == super::fold(name)),
                    value,
                ),
                ast::FunctionArg::ExprNamed {
                    name,
                    arg: ast::FunctionArgExpr::Expr(value),
                    ..
                } => {
                    let name = name.to_string().to_lowercase();
                    (NAMES.iter().position(|known| *known == name), value)
                }
                _ => return Err(refused(arg)),
            };
            let slot = place.and_then(|place| given.get_mut(place));
            *slot.ok_or_else(|| refused(arg))? = Some(self.operand(value)?);
        }
        let zero = || Expr::Literal {
            value: Value::Int(0),
            ty: Type::Int4,
        };
        let operands = given
            .into_iter()
            .map(|given| given.unwrap_or_else(|| Operand::Typed(zero())))
            .collect();
        Ok(Operand::Typed(self.builtin(
            "make_interval",
            operands,
            Syntax::Function,
        )?))
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

    /// Arguments of one common type.
    fn common(&mut self, function: Function, args: &[&ast::Expr]) -> Result<Expr> {
        let mut operands = Vec::with_capacity(args.len());
        for arg in args {
            operands.push(self.operand(arg)?);
        }
        let ty = self.common_type_in("COALESCE", &operands)?;
        let args = operands
            .into_iter()
            .map(|operand| self.coerce(operand, &ty))
            .collect::<Result<Vec<_>>>()?;
        Ok(call(function, args, ty))
    }

    /// `nullif(a, b)` has the type of what stands left of the `=` it asks.
    fn null_if(&mut self, left: &ast::Expr, right: &ast::Expr) -> Result<Expr> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        let is_char = |operand: &Operand| matches!(operand, Operand::Typed(expr) if matches!(expr.ty(), Type::Char(_)));
        let padded = is_char(&left) && is_char(&right);
        let own = match &left {
            Operand::Typed(own) => Some(own.clone()),
            Operand::Unknown(_) => None,
        };
        let args = self.comparable("=", left, right)?;
        let own = own.unwrap_or_else(|| args[0].clone());
        let met = args[0].ty();
        let alike = own.ty().category() == met.category();
        // There is an `=` for each pair of integers, of floats and of moments; whatever else meets becomes one type before.
        let kept = match own.ty() {
            Type::Int2 | Type::Int4 | Type::Int8 => {
                matches!(met, Type::Int2 | Type::Int4 | Type::Int8)
            }
            Type::Float4 => true,
            Type::Date | Type::Timestamp | Type::Timestamptz => alike,
            Type::Char(_) => padded,
            _ => false,
        };
        if kept && own.ty() != met {
            let null = Expr::Literal {
                value: Value::Null,
                ty: own.ty(),
            };
            let ty = own.ty();
            return Ok(Expr::Case {
                branches: vec![(call(Function::Eq, args, Type::Bool), null)],
                otherwise: Some(Box::new(own)),
                ty,
            });
        }
        let ty = match met {
            Type::Varchar(_) => Type::Text,
            met => met,
        };
        let args = args
            .into_iter()
            .map(|arg| self.coerce(Operand::Typed(arg), &ty))
            .collect::<Result<Vec<_>>>()?;
        Ok(call(Function::NullIf, args, ty))
    }

    pub(super) fn common_type(&self, operands: &[Operand]) -> Result<Type> {
        self.common_type_in("", operands)
    }

    /// The type of them all (PostgreSQL docs 10.5); `what` is named in the error.
    pub(super) fn common_type_in(&self, what: &str, operands: &[Operand]) -> Result<Type> {
        let mut common: Option<Type> = None;
        let mut sized = true;
        for operand in operands {
            let Operand::Typed(expr) = operand else {
                continue;
            };
            let ty = expr.ty();
            common = Some(match common {
                None => ty,
                Some(known) if known == ty => known,
                Some(known) => {
                    sized = false;
                    let (a, b) = (known.base(), ty.base());
                    if a == b {
                        known
                    } else if let Some(common) = a.common_with(&b) {
                        if common == a { known } else { ty }
                    } else {
                        let what = if what.is_empty() {
                            String::new()
                        } else {
                            format!("{what} ")
                        };
                        return Err(SqlError::new(
                            "42804",
                            format!(
                                "{what}types {} and {} cannot be matched",
                                a.base_name(),
                                b.base_name()
                            ),
                        )
                        .hint("cast one of them with ::")
                        .into());
                    }
                }
            });
        }
        let common = common.unwrap_or(Type::Text);
        // Types of different sizes have no size together.
        Ok(match (sized, common) {
            (true, common) | (false, common @ Type::Char(_)) => common,
            (false, common) => common.base(),
        })
    }

    pub(super) fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let mut tests = Vec::with_capacity(conditions.len());
        let mut results = Vec::with_capacity(conditions.len() + 1);
        let has_otherwise = otherwise.is_some();
        if let Some(otherwise) = otherwise {
            // Postgres looks at it first when it looks for the type of them all.
            results.push(self.operand(otherwise)?);
        }
        for when in conditions {
            tests.push(match operand {
                Some(operand) => self.compare(Function::Eq, "=", operand, &when.condition)?,
                None => self.condition(&when.condition)?,
            });
            results.push(self.operand(&when.result)?);
        }
        let ty = self.common_type_in("CASE", &results)?;
        let mut results = results
            .into_iter()
            .map(|result| self.coerce(result, &ty))
            .collect::<Result<Vec<_>>>()?;
        let otherwise = has_otherwise.then(|| Box::new(results.remove(0)));
        Ok(Expr::Case {
            branches: tests.into_iter().zip(results).collect(),
            otherwise,
            ty,
        })
    }

    /// A cast to a type as it is written, digits of a second included.
    pub(super) fn cast_to(&mut self, operand: Operand, data_type: &ast::DataType) -> Result<Expr> {
        use ast::DataType as D;
        let (ty, digits) = match data_type {
            D::Timestamp(Some(digits), zone) => (D::Timestamp(None, *zone), Some(*digits)),
            D::Time(Some(digits), zone) => (D::Time(None, *zone), Some(*digits)),
            other => (other.clone(), None),
        };
        let ty = self.data_type(&ty)?;
        let cast = self.cast(operand, &ty)?;
        let Some(digits) = digits.filter(|digits| *digits < 6) else {
            return Ok(cast);
        };
        let digits = Expr::Literal {
            value: Value::Int(i64::try_from(digits).unwrap_or(6)),
            ty: Type::Int4,
        };
        let operands = vec![Operand::Typed(cast), Operand::Typed(digits)];
        self.builtin(".precision", operands, Syntax::Function)
    }

    pub(super) fn cast(&self, operand: Operand, ty: &Type) -> Result<Expr> {
        match operand {
            Operand::Unknown(Some(text)) => Ok(Expr::Literal {
                value: match ty {
                    Type::Varchar(_) | Type::Char(_) => {
                        crate::types::cast::cast(&Type::Text, ty, &text.into(), true)?
                    }
                    ty => ty.read_text(&text)?,
                },
                ty: ty.clone(),
            }),
            Operand::Unknown(None) => Ok(Expr::Literal {
                value: Value::Null,
                ty: ty.clone(),
            }),
            Operand::Typed(expr) => {
                let from = expr.ty();
                if from == *ty {
                    return Ok(expr);
                }
                if from.conversion(ty).is_none() {
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

/// Whether an explicit cast exists.
pub(crate) fn castable(from: &Type, to: &Type) -> bool {
    from.conversion(to).is_some()
}
