//! Whether SQLite finds the file whole, asked of a copy while the server is down, so that looking changes nothing.

use crate::checker::{Breach, Violation, violation};
use anyhow::{Context, Result};
use pando_sql::Value;
use pando_sql::functions::{collations, functions};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Runs `pragma integrity_check` and `foreign_key_check` over a copy of the database in this directory and its log.
pub fn check(data: &Path) -> Result<Vec<Violation>> {
    let folder = tempfile::tempdir().context("make a folder for the copy")?;
    for name in ["pando.db", "pando.db-wal"] {
        match fs::read(data.join(name)) {
            Ok(bytes) => fs::write(folder.path().join(name), bytes)?,
            // A power cut in the first start leaves nothing.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("copy {name}")),
        }
    }
    let path = folder.path().join("pando.db");
    if !path.exists() {
        return Ok(Vec::new());
    }
    check_file(&path)
}

/// The same of this very file, which nobody else uses.
pub fn check_file(path: &Path) -> Result<Vec<Violation>> {
    let complaints = complaints(path).unwrap_or_else(|error| vec![error.to_string()]);
    Ok(complaints
        .into_iter()
        .map(|text| violation(Breach::Corrupt, text))
        .collect())
}

fn complaints(path: &Path) -> rusqlite::Result<Vec<String>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    register(&connection)?;
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found: Vec<String> = lines.collect::<rusqlite::Result<_>>()?;
    found.retain(|line| line != "ok");
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let broken = statement.query_map([], |row| row.get::<_, String>(0))?;
    for table in broken {
        found.push(format!("a row of {} refers to none", table?));
    }
    Ok(found)
}

/// The functions and collations that our tables and indexes use.
fn register(connection: &Connection) -> rusqlite::Result<()> {
    for function in functions() {
        let mut flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        flags.set(
            FunctionFlags::SQLITE_DETERMINISTIC,
            function.is_deterministic(),
        );
        connection.create_scalar_function(
            function.sqlite_name(),
            function.arity(),
            flags,
            move |context| {
                let arguments: Vec<Value> = (0..context.len())
                    .map(|index| value(context.get_raw(index)))
                    .collect();
                match function.call(&arguments) {
                    Ok(answer) => Ok(Answer(answer)),
                    Err(error) => Err(rusqlite::Error::UserFunctionError(error.to_string().into())),
                }
            },
        )?;
    }
    for collation in collations() {
        connection.create_collation(collation.name, collation.compare)?;
    }
    Ok(())
}

fn value(from: ValueRef<'_>) -> Value {
    match from {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    }
}

struct Answer(Value);

impl rusqlite::ToSql for Answer {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(int) => ValueRef::Integer(*int),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
