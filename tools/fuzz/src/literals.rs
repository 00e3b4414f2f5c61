//! Literals and casts: any text as each type, and what was read as every other type it turns into.
//!
//! Promises: nothing panics; what is read prints, and what is printed is read as the same value; a value equals itself and two values
//! compare one way; a cast gives a value of the type it is cast to, or an error of Postgres'.

use crate::engine::Engine;
use crate::mutate::LENGTH_MAX;
use crate::seen::Seen;
use crate::target::Target;
use pando_sql::functions::collations;
use pando_sql::render::render_cast;
use pando_sql::types::EnumType;
use pando_sql::{Bind, SqlError, Statement, Type, Value};
use serde_json::value::RawValue;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

/// Lines of an input, each a literal.
const LINES_MAX: usize = 3;

/// All types, with the statements that cast between them.
pub(crate) struct Literals {
    engine: Engine,
    types: Vec<Type>,
    /// By (from, to), as places in `types`.
    casts: HashMap<(usize, usize), Statement>,
}

impl Literals {
    pub(crate) fn new() -> Literals {
        let (engine, _) = Engine::with(&[]);
        let types = types();
        let mut casts = HashMap::new();
        for (from, one) in types.iter().enumerate() {
            for (to, other) in types.iter().enumerate() {
                let mut statement = Statement::new();
                statement.push("SELECT ");
                let operand = |out: &mut Statement| {
                    out.bind(Bind::Input(0));
                    Ok(())
                };
                if from != to && render_cast(one, other, operand, &mut statement).is_ok() {
                    casts.insert((from, to), statement);
                }
            }
        }
        Literals {
            engine,
            types,
            casts,
        }
    }

    /// A value that was read: it prints, and is read again as itself.
    fn stays(ty: &Type, value: &Value) -> Result<(), String> {
        let printed = ty.print(value);
        let again = ty.read_text(&printed);
        if again.as_ref() != Ok(value) {
            return Err(format!(
                "{} is printed and read as another: `{value:?}` {printed:?} {again:?}",
                ty.name()
            ));
        }
        let json = match ty {
            Type::Json | Type::Jsonb => printed,
            _ => serde_json::Value::from(printed).to_string(),
        };
        let raw = serde_json::from_str::<&RawValue>(&json);
        let again = raw.map(|raw| ty.read_json(raw));
        match again {
            // Any value of a json column but SQL null is told as JSON, and `null` is both.
            Ok(Ok(Value::Null)) if json.trim() == "null" => Ok(()),
            Ok(Ok(again)) if again == *value => Ok(()),
            // White space around it is not part of a member.
            Ok(Ok(Value::Text(again))) if *again == *json.trim_ascii() => Ok(()),
            // serde's own limit of depth is above ours, but not its idea of numbers.
            Err(_) => Ok(()),
            again => Err(format!(
                "{} is told as JSON and read as another: `{value:?}` {json} {again:?}",
                ty.name()
            )),
        }
    }

    fn read(&self, number: usize, text: &str, seen: &mut Seen) -> Result<Option<Value>, String> {
        let ty = &self.types[number];
        let name = ty.name();
        let told = |error: &SqlError, seen: &mut Seen| {
            seen.error(&name, &error.state, &error.message);
            if error.state.starts_with("XX") {
                return Err(format!("{name} fails within: {error}"));
            }
            Ok(())
        };
        if let Ok(raw) = serde_json::from_str::<&RawValue>(text) {
            match ty.read_json(raw) {
                Ok(Value::Null) => {}
                Ok(value) => {
                    seen.fact("json", (number, outline(&ty.print(&value))));
                    Literals::stays(ty, &value)?;
                }
                Err(error) => told(&error, seen)?,
            }
        }
        match ty.read_text(text) {
            Ok(value) => {
                if !matches!(ty, Type::Text | Type::Varchar(None)) {
                    seen.take();
                    seen.fact("read", (number, outline(&ty.print(&value))));
                }
                Literals::stays(ty, &value)?;
                Ok(Some(value))
            }
            Err(error) => {
                told(&error, seen)?;
                Ok(None)
            }
        }
    }

    fn cast(&self, from: usize, value: &Value, seen: &mut Seen) -> Result<(), String> {
        for (to, ty) in self.types.iter().enumerate() {
            let Some(statement) = self.casts.get(&(from, to)) else {
                continue;
            };
            let what = || format!("{} as {}", self.types[from].name(), ty.name());
            match self.engine.one(statement, std::slice::from_ref(value))? {
                // Postgres knows no time of day at the end of time.
                Ok(Value::Null)
                    if *ty == Type::Time
                        && value
                            .as_str()
                            .is_some_and(|text| text.ends_with("infinity")) => {}
                Ok(Value::Null) => return Err(format!("{} is null: `{value:?}`", what())),
                Ok(cast) => {
                    seen.fact("cast", (from, to));
                    Literals::stays(ty, &cast)
                        .map_err(|error| format!("{}: {error} of `{value:?}`", what()))?;
                }
                Err(error) => seen.error(&what(), "", &error),
            }
        }
        Ok(())
    }
}

