//! Postgres expressions become typed ones: names resolved, operands coerced as Postgres coerces them, everything else refused by name.

mod aggregate;
mod apply;
mod call;
pub(crate) use call::castable;
mod form;
mod group;
mod operation;
pub(crate) use operation::is_empty_row;
mod operator;
mod output;
mod query;
mod row;
mod scope;
mod search;
mod sequence;
mod source;
mod window;
pub(crate) use scope::{Level, Named, Params};

use crate::catalog::{Catalog, Table};
use crate::error::SqlError;
use crate::expr::{Expr, Function};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::types::conversion::When;
use crate::value::Value;
use query::Place;
use sqlparser::ast::{self, Spanned as _};

/// Lowers expressions against the catalog and the queries around them.
pub(crate) struct Lowering<'a> {
    pub catalog: &'a Catalog,
    pub levels: Vec<Level>,
    /// What a function's body may name beside columns.
    pub params: Params,
    /// Whether an aggregate may stand here: in what a query selects, orders by, or has.
    aggregates: bool,
    /// Names of the `with` around, innermost last.
    ctes: Vec<(String, Vec<(String, Type)>)>,
}

/// An operand whose type may still be open, as that of a quoted literal is.
#[derive(Clone)]
pub(crate) enum Operand {
    Typed(Expr),
    /// A quoted literal, or `null`.
    Unknown(Option<String>),
}

pub(crate) fn call(function: Function, args: Vec<Expr>, ty: Type) -> Expr {
    Expr::Call { function, args, ty }
}

/// An identifier as Postgres folds and cuts it.
pub(crate) fn fold(ident: &ast::Ident) -> String {
    cut(if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_ascii_lowercase()
    })
}

/// Bytes of an identifier.
pub(crate) const NAME_BYTES_MAX: usize = 63;

/// A name without what Postgres passes over at its end.
pub(crate) fn cut(mut name: String) -> String {
    name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    name
}

/// `name` or `schema.name`; none for anything longer.
pub(crate) fn object(name: &ast::ObjectName) -> Option<(Option<String>, String)> {
    let parts: Vec<String> = name
        .0
        .iter()
        .map(|part| part.as_ident().map(fold))
        .collect::<Option<_>>()?;
    match &parts[..] {
        [name] => Some((None, name.clone())),
        [schema, name] => Some((Some(schema.clone()), name.clone())),
        _ => None,
    }
}

