//! The built-in functions and operators: a row for each says what Postgres calls it, what it takes and gives, and what it does.
//!
//! Adding a function is one row in the module of its kind (`texts`, `times`, ..) with its body. Overloads are rows of one name; which is
//! meant is found as Postgres finds it ([`super::resolve`]).

use crate::error::SqlError;
use crate::functions::{SqlFunction, any_null};
use crate::types::{Type, tags};
use crate::value::Value;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// What a function does.
#[derive(Clone, Copy)]
pub enum Body {
    /// Knows its arguments' types.
    Plain(fn(&[Value]) -> Result<Value, SqlError>),
    /// Takes arguments of any type, and is told which.
    Typed(fn(&[Type], &[Value]) -> Result<Value, SqlError>),
}

/// A row as it is written.
pub struct Row {
    /// `name(types) result`, types by any of their names; `variadic` before the last; ` as name` at the end names it in SQLite.
    signature: Cow<'static, str>,
    strict: bool,
    volatile: bool,
    body: Body,
}

impl Row {
    /// Without a body: it is written as an operator of SQLite's, or by the renderer.
    pub(super) fn sql(signature: impl Into<Cow<'static, str>>) -> Row {
        strict(signature, |_| Ok(Value::Null))
    }

    /// Of a function of our own statements: its name can't be written in SQL.
    pub(super) fn internal(function: SqlFunction) -> Row {
        let name = function.name;
        let args = vec!["any"; usize::try_from(function.arity).unwrap_or(0)].join(", ");
        Row {
            volatile: !function.deterministic,
            ..lax(format!(".{name}({args}) any as {name}"), function.call)
        }
    }

    pub(super) fn volatile(mut self) -> Row {
        self.volatile = true;
        self
    }
}

/// Null when an argument is.
pub(super) fn strict(
    signature: impl Into<Cow<'static, str>>,
    body: fn(&[Value]) -> Result<Value, SqlError>,
) -> Row {
    Row {
        signature: signature.into(),
        strict: true,
        volatile: false,
        body: Body::Plain(body),
    }
}

/// Called with nulls too.
pub(super) fn lax(
    signature: impl Into<Cow<'static, str>>,
    body: fn(&[Value]) -> Result<Value, SqlError>,
) -> Row {
    Row {
        strict: false,
        ..strict(signature, body)
    }
}

/// Null when an argument is; told its arguments' types.
pub(super) fn typed(
    signature: impl Into<Cow<'static, str>>,
    body: fn(&[Type], &[Value]) -> Result<Value, SqlError>,
) -> Row {
    Row {
        signature: signature.into(),
        strict: true,
        volatile: false,
        body: Body::Typed(body),
    }
}

/// Called with nulls too; told its arguments' types.
pub(super) fn lax_typed(
    signature: impl Into<Cow<'static, str>>,
    body: fn(&[Type], &[Value]) -> Result<Value, SqlError>,
) -> Row {
    Row {
        strict: false,
        ..typed(signature, body)
    }
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Exactly(Type),
    /// All of these are of one type, or arrays of it.
    Element,
    NonArray,
    Array,
    Enum,
    /// All of these have a common type.
    Compatible,
    CompatibleArray,
    /// Anything at all, each for itself.
    Any,
}

impl Kind {
    fn parse(name: &str) -> Option<Kind> {
        Some(match name {
            "anyelement" => Kind::Element,
            "anynonarray" => Kind::NonArray,
            "anyarray" => Kind::Array,
            "anyenum" => Kind::Enum,
            "anycompatible" => Kind::Compatible,
            "anycompatiblearray" => Kind::CompatibleArray,
            "any" => Kind::Any,
            name => Kind::Exactly(Type::builtin(name)?.base()),
        })
    }

    fn word(&self) -> String {
        match self {
            Kind::Exactly(ty) => {
                let mut tag = String::new();
                match ty {
                    Type::Char(_) => tag.push_str("bpchar"),
                    Type::Array(item) => {
                        tag = item.base_name();
                        tag.push_str("_array");
                    }
                    Type::Timestamptz => tag.push_str("timestamptz"),
                    Type::Timestamp => tag.push_str("timestamp"),
                    Type::Time => tag.push_str("time"),
                    Type::Float8 => tag.push_str("float8"),
                    other => tag = other.base_name(),
                }
                tag
            }
            Kind::Element | Kind::NonArray | Kind::Compatible | Kind::Any => "any".to_owned(),
            Kind::Array | Kind::CompatibleArray => "array".to_owned(),
            Kind::Enum => "enum".to_owned(),
        }
    }
}

/// A row, read.
pub struct Entry {
    key: String,
    pub(crate) name: String,
    pub(crate) args: Vec<Kind>,
    pub(crate) variadic: bool,
    pub(crate) result: Kind,
    pub(crate) volatile: bool,
    sqlite: String,
    strict: bool,
    body: Body,
}

impl Entry {
    fn read(row: &Row) -> Option<Entry> {
        let (signature, sqlite) = match row.signature.split_once(" as ") {
            Some((signature, sqlite)) => (signature, Some(sqlite.to_owned())),
            None => (&*row.signature, None),
        };
        let (key, result) = signature.rsplit_once(") ")?;
        let (name, args) = key.split_once('(')?;
        let mut variadic = false;
        let mut kinds = Vec::new();
        for arg in args.split(',').map(str::trim).filter(|arg| !arg.is_empty()) {
            let arg = match arg.strip_prefix("variadic ") {
                Some(arg) => {
                    variadic = true;
                    arg
                }
                None => arg,
            };
            kinds.push(Kind::parse(arg)?);
        }
        let sqlite = sqlite.unwrap_or_else(|| {
            let mut out = format!("pg_{}", word(name));
            for kind in &kinds {
                out.push('_');
                out.push_str(&kind.word());
            }
            out.replace(' ', "_")
        });
        Some(Entry {
            key: format!("{key})"),
            name: name.to_owned(),
            args: kinds,
            variadic,
            result: Kind::parse(result.trim())?,
            volatile: row.volatile,
            sqlite,
            strict: row.strict,
            body: row.body,
        })
    }
}

