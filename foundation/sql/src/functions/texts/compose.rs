//! Texts out of values of any type: `concat`, `format`, quoting.

use crate::error::SqlError;
use crate::functions::registry::{Row, lax, lax_typed, strict, typed};
use crate::functions::text;
use crate::types::Type;
use crate::types::cast::cast;
use crate::value::Value;

/// As an identifier is written, in quotes if it needs them.
fn identifier(name: &str) -> String {
    let plain = name
        .chars()
        .enumerate()
        .all(|(at, c)| c == '_' || c.is_ascii_lowercase() || (at > 0 && c.is_ascii_digit()));
    if plain && !name.is_empty() && !RESERVED.contains(&name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The words Postgres quotes because its grammar keeps them for itself.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// As a literal is written.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

fn format(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    if a[0].is_null() {
        return Ok(Value::Null);
    }
    let error = |message: String| SqlError::new("22023", message);
    let pattern = text(&a[0]);
    let mut out = String::new();
    let mut next = 1;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let unterminated = || {
            error("unterminated format() type specifier".to_owned())
                .hint("For a single \"%\" use \"%%\".")
        };
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse::<usize>().ok()
        };
        let mut width = None;
        let mut left = false;
        let mut position = None;
        let first = number(&mut chars);
        if chars.next_if_eq(&'$').is_some() {
            if first == Some(0) {
                return Err(error(
                    "format specifies argument 0, but arguments are numbered from 1".to_owned(),
                ));
            }
            position = first;
        } else {
            width = first;
        }
        while width.is_none() && chars.next_if_eq(&'-').is_some() {
            left = true;
        }
        if width.is_none() {
            if chars.next_if_eq(&'*').is_some() {
                let value = a
                    .get(next)
                    .ok_or_else(|| error("too few arguments for format()".to_owned()))?;
                let wide = crate::functions::int(value);
                left |= wide < 0;
                width = usize::try_from(wide.unsigned_abs()).ok();
                next += 1;
            } else {
                width = number(&mut chars);
            }
        }
        let kind = chars.next().ok_or_else(unterminated)?;
        if !matches!(kind, 's' | 'I' | 'L') {
            return Err(
                error(format!("unrecognized format() type specifier \"{kind}\""))
                    .hint("For a single \"%\" use \"%%\"."),
            );
        }
        let at = position.unwrap_or(next);
        let value = a
            .get(at)
            .ok_or_else(|| error("too few arguments for format()".to_owned()))?;
        next = at + 1;
        let ty = types.get(at).unwrap_or(&Type::Text);
        let shown = match (kind, value) {
            ('L', Value::Null) => "NULL".to_owned(),
            ('I', Value::Null) => {
                return Err(SqlError::new(
                    "22004",
                    "null values cannot be formatted as an SQL identifier",
                ));
            }
            ('L', value) => literal(&ty.print(value)),
            ('I', value) => identifier(&ty.print(value)),
            (_, value) => ty.print(value),
        };
        let missing = width
            .unwrap_or(0)
            .min(10_000)
            .saturating_sub(shown.chars().count());
        let blanks = " ".repeat(missing);
        if left {
            out.push_str(&shown);
            out.push_str(&blanks);
        } else {
            out.push_str(&blanks);
            out.push_str(&shown);
        }
    }
    Ok(out.into())
}

fn joined(types: &[Type], a: &[Value], separator: &str) -> Value {
    let parts: Vec<String> = types
        .iter()
        .zip(a)
        .filter(|(_, value)| !value.is_null())
        .map(|(ty, value)| ty.print(value))
        .collect();
    parts.join(separator).into()
}

/// A text and a value cast to one.
fn beside(types: &[Type], a: &[Value]) -> Result<Value, SqlError> {
    let (left, right) = (
        cast(&types[0], &Type::Text, &a[0], true)?,
        cast(&types[1], &Type::Text, &a[1], true)?,
    );
    Ok([text(&left), text(&right)].concat().into())
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::sql("||(text, text) text"),
        typed("||(anynonarray, text) text", beside),
        typed("||(text, anynonarray) text", beside),
        lax_typed("concat(variadic any) text", |types, a| {
            Ok(joined(types, a, ""))
        }),
        lax_typed("concat_ws(text, variadic any) text", |types, a| {
            if a[0].is_null() {
                return Ok(Value::Null);
            }
            Ok(joined(&types[1..], &a[1..], &text(&a[0])))
        }),
        strict("format(text) text", |a| format(&[Type::Text], a)),
        lax_typed("format(text, variadic any) text", format),
        strict("quote_ident(text) text", |a| {
            Ok(identifier(&text(&a[0])).into())
        }),
        strict("quote_literal(text) text", |a| {
            Ok(literal(&text(&a[0])).into())
        }),
        typed("quote_literal(anyelement) text", |types, a| {
            Ok(literal(&types[0].print(&a[0])).into())
        }),
        lax("quote_nullable(text) text", |a| {
            Ok(if a[0].is_null() {
                "NULL".into()
            } else {
                literal(&text(&a[0])).into()
            })
        }),
    ]
}