impl<'a> Lowering<'a> {
    /// For expressions over no table: defaults, seeds.
    pub fn bare(catalog: &'a Catalog) -> Lowering<'a> {
        Lowering::within(catalog, Vec::new())
    }

    /// For expressions over one table: policies, checks, indexes.
    pub fn over(catalog: &'a Catalog, table: &Table) -> Lowering<'a> {
        Lowering::within(catalog, vec![Named::table(table)])
    }

    /// For expressions over some sources; none means no query at all.
    pub fn within(catalog: &'a Catalog, sources: Vec<Named>) -> Lowering<'a> {
        let levels = if sources.is_empty() {
            Vec::new()
        } else {
            vec![Level { sources }]
        };
        Lowering {
            catalog,
            levels,
            params: Params::default(),
            aggregates: false,
            ctes: Vec::new(),
        }
    }

    /// Lowers a condition.
    pub fn condition(&mut self, expr: &ast::Expr) -> Result<Expr> {
        let operand = self.operand(expr)?;
        match operand {
            Operand::Typed(lowered) if lowered.ty() != Type::Bool => Err(Trouble::invalid(
                expr.to_string(),
                format!(
                    "argument must be type boolean, not type {}",
                    lowered.ty().name()
                ),
                "compare it with something",
            )
            .state("42804")
            .at(line(expr))),
            operand => self
                .coerce(operand, &Type::Bool)
                .map_err(|trouble| trouble.at(line(expr))),
        }
    }

    /// Lowers a value that is assigned to a column of type `ty`.
    pub fn assigned(&mut self, expr: &ast::Expr, ty: &Type) -> Result<Expr> {
        let operand = self.operand(expr)?;
        self.assign(operand, ty)
            .map_err(|trouble| trouble.at(line(expr)))
    }

    /// Lowers an expression whose type is its own affair.
    pub fn value(&mut self, expr: &ast::Expr) -> Result<Expr> {
        let operand = self.operand(expr)?;
        self.settle(operand)
    }

    /// An unknown literal that nothing gave a type is text.
    pub(crate) fn settle(&self, operand: Operand) -> Result<Expr> {
        match operand {
            Operand::Typed(expr) => Ok(expr),
            unknown => self.coerce(unknown, &Type::Text),
        }
    }

    /// An unknown literal where a number is wanted is an integer.
    pub(crate) fn settle_number(&self, operand: Operand) -> Result<Expr> {
        match operand {
            Operand::Typed(expr) => Ok(expr),
            unknown => self.coerce(unknown, &Type::Int4),
        }
    }

    /// Gives an operand a type it converts to on its own.
    pub(crate) fn coerce(&self, operand: Operand, ty: &Type) -> Result<Expr> {
        match operand {
            Operand::Unknown(None) => Ok(Expr::Literal {
                value: Value::Null,
                ty: ty.clone(),
            }),
            // Blanks at the end of a char(n) do not count; stored ones always fill it.
            Operand::Unknown(Some(text)) if matches!(ty, Type::Char(_)) => {
                let text = text.trim_end_matches(' ');
                Ok(Expr::Literal {
                    value: ty.read_text(text).or_else(|_| Type::Text.read_text(text))?,
                    ty: ty.clone(),
                })
            }
            Operand::Unknown(Some(text)) => Ok(Expr::Literal {
                value: unsized_type(ty).read_text(&text)?,
                ty: ty.clone(),
            }),
            Operand::Typed(expr) => {
                let from = expr.ty();
                if same(&from, ty) || from.base() == ty.base() {
                    return Ok(expr);
                }
                if implicit(&from, ty) {
                    return Ok(convert(expr, ty));
                }
                Err(mismatch(&from, ty))
            }
        }
    }

    /// As [`coerce`](Self::coerce), with the conversions Postgres makes only when it assigns.
    pub(crate) fn assign(&self, operand: Operand, ty: &Type) -> Result<Expr> {
        match operand {
            Operand::Unknown(Some(text)) => Ok(Expr::Literal {
                value: ty.read_text(&text)?,
                ty: ty.clone(),
            }),
            Operand::Typed(Expr::Literal { value, ty: from })
                if from
                    .conversion(ty)
                    .is_some_and(|when| when <= When::Assigned) =>
            {
                Ok(Expr::Literal {
                    value: crate::types::cast::cast(&from, ty, &value, false)?,
                    ty: ty.clone(),
                })
            }
            Operand::Typed(expr) => {
                let from = expr.ty();
                let free = matches!(ty, Type::Text | Type::Varchar(None)) && textual(&from);
                if from == *ty || (free && !matches!(from, Type::Char(_))) {
                    Ok(expr)
                } else if from
                    .conversion(ty)
                    .is_some_and(|when| when <= When::Assigned)
                {
                    Ok(call(Function::Assign, vec![expr], ty.clone()))
                } else {
                    Err(Trouble::invalid(
                        format!("a value of type {}", from.name()),
                        format!("the column is of type {}", ty.name()),
                        "cast it with :: if the conversion is meant",
                    ))
                }
            }
            operand => self.coerce(operand, ty),
        }
    }

    pub(crate) fn operand(&mut self, expr: &ast::Expr) -> Result<Operand> {
        let at = line(expr);
        self.lower(expr).map_err(|trouble| trouble.at(at))
    }

    fn lower(&mut self, expr: &ast::Expr) -> Result<Operand> {
        use ast::Expr as E;
        let typed = |expr| Ok(Operand::Typed(expr));
        match expr {
            E::Nested(inner) => self.operand(inner),
            E::Value(value) => match &value.value {
                ast::Value::Placeholder(name) => self.placeholder(name),
                value => literal(value),
            },
            E::TypedString(typed_string) => {
                let text = typed_string.value.value.clone().into_string();
                typed(self.cast_to(Operand::Unknown(text), &typed_string.data_type)?)
            }
            E::Identifier(ident) => typed(self.column(None, None, &fold(ident))?),
            E::CompoundIdentifier(parts) => {
                let parts: Vec<String> = parts.iter().map(fold).collect();
                match &parts[..] {
                    [table, column] => typed(self.column(None, Some(table), column)?),
                    [schema, table, column] => {
                        typed(self.column(Some(schema), Some(table), column)?)
                    }
                    _ => Err(Trouble::unsupported(
                        expr.to_string(),
                        "name a column as table.column",
                    )),
                }
            }
            E::BinaryOp { left, op, right } => self.binary(left, op, right),
            E::UnaryOp { op, expr } => self.unary(*op, expr),
            E::IsNull(inner) => typed(self.test(Function::IsNull, inner)?),
            E::IsNotNull(inner) => typed(self.test(Function::IsNotNull, inner)?),
            E::IsTrue(inner) => typed(self.truth(Function::IsTrue, inner)?),
            E::IsNotTrue(inner) => typed(self.truth(Function::IsNotTrue, inner)?),
            E::IsFalse(inner) => typed(self.truth(Function::IsFalse, inner)?),
            E::IsNotFalse(inner) => typed(self.truth(Function::IsNotFalse, inner)?),
            E::IsUnknown(inner) => typed(self.truth(Function::IsNull, inner)?),
            E::IsNotUnknown(inner) => typed(self.truth(Function::IsNotNull, inner)?),
            E::IsDistinctFrom(left, right) => {
                if let Some(differ) = self.rows_differ(left, right, false)? {
                    return typed(differ);
                }
                typed(self.compare(Function::Distinct, "is distinct from", left, right)?)
            }
            E::IsNotDistinctFrom(left, right) => {
                if let Some(same) = self.rows_differ(left, right, true)? {
                    return typed(same);
                }
                typed(self.compare(Function::NotDistinct, "is not distinct from", left, right)?)
            }
            E::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let low = self.compare(Function::Ge, ">=", expr, low)?;
                let high = self.compare(Function::Le, "<=", expr, high)?;
                let both = call(Function::And, vec![low, high], Type::Bool);
                typed(if *negated {
                    call(Function::Not, vec![both], Type::Bool)
                } else {
                    both
                })
            }
            E::In {
                expr,
                target: ast::InTarget::List(list),
                negated,
                ..
            } => {
                let found = self.member(expr, list)?;
                typed(if *negated {
                    call(Function::Not, vec![found], Type::Bool)
                } else {
                    found
                })
            }
            E::In {
                expr,
                target: ast::InTarget::Subquery(query),
                negated,
                ..
            } => typed(self.in_query(expr, query, *negated)?),
            E::Cast {
                kind: ast::CastKind::Cast | ast::CastKind::DoubleColon,
                expr,
                data_type,
                format: None,
            } => {
                let operand = self.operand(expr)?;
                typed(self.cast_to(operand, data_type)?)
            }
            E::Case {
                operand,
                conditions,
                else_result,
                ..
            } => typed(self.case(operand.as_deref(), conditions, else_result.as_deref())?),
            E::Exists { subquery, negated } => {
                let exists = Expr::Exists(Box::new(self.sub_select(subquery, Place::Exists)?));
                typed(if *negated {
                    call(Function::Not, vec![exists], Type::Bool)
                } else {
                    exists
                })
            }
            E::Subquery(query) => self.scalar(query),
            E::Function(function) => self.function(function),
            E::Array(array) => self.array(&array.elem),
            other => self.form(other),
        }
    }

    /// A type as a migration writes it.
    pub fn data_type(&self, data_type: &ast::DataType) -> Result<Type> {
        let name = match data_type {
            ast::DataType::Custom(name, modifiers) if modifiers.is_empty() => match object(name) {
                Some((schema, name)) => match (
                    schema.as_deref(),
                    self.catalog.enums.get(&(
                        schema.clone().unwrap_or_else(|| "public".to_owned()),
                        name.clone(),
                    )),
                ) {
                    (_, Some(labels)) => return Ok(Type::Enum(labels.clone())),
                    (None | Some("pg_catalog"), None) => name,
                    (Some(schema), None) => format!("{schema}.{name}"),
                },
                None => data_type.to_string(),
            },
            ast::DataType::Array(ast::ArrayElemTypeDef::SquareBracket(item, None)) => {
                return Ok(Type::Array(Box::new(self.data_type(item)?)));
            }
            other => other.to_string().to_lowercase(),
        };
        Type::parse_name(self.catalog, &name).ok_or_else(|| {
            Trouble::unsupported(
                format!("type {data_type}"),
                crate::migrate::advice::of_type(&data_type.to_string()),
            )
        })
    }
}

impl Lowering<'_> {
    /// `$1`
    fn placeholder(&self, name: &str) -> Result<Operand> {
        name.strip_prefix('$')
            .and_then(|number| self.params.numbered(number.parse().ok()?))
            .map(Operand::Typed)
            .ok_or_else(|| {
                Trouble::invalid(
                    name,
                    format!("there is no parameter {name}"),
                    "name a parameter of the function",
                )
                .state("42P02")
            })
    }
}

/// The line an expression starts on; 0 if it has none.
pub(crate) fn line(expr: &ast::Expr) -> u64 {
    expr.span().start.line
}

fn literal(value: &ast::Value) -> Result<Operand> {
    match value {
        ast::Value::Null => Ok(Operand::Unknown(None)),
        ast::Value::Boolean(bool) => Ok(Operand::Typed(Expr::Literal {
            value: (*bool).into(),
            ty: Type::Bool,
        })),
        ast::Value::Number(text, _) => {
            let ty = match text.parse::<i64>() {
                Ok(int) if i32::try_from(int).is_ok() => Type::Int4,
                Ok(_) => Type::Int8,
                Err(_) => Type::Numeric(None),
            };
            Ok(Operand::Typed(Expr::Literal {
                value: ty.read_text(text)?,
                ty,
            }))
        }
        ast::Value::SingleQuotedString(text) | ast::Value::EscapedStringLiteral(text) => {
            Ok(Operand::Unknown(Some(text.clone())))
        }
        ast::Value::DollarQuotedString(text) => Ok(Operand::Unknown(Some(text.value.clone()))),
        other => Err(Trouble::unsupported(
            other.to_string(),
            "write the literal in single quotes",
        )),
    }
}

/// A type without its length, for comparing: literals are not cut to a column's size.
fn unsized_type(ty: &Type) -> Type {
    match ty {
        Type::Varchar(_) => Type::Text,
        Type::Numeric(_) => Type::Numeric(None),
        other => other.clone(),
    }
}

pub(crate) fn number(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Float4 | Type::Float8 | Type::Numeric(_)
    )
}