/// An operator's word in the name of its function.
fn word(name: &str) -> &str {
    match name {
        "+" => "add",
        "-" => "sub",
        "*" => "mul",
        "/" => "div",
        "%" => "mod",
        "^" => "pow",
        "@" => "magnitude",
        "&" => "bit_and",
        "|" => "bit_or",
        "#" => "bit_xor",
        "<<" => "shift_left",
        ">>" => "shift_right",
        "|/" => "root",
        "||/" => "cube_root",
        "||" => "join",
        "@>" => "has",
        "<@" => "within",
        "&&" => "overlaps",
        "->" => "get",
        "->>" => "get_text",
        "#>" => "dig",
        "#>>" => "dig_text",
        "#-" => "cut_path",
        "?" => "key",
        "?|" => "key_any",
        "?&" => "key_all",
        "~" => "match",
        "~*" => "imatch",
        "~~" => "like_match",
        "~~*" => "ilike_match",
        "^@" => "prefix",
        name => name,
    }
}

/// One of the built-in functions.
#[derive(Clone, Copy)]
pub struct Builtin(&'static Entry);

impl Builtin {
    pub(crate) fn entry(self) -> &'static Entry {
        self.0
    }

    /// `round(numeric, integer)`
    pub fn key(self) -> &'static str {
        &self.0.key
    }

    /// Its name in SQLite.
    pub fn sqlite_name(self) -> &'static str {
        &self.0.sqlite
    }

    /// How many arguments it takes in SQLite; -1 for any number.
    pub fn arity(self) -> i32 {
        if self.0.variadic {
            return -1;
        }
        i32::try_from(self.0.args.len()).unwrap_or(0) + i32::from(self.is_typed())
    }

    /// Whether equal arguments always give equal results.
    pub fn is_deterministic(self) -> bool {
        !self.0.volatile
    }

    /// Whether its first argument in SQLite are the tags of the others.
    pub(crate) fn is_typed(self) -> bool {
        matches!(self.0.body, Body::Typed(_))
    }

    /// Runs it on stored values.
    pub fn call(self, arguments: &[Value]) -> Result<Value, SqlError> {
        match self.0.body {
            Body::Plain(body) => {
                if self.0.strict && any_null(arguments) {
                    return Ok(Value::Null);
                }
                body(arguments)
            }
            Body::Typed(body) => {
                let Some((Value::Text(types), arguments)) = arguments.split_first() else {
                    return Err(SqlError::new("XX000", "a function without its types"));
                };
                if self.0.strict && any_null(arguments) {
                    return Ok(Value::Null);
                }
                body(&tags(types), arguments)
            }
        }
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.key)
    }
}

impl PartialEq for Builtin {
    fn eq(&self, other: &Builtin) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Builtin {}

impl std::hash::Hash for Builtin {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

impl Serialize for Builtin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.key)
    }
}

impl<'de> Deserialize<'de> for Builtin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Builtin, D::Error> {
        let key = Cow::<str>::deserialize(deserializer)?;
        builtin(&key)
            .ok_or_else(|| D::Error::custom(format!("no function {key} in this version of Pando")))
    }
}

struct Registry {
    entries: Vec<Entry>,
    by_key: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let entries: Vec<Entry> = super::rows().iter().filter_map(Entry::read).collect();
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    let mut by_key = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        by_name.entry(entry.name.clone()).or_default().push(index);
        by_key.insert(entry.key.clone(), index);
    }
    Registry {
        entries,
        by_key,
        by_name,
    }
});

/// All of them.
pub fn builtins() -> impl Iterator<Item = Builtin> {
    REGISTRY.entries.iter().map(Builtin)
}

/// The one with this key.
pub fn builtin(key: &str) -> Option<Builtin> {
    let index = *REGISTRY.by_key.get(key)?;
    REGISTRY.entries.get(index).map(Builtin)
}

/// The overloads of a name.
pub(crate) fn overloads(name: &str) -> impl Iterator<Item = Builtin> {
    let found = REGISTRY.by_name.get(name).map_or(&[][..], Vec::as_slice);
    found
        .iter()
        .filter_map(|index| REGISTRY.entries.get(*index).map(Builtin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_stands_once() {
        let rows = super::super::rows();
        for row in &rows {
            assert!(Entry::read(row).is_some(), "{}", row.signature);
        }
        assert_eq!(
            rows.len(),
            REGISTRY.by_key.len(),
            "a signature stands twice"
        );
        let mut names: Vec<_> = builtins()
            .map(|builtin| (builtin.sqlite_name(), builtin.arity()))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name in SQLite stands twice");
    }

    #[test]
    fn a_function_is_kept_by_its_signature() {
        let found = builtin("lower(text)").expect("lower");
        let kept = serde_json::to_string(&found).expect("text");
        assert_eq!(kept, "\"lower(text)\"");
        assert_eq!(serde_json::from_str::<Builtin>(&kept).ok(), Some(found));
    }
}
