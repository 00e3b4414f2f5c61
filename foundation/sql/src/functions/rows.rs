//! Functions that give rows: each is a scalar function whose answer is a JSON array of them, read with SQLite's `json_each`.
//!
//! A row of one column is that value in its stored form, a row of several an array of them. Booleans are 0 and 1.

use super::{SqlFunction, int, internal, text};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::json::{self, Json, print_text};
use crate::lower::{Lowering, Operand};
use crate::statement::JsonOut;
use crate::trouble::Result;
use crate::types::Type;
use crate::value::Value;
use serde_json::value::RawValue;

/// The most rows one call gives.
const ROWS: i64 = 1_000_000;

pub(super) const ALL: &[SqlFunction] = &[
    internal!("pg_generate_series", 3, |a: &[Value]| {
        let (mut at, last, step) = (int(&a[0]), int(&a[1]), int(&a[2]));
        if step == 0 {
            return Err(SqlError::new("22023", "step size cannot equal zero"));
        }
        let mut out = Rows::new();
        while (step > 0 && at <= last) || (step < 0 && at >= last) {
            out.push(&at.to_string())?;
            match at.checked_add(step) {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(out.finish())
    }),
    // A stored array with its members in stored form; `raw` says that they are texts of JSON.
    internal!("pg_unnest", 2, |a: &[Value]| {
        let raw = int(&a[1]) == 1;
        let mut out = Rows::new();
        for member in members(&text(&a[0]))? {
            match member.get() {
                "null" => out.push("null")?,
                "true" if !raw => out.push("1")?,
                "false" if !raw => out.push("0")?,
                other if raw => out.text(other)?,
                other => out.push(other)?,
            }
        }
        Ok(out.finish())
    }),
    internal!("pg_json_elements", 2, |a: &[Value]| {
        let source = text(&a[0]);
        if !source.trim_start().starts_with('[') {
            return Err(SqlError::new(
                "22023",
                "cannot extract elements from a non-array",
            ));
        }
        let as_text = int(&a[1]) == 1;
        let mut out = Rows::new();
        for member in members(&source)? {
            out.member(member, as_text)?;
        }
        Ok(out.finish())
    }),
    internal!("pg_json_entries", 2, |a: &[Value]| {
        let as_text = int(&a[1]) == 1;
        let mut out = Rows::new();
        for (key, member) in entries(&text(&a[0]), "cannot deconstruct a non-object")? {
            let mut row = String::from("[");
            print_text(&key, &mut row);
            row.push(',');
            row.push_str(&shown(&member, as_text));
            row.push(']');
            out.push(&row)?;
        }
        Ok(out.finish())
    }),
    internal!("pg_json_keys", 1, |a: &[Value]| {
        let mut out = Rows::new();
        for (key, _) in entries(
            &text(&a[0]),
            "cannot call jsonb_object_keys on a non-object",
        )? {
            out.text(&key)?;
        }
        Ok(out.finish())
    }),
    internal!("pg_string_table", 2, |a: &[Value]| {
        let (whole, separator) = (text(&a[0]), text(&a[1]));
        let mut out = Rows::new();
        if separator.is_empty() {
            out.text(&whole)?;
        } else if !whole.is_empty() {
            for part in whole.split(&*separator) {
                out.text(part)?;
            }
        }
        Ok(out.finish())
    }),
];

struct Rows {
    text: String,
    count: i64,
}

impl Rows {
    fn new() -> Rows {
        Rows {
            text: String::from("["),
            count: 0,
        }
    }

    fn push(&mut self, json: &str) -> Result<(), SqlError> {
        self.count += 1;
        if self.count > ROWS {
            return Err(SqlError::new(
                "54000",
                format!("a function gives at most {ROWS} rows on the embedded engine"),
            ));
        }
        if self.count > 1 {
            self.text.push(',');
        }
        self.text.push_str(json);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), SqlError> {
        let mut quoted = String::with_capacity(text.len() + 2);
        print_text(text, &mut quoted);
        self.push(&quoted)
    }

    fn member(&mut self, member: &RawValue, as_text: bool) -> Result<(), SqlError> {
        let shown = shown(member.get(), as_text);
        self.push(&shown)
    }

    fn finish(mut self) -> Value {
        self.text.push(']');
        Value::from(self.text)
    }
}

/// A member of JSON as a column of a row: its text, or the JSON in quotes.
fn shown(member: &str, as_text: bool) -> String {
    if as_text && member == "null" {
        return "null".to_owned();
    }
    if as_text && member.starts_with('"') {
        return member.to_owned();
    }
    let mut quoted = String::new();
    print_text(member, &mut quoted);
    quoted
}

fn members(text: &str) -> Result<Vec<&RawValue>, SqlError> {
    serde_json::from_str(text).map_err(|_| SqlError::new("22P02", "malformed array"))
}

fn entries(text: &str, refused: &'static str) -> Result<Vec<(String, String)>, SqlError> {
    match json::parse(text) {
        Ok(Json::Object(members)) => Ok(members
            .into_iter()
            .map(|(key, value)| {
                let mut out = String::new();
                json::print(&value, &mut out);
                (key.0, out)
            })
            .collect()),
        _ => Err(SqlError::new("22023", refused)),
    }
}

/// A call resolved: the function in SQLite, its arguments, and the columns of its rows.
pub(crate) struct RowFunction {
    pub function: String,
    pub args: Vec<Expr>,
    pub columns: Vec<(String, Type)>,
}

const NAMES: &[&str] = &[
    "generate_series",
    "unnest",
    "json_array_elements",
    "json_array_elements_text",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "json_each",
    "json_each_text",
    "jsonb_each",
    "jsonb_each_text",
    "json_object_keys",
    "jsonb_object_keys",
    "string_to_table",
];

/// Whether there is a function of that name.
pub(crate) fn named(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Finds the function for these arguments.
pub(crate) fn resolve(
    lowering: &Lowering<'_>,
    name: &str,
    operands: Vec<Operand>,
) -> Result<RowFunction> {
    let flag = |on: bool| Expr::Literal {
        value: Value::Int(i64::from(on)),
        ty: Type::Int4,
    };
    let missing = || {
        SqlError::new(
            "42883",
            format!("function {name} with these arguments does not exist"),
        )
        .hint("No function matches the given name and argument types. You might need to add explicit type casts.")
    };
    let count = operands.len();
    let mut operands = operands.into_iter();
    let mut next = || operands.next().ok_or_else(missing);
    let one = |function: &str, args: Vec<Expr>, column: &str, ty: Type| RowFunction {
        function: function.to_owned(),
        args,
        columns: vec![(column.to_owned(), ty)],
    };
    let json = name.starts_with("json_");
    let document = if json { Type::Json } else { Type::Jsonb };
    match (name, count) {
        ("generate_series", 2 | 3) => {
            let (first, last) = (next()?, next()?);
            let step = if count == 3 { Some(next()?) } else { None };
            let (first, last) = (
                lowering.settle_number(first)?,
                lowering.settle_number(last)?,
            );
            let ty = match (first.ty(), last.ty()) {
                (Type::Int2 | Type::Int4, Type::Int2 | Type::Int4) => Type::Int4,
                (Type::Int2 | Type::Int4 | Type::Int8, Type::Int2 | Type::Int4 | Type::Int8) => {
                    Type::Int8
                }
                _ => {
                    return Err(crate::trouble::Trouble::unsupported(
                        "generate_series of other than integers",
                        "generate integers, and add them to the first moment or number",
                    ));
                }
            };
            let step = match step {
                Some(step) => lowering.coerce(step, &ty)?,
                None => flag(true),
            };
            Ok(one(
                "pg_generate_series",
                vec![first, last, step],
                "generate_series",
                ty,
            ))
        }
        ("unnest", 1) => {
            let array = lowering.settle(next()?)?;
            let Type::Array(item) = array.ty() else {
                return Err(missing().into());
            };
            // Numbers that SQLite would read as floats, and JSON, travel as texts.
            let raw = matches!(
                item.json_out(),
                JsonOut::Raw | JsonOut::Float | JsonOut::Float4
            );
            Ok(one("pg_unnest", vec![array, flag(raw)], "unnest", *item))
        }
        ("json_array_elements" | "jsonb_array_elements", 1) => {
            let value = lowering.coerce(next()?, &document)?;
            Ok(one(
                "pg_json_elements",
                vec![value, flag(false)],
                "value",
                document,
            ))
        }
        ("json_array_elements_text" | "jsonb_array_elements_text", 1) => {
            let value = lowering.coerce(next()?, &document)?;
            Ok(one(
                "pg_json_elements",
                vec![value, flag(true)],
                "value",
                Type::Text,
            ))
        }
        ("json_each" | "jsonb_each" | "json_each_text" | "jsonb_each_text", 1) => {
            let value = lowering.coerce(next()?, &document)?;
            let as_text = name.ends_with("_text");
            Ok(RowFunction {
                function: "pg_json_entries".to_owned(),
                args: vec![value, flag(as_text)],
                columns: vec![
                    ("key".to_owned(), Type::Text),
                    (
                        "value".to_owned(),
                        if as_text { Type::Text } else { document },
                    ),
                ],
            })
        }
        ("json_object_keys" | "jsonb_object_keys", 1) => {
            let value = lowering.coerce(next()?, &document)?;
            Ok(one("pg_json_keys", vec![value], name, Type::Text))
        }
        ("string_to_table", 2) => {
            let whole = lowering.coerce(next()?, &Type::Text)?;
            let separator = lowering.coerce(next()?, &Type::Text)?;
            Ok(one(
                "pg_string_table",
                vec![whole, separator],
                "string_to_table",
                Type::Text,
            ))
        }
        _ => Err(missing().into()),
    }
}