pub(crate) fn textual(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::Varchar(_) | Type::Char(_))
}

/// Whether the two have one stored form and one meaning.
pub(crate) fn same(left: &Type, right: &Type) -> bool {
    left == right
        || unsized_type(left) == unsized_type(right)
        || rank(left).is_some_and(|rank_left| {
            rank_left <= 2 && rank(right).is_some_and(|rank_right| rank_right <= 2)
        })
}

/// The order in which numbers turn into one another.
pub(crate) fn rank(ty: &Type) -> Option<u8> {
    Some(match ty {
        Type::Int2 => 0,
        Type::Int4 => 1,
        Type::Int8 => 2,
        Type::Numeric(_) => 3,
        Type::Float4 => 4,
        Type::Float8 => 5,
        _ => return None,
    })
}

/// The conversions Postgres makes on its own in expressions.
pub(crate) fn implicit(from: &Type, to: &Type) -> bool {
    from.conversion(to) == Some(When::Implicit)
}

fn convert(expr: Expr, ty: &Type) -> Expr {
    // A literal is converted here, once.
    if let Expr::Literal { value, ty: from } = &expr
        && let Ok(value) = crate::types::cast::cast(from, &unsized_type(ty), value, true)
    {
        return Expr::Literal {
            value,
            ty: ty.clone(),
        };
    }
    Expr::Cast {
        expr: Box::new(expr),
        ty: ty.clone(),
    }
}

fn mismatch(from: &Type, to: &Type) -> Trouble {
    SqlError::new(
        "42804",
        format!(
            "an expression of type {} where {} is wanted",
            from.name(),
            to.name()
        ),
    )
    .hint("cast it with ::")
    .into()
}

/// The known name nearest to a wrong one, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|other| (distance(name, other), other))
        .filter(|(distance, other)| *distance <= 2.min(other.len() / 2))
        .min()
        .map(|(_, other)| other)
}

fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