impl Target for Literals {
    fn words(&self) -> &'static [&'static str] {
        WORDS
    }

    fn run(&mut self, input: &[u8], seen: &mut Seen) -> Result<(), String> {
        let text = String::from_utf8_lossy(input);
        let lines: Vec<&str> = text.split('\n').take(LINES_MAX).collect();
        for number in 0..self.types.len() {
            let ty = &self.types[number];
            let mut values = Vec::new();
            for line in &lines {
                if let Some(value) = self.read(number, line, seen)? {
                    // One of them stands for all that are texts. Numbers of a hundred thousand digits are read, and that is enough.
                    let long = value
                        .as_str()
                        .is_some_and(|text| text.len() > 2 * LENGTH_MAX);
                    if !long && !matches!(ty, Type::Varchar(_)) {
                        self.cast(number, &value, seen)?;
                    }
                    values.push(value);
                }
            }
            compare(ty, &values)?;
        }
        Ok(())
    }
}

/// Compares values as the engine's collations do.
fn compare(ty: &Type, values: &[Value]) -> Result<(), String> {
    let Some(collation) = ty
        .collation()
        .and_then(|name| collations().iter().find(|known| known.name == name))
    else {
        return Ok(());
    };
    for one in values.iter().filter_map(Value::as_str) {
        for other in values.iter().filter_map(Value::as_str) {
            let (there, back) = (
                (collation.compare)(one, other),
                (collation.compare)(other, one),
            );
            if there != back.reverse() || (one == other && there != Ordering::Equal) {
                return Err(format!(
                    "{} compares both ways: `{one}` `{other}`",
                    ty.name()
                ));
            }
        }
    }
    Ok(())
}

fn types() -> Vec<Type> {
    let mood = Type::Enum(Arc::new(EnumType {
        schema: "public".to_owned(),
        name: "mood".to_owned(),
        labels: ["sad", "ok", "so;so", "", "a \"b\""]
            .map(str::to_owned)
            .to_vec(),
    }));
    let scalars = vec![
        Type::Int2,
        Type::Int4,
        Type::Int8,
        Type::Float4,
        Type::Float8,
        Type::Numeric(None),
        Type::Numeric(Some((5, 2))),
        Type::Numeric(Some((3, -2))),
        Type::Numeric(Some((2, 5))),
        Type::Bool,
        Type::Text,
        Type::Varchar(None),
        Type::Varchar(Some(5)),
        Type::Char(4),
        Type::Uuid,
        Type::Timestamptz,
        Type::Timestamp,
        Type::Date,
        Type::Time,
        Type::Interval,
        Type::Json,
        Type::Jsonb,
        Type::Bytea,
        mood,
    ];
    let of = [
        Type::Int4,
        Type::Float4,
        Type::Float8,
        Type::Numeric(None),
        Type::Bool,
        Type::Text,
        Type::Char(4),
        Type::Timestamptz,
        Type::Interval,
        Type::Jsonb,
        Type::Bytea,
    ];
    let arrays = of.map(|item| Type::Array(Box::new(item)));
    scalars.into_iter().chain(arrays).collect()
}

/// The outline of a printed value: digits are one, letters are one, and runs are one.
fn outline(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let kind = match c {
            '0'..='9' => '9',
            c if c.is_alphabetic() => 'a',
            c => c,
        };
        if !out.ends_with(kind) {
            out.push(kind);
        }
        if out.len() >= 16 {
            break;
        }
    }
    out
}

const WORDS: &[&str] = &[
    "{",
    "}",
    "{}",
    "{1,2}",
    "[",
    "]",
    "\"",
    "\\",
    "\\x",
    "\\u0000",
    "\\ud800",
    "\\u00e9",
    ",",
    ":",
    ".",
    "-",
    "+",
    "e",
    "E",
    "null",
    "NULL",
    "true",
    "t",
    "f",
    "yes",
    "off",
    "NaN",
    "Infinity",
    "-Infinity",
    "inf",
    "infinity",
    "-infinity",
    "epoch",
    "now",
    "today",
    "tomorrow",
    "2024-02-29",
    "20240229",
    "2024-060",
    "29 Feb 2024",
    "Feb-29-2024",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "BC",
    "AD",
    "J2451545",
    "12:34:56.789",
    "24:00:00",
    "23:59:60",
    "04:05 PM",
    "am",
    "T",
    "Z",
    "+02",
    "-12:30",
    "UTC",
    "Europe/Berlin",
    "allballs",
    "1 year",
    "2 mons",
    "3 days",
    "4 hours",
    "ago",
    "@",
    "P1Y2M3DT4H5M6.7S",
    "P1W",
    "1-2",
    "weeks",
    "century",
    "millennium",
    "ms",
    "us",
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "a0eebc999c0b4ef8bb6d6bb9bd380a11",
    "0x1f",
    "1e10",
    "1e-7",
    ".5",
    "5.",
    "_",
    "  ",
    "\t",
    "\u{b}",
    "é",
    "€",
    "𝄞",
    "\u{301}",
    "sad",
    "so;so",
    "{\"a\": 1}",
    "[1,[2]]",
    "[2:3]={1,2}",
    "{{1},{2}}",
    "{a,\"b c\",NULL}",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_changes_when_it_is_read_again_is_noticed() {
        assert!(Literals::stays(&Type::Date, &"2024-01-01".into()).is_ok());
        assert!(Literals::stays(&Type::Date, &"2024-1-1".into()).is_err());
    }
}
