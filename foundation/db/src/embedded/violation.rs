//! Says in Postgres' words which constraint a failed write broke.
//!
//! SQLite names columns for uniqueness and nulls, the constraint for checks, and nothing for foreign keys; the rest is
//! looked up here, on the failure path only. Who is subject to policies on the table learns no value of any row: the
//! details Postgres leaves out are left out.

use super::deferred::{Orphan, orphan};
use super::mutate::Parameters;
use pando_plan::{MutationPlan, Reference};
use pando_sql::catalog::{ForeignKey, Table};
use pando_sql::ddl::{MATCH_FULL, TYPE_CHECK, index_of_file_name};
use pando_sql::expr::Expr;
use pando_sql::{Catalog, SqlError, Statement, Type, Value};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, ffi};

/// Rows looked at to find the one that broke a foreign key; beyond, the message names no constraint.
const ROWS_SEARCHED_MAX: usize = 1_000;
/// Postgres shows this many characters of each value of a failing row.
const SHOWN_CHARACTERS_MAX: usize = 64;

/// Explains an error of a write; what is no broken constraint is passed on.
pub(super) fn explain(
    conn: &Connection,
    plan: &MutationPlan,
    parameters: &Parameters<'_>,
    error: rusqlite::Error,
) -> SqlError {
    let (code, message) = match &error {
        rusqlite::Error::SqliteFailure(failure, Some(message))
            if failure.code == ErrorCode::ConstraintViolation =>
        {
            (failure.extended_code, message.clone())
        }
        _ => return super::error::sql_error(error),
    };
    let case = Case {
        conn,
        plan,
        parameters,
    };
    // Postgres looks at the policies before it looks at constraints.
    if let Some(refused) = case.refused() {
        return refused;
    }
    let told = |prefix: &str| {
        message
            .split_once(prefix)
            .map(|(_, rest)| rest.trim().to_owned())
    };
    let explained = match code {
        ffi::SQLITE_CONSTRAINT_NOTNULL => {
            told("NOT NULL constraint failed:").map(|column| case.not_null(&column))
        }
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => {
            told("UNIQUE constraint failed:").map(|columns| case.unique(&columns))
        }
        ffi::SQLITE_CONSTRAINT_CHECK => {
            told("CHECK constraint failed:").map(|name| case.check(&name))
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Some(case.foreign_key()),
        // `on delete restrict` is a trigger inside SQLite.
        ffi::SQLITE_CONSTRAINT_TRIGGER if message.starts_with("FOREIGN KEY") => {
            Some(case.foreign_key())
        }
        _ => None,
    };
    explained.unwrap_or_else(|| super::error::sql_error(error))
}

/// Names the constraint that a statement broke of which no more is known than what SQLite says; shows no values.
pub(super) fn named(catalog: &Catalog, error: rusqlite::Error) -> SqlError {
    let rusqlite::Error::SqliteFailure(failure, Some(message)) = &error else {
        return super::error::sql_error(error);
    };
    if failure.code != ErrorCode::ConstraintViolation {
        return super::error::sql_error(error);
    }
    let of = |file_name: &str| {
        catalog
            .tables
            .values()
            .find(|table| table.file_name() == file_name)
    };
    let places = |prefix: &str| -> Option<(String, Vec<String>)> {
        let (_, places) = message.split_once(prefix)?;
        let mut table = String::new();
        let mut columns = Vec::new();
        for place in places.trim().split(", ") {
            let (of, column) = place.rsplit_once('.')?;
            of.clone_into(&mut table);
            columns.push(column.to_owned());
        }
        Some((table, columns))
    };
    if let Some((table, columns)) = places("NOT NULL constraint failed:") {
        let name = of(&table).map_or(table.as_str(), |table| table.name.as_str());
        return SqlError::new(
            "23502",
            format!(
                "null value in column \"{}\" of relation \"{name}\" violates not-null constraint",
                columns.join(", ")
            ),
        );
    }
    let duplicate = |name: &str| {
        SqlError::new(
            "23505",
            format!("duplicate key value violates unique constraint \"{name}\""),
        )
    };
    if let Some((_, index)) = message.split_once("UNIQUE constraint failed: index '") {
        return duplicate(index_of_file_name(index.trim_end_matches('\'')));
    }
    if let Some((table, columns)) = places("UNIQUE constraint failed:") {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        return duplicate(&match of(&table) {
            Some(table) => key_name(table, &columns),
            None => format!("{table}_{}_key", columns.join("_")),
        });
    }
    if let Some((_, name)) = message.split_once("CHECK constraint failed: ") {
        if let Some(column) = name.strip_prefix(TYPE_CHECK) {
            return out_of_type(catalog, column);
        }
        let table = catalog
            .tables
            .values()
            .find(|table| table.checks.iter().any(|check| check.name == name))
            .map_or("", |table| table.name.as_str());
        return SqlError::new(
            "23514",
            format!("new row for relation \"{table}\" violates check constraint \"{name}\""),
        );
    }
    super::error::sql_error(error)
}

/// A value that its column's type can't hold, where only the column's name is known.
fn out_of_type(catalog: &Catalog, column: &str) -> SqlError {
    let limit = catalog
        .tables
        .values()
        .flat_map(|table| &table.columns)
        .filter(|known| known.name == column)
        .find_map(|known| match &known.ty {
            Type::Varchar(Some(limit)) => Some(*limit),
            _ => None,
        });
    match limit {
        Some(limit) => SqlError::new(
            "22001",
            format!("value too long for type character varying({limit})"),
        ),
        None => SqlError::new(
            "22003",
            format!("the value of column \"{column}\" is out of range for its type"),
        ),
    }
}

/// Says which foreign key a request left broken that is looked at once it is done.
pub(super) fn deferred(conn: &Connection, plan: &MutationPlan) -> SqlError {
    let constraints = &plan.constraints;
    let shown = constraints.shows_values;
    let table = &constraints.table;
    let looked_at = |key: &ForeignKey| key.deferred;
    if let Ok(Some(orphan)) = orphan(conn, std::iter::once(&**table), looked_at) {
        let error = missing_parent(&orphan);
        let hidden = format!(
            "Key is not present in table \"{}\".",
            orphan.key.foreign_table
        );
        return if shown { error } else { error.detail(hidden) };
    }
    let others = constraints.references.iter().map(|other| &*other.table);
    if let Ok(Some(orphan)) = orphan(conn, others, looked_at) {
        let error = SqlError::new(
            "23503",
            format!(
                "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                table.name, orphan.key.name, orphan.table.name
            ),
        );
        let key = if shown {
            let names = orphan.key.foreign_columns.join(", ");
            format!("Key ({names})=({})", printed(&orphan))
        } else {
            "Key".to_owned()
        };
        return error.detail(format!(
            "{key} is still referenced from table \"{}\".",
            orphan.table.name
        ));
    }
    super::deferred::unexplained()
}

fn printed(orphan: &Orphan<'_>) -> String {
    let columns = orphan.key.columns.iter();
    let values: Vec<String> = columns
        .zip(&orphan.values)
        .map(|(name, value)| {
            orphan
                .table
                .column(name)
                .map_or_else(String::new, |column| shown(value, &column.ty))
        })
        .collect();
    values.join(", ")
}

/// A row whose foreign key refers to nothing.
pub(crate) fn missing_parent(orphan: &Orphan<'_>) -> SqlError {
    SqlError::new(
        "23503",
        format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            orphan.table.name, orphan.key.name
        ),
    )
    .detail(format!(
        "Key ({})=({}) is not present in table \"{}\".",
        orphan.key.columns.join(", "),
        printed(orphan),
        orphan.key.foreign_table
    ))
}

struct Case<'a> {
    conn: &'a Connection,
    plan: &'a MutationPlan,
    parameters: &'a Parameters<'a>,
}

impl Case<'_> {
    fn table(&self) -> &Table {
        &self.plan.constraints.table
    }

    fn refused(&self) -> Option<SqlError> {
        let refusal = self.plan.constraints.refusal.as_ref()?;
        if self.rows(refusal).is_empty() {
            return None;
        }
        let table = &self.table().name;
        Some(SqlError::new(
            "42501",
            format!("new row violates row-level security policy for table \"{table}\""),
        ))
    }

    fn not_null(&self, place: &str) -> SqlError {
        let (table, column) = self.place(place);
        let error = SqlError::new(
            "23502",
            format!(
                "null value in column \"{column}\" of relation \"{table}\" violates not-null constraint"
            ),
        );
        let position = self
            .table()
            .columns
            .iter()
            .position(|known| known.name == column);
        let row = self
            .proposed()
            .into_iter()
            .find(|row| position.is_some_and(|at| row[at].is_null()));
        self.with_row(error, row.filter(|_| table == self.table().name))
    }

    fn check(&self, name: &str) -> SqlError {
        let table = &self.table().name;
        if let Some(key) = name.strip_prefix(MATCH_FULL) {
            return SqlError::new(
                "23503",
                format!(
                    "insert or update on table \"{table}\" violates foreign key constraint \"{key}\""
                ),
            )
            .detail("MATCH FULL does not allow mixing of null and nonnull key values.");
        }
        let error = SqlError::new(
            "23514",
            format!("new row for relation \"{table}\" violates check constraint \"{name}\""),
        );
        let mut rows = self.proposed();
        // Which of several rows failed isn't told.
        let row = if rows.len() == 1 { rows.pop() } else { None };
        self.with_row(error, row)
    }

    fn with_row(&self, error: SqlError, row: Option<Vec<Value>>) -> SqlError {
        match row.filter(|_| self.plan.constraints.shows_values) {
            Some(row) => {
                let values: Vec<String> = row
                    .iter()
                    .zip(&self.table().columns)
                    .map(|(value, column)| {
                        let text = shown(value, &column.ty);
                        match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
                            Some((end, _)) => format!("{}...", &text[..end]),
                            None => text,
                        }
                    })
                    .collect();
                error.detail(format!("Failing row contains ({}).", values.join(", ")))
            }
            None => error,
        }
    }

    fn unique(&self, places: &str) -> SqlError {
        let message =
            |name: &str| format!("duplicate key value violates unique constraint \"{name}\"");
        if let Some(index) = places.strip_prefix("index '") {
            let name = index_of_file_name(index.trim_end_matches('\''));
            let error = SqlError::new("23505", message(name));
            let columns = columns_of(self.table(), name);
            let row = self.proposed().pop();
            let shown = row
                .zip(columns)
                .filter(|_| self.plan.constraints.shows_values);
            return match shown
                .and_then(|(row, columns)| Some((self.pick(&row, &columns)?, columns)))
            {
                Some((key, columns)) => error.detail(format!(
                    "{} already exists.",
                    self.key_text(self.table(), &columns, &key)
                )),
                None => error,
            };
        }
        let places: Vec<(String, String)> =
            places.split(", ").map(|place| self.place(place)).collect();
        let columns: Vec<&str> = places.iter().map(|(_, column)| column.as_str()).collect();
        let table = places.first().map_or("", |(table, _)| table.as_str());
        if table != self.table().name {
            // A cascade ran into another table's key.
            return SqlError::new(
                "23505",
                message(&format!("{table}_{}_key", columns.join("_"))),
            );
        }
        let name = key_name(self.table(), &columns);
        let error = SqlError::new("23505", message(&name));
        if !self.plan.constraints.shows_values {
            return error;
        }
        let keys: Vec<Vec<Value>> = self
            .proposed()
            .iter()
            .filter_map(|row| self.pick(row, &columns))
            .collect();
        let table = self.table();
        let taken = keys
            .iter()
            .find(|key| self.exists(table, &columns, key))
            .or(keys.first());
        match taken {
            Some(key) => error.detail(format!(
                "{} already exists.",
                self.key_text(table, &columns, key)
            )),
            None => error,
        }
    }

    fn foreign_key(&self) -> SqlError {
        for row in self.proposed().iter().take(ROWS_SEARCHED_MAX) {
            if let Some(error) = self
                .table()
                .foreign_keys
                .iter()
                .find_map(|key| self.missing(key, row))
            {
                return error;
            }
        }
        if let Some(before) = &self.plan.constraints.before {
            let rows = self.rows(before);
            let shown = self.plan.constraints.shows_values;
            if let Some(error) = self.referenced(
                self.table(),
                &rows,
                &self.plan.constraints.references,
                shown,
            ) {
                return error;
            }
        }
        let table = &self.table().name;
        SqlError::new(
            "23503",
            format!(
                "insert, update or delete on table \"{table}\" violates a foreign key constraint"
            ),
        )
    }

    /// A row whose foreign key refers to nothing.
    fn missing(&self, key: &ForeignKey, row: &[Value]) -> Option<SqlError> {
        let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
        let foreign: Vec<&str> = key.foreign_columns.iter().map(String::as_str).collect();
        let value = self.pick(row, &columns)?;
        let itself =
            key.foreign_table == self.table().name && key.foreign_schema == self.table().schema;
        let satisfied = value.iter().any(Value::is_null)
            || itself && self.pick(row, &foreign).as_ref() == Some(&value)
            || self.exists_in(
                &pando_sql::Catalog::file_name(&key.foreign_schema, &key.foreign_table),
                &foreign,
                &value,
            );
        if satisfied {
            return None;
        }
        let error = SqlError::new(
            "23503",
            format!(
                "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                self.table().name,
                key.name
            ),
        );
        Some(error.detail(if self.plan.constraints.shows_values {
            format!(
                "{} is not present in table \"{}\".",
                self.key_text(self.table(), &columns, &value),
                key.foreign_table
            )
        } else {
            format!("Key is not present in table \"{}\".", key.foreign_table)
        }))
    }

    /// A row that others refer to, directly or through rows that would go with it.
    fn referenced(
        &self,
        table: &Table,
        rows: &[Vec<Value>],
        references: &[Reference],
        shown: bool,
    ) -> Option<SqlError> {
        for reference in references {
            let columns: Vec<&str> = reference.key.columns.iter().map(String::as_str).collect();
            let foreign: Vec<&str> = reference
                .key
                .foreign_columns
                .iter()
                .map(String::as_str)
                .collect();
            for row in rows.iter().take(ROWS_SEARCHED_MAX) {
                let Some(value) =
                    pick(table, row, &foreign).filter(|value| !value.iter().any(Value::is_null))
                else {
                    continue;
                };
                if !reference.further.is_empty() {
                    let all: Vec<&str> = reference
                        .table
                        .columns
                        .iter()
                        .map(|column| column.name.as_str())
                        .collect();
                    let children =
                        self.select(&reference.table.file_name(), &all, &columns, &value);
                    // What a cascade met may be hidden from the caller.
                    let error =
                        self.referenced(&reference.table, &children, &reference.further, false);
                    if error.is_some() {
                        return error;
                    }
                    continue;
                }
                if !reference.refuses || !self.exists(&reference.table, &columns, &value) {
                    continue;
                }
                let error = SqlError::new(
                    "23503",
                    format!(
                        "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                        table.name, reference.key.name, reference.table.name
                    ),
                );
                return Some(error.detail(if shown {
                    format!(
                        "{} is still referenced from table \"{}\".",
                        self.key_text(table, &foreign, &value),
                        reference.table.name
                    )
                } else {
                    format!(
                        "Key is still referenced from table \"{}\".",
                        reference.table.name
                    )
                }));
            }
        }
        None
    }

    fn key_text(&self, table: &Table, columns: &[&str], key: &[Value]) -> String {
        let values: Vec<String> = columns
            .iter()
            .zip(key)
            .map(|(name, value)| {
                table
                    .column(name)
                    .map_or_else(String::new, |column| shown(value, &column.ty))
            })
            .collect();
        format!("Key ({})=({})", columns.join(", "), values.join(", "))
    }

    fn pick(&self, row: &[Value], columns: &[&str]) -> Option<Vec<Value>> {
        pick(self.table(), row, columns)
    }

    fn exists(&self, table: &Table, columns: &[&str], key: &[Value]) -> bool {
        self.exists_in(&table.file_name(), columns, key)
    }

    fn exists_in(&self, file_name: &str, columns: &[&str], key: &[Value]) -> bool {
        !self
            .select(file_name, &columns[..columns.len().min(1)], columns, key)
            .is_empty()
    }

    /// Rows of a table by the values of some of its columns.
    fn select(
        &self,
        file_name: &str,
        wanted: &[&str],
        columns: &[&str],
        key: &[Value],
    ) -> Vec<Vec<Value>> {
        let mut statement = Statement::new();
        statement.push("SELECT ");
        for (index, column) in wanted.iter().enumerate() {
            statement
                .push(if index > 0 { ", " } else { "" })
                .ident(column);
        }
        statement.push(" FROM ").ident(file_name);
        for (index, (column, value)) in columns.iter().zip(key).enumerate() {
            statement
                .push(if index > 0 { " AND " } else { " WHERE " })
                .ident(column)
                .push(" = ");
            statement.bind(pando_sql::Bind::Const(value.clone()));
        }
        statement.push(&format!(" LIMIT {ROWS_SEARCHED_MAX}"));
        self.rows(&statement)
    }

    /// The rows as they would have become.
    fn proposed(&self) -> Vec<Vec<Value>> {
        self.plan
            .constraints
            .after
            .as_ref()
            .map_or_else(Vec::new, |after| self.rows(after))
    }

    /// What a statement finds; nothing if it fails, because this only explains another failure.
    fn rows(&self, statement: &Statement) -> Vec<Vec<Value>> {
        let read = || -> rusqlite::Result<Vec<Vec<Value>>> {
            let mut prepared = self.conn.prepare_cached(&statement.sql)?;
            let width = prepared.column_count();
            self.parameters.bind(&mut prepared, &statement.binds)?;
            let mut rows = prepared.raw_query();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(
                    (0..width)
                        .map(|index| Ok(value(row.get_ref(index)?)))
                        .collect::<rusqlite::Result<_>>()?,
                );
                if found.len() >= ROWS_SEARCHED_MAX {
                    break;
                }
            }
            Ok(found)
        };
        read().unwrap_or_default()
    }

    /// `table.column` as SQLite tells it, with the table's own name.
    fn place(&self, place: &str) -> (String, String) {
        let (table, column) = place.rsplit_once('.').unwrap_or(("", place));
        let name = table.rsplit('.').next().unwrap_or(table);
        (name.to_owned(), column.to_owned())
    }
}

fn pick(table: &Table, row: &[Value], columns: &[&str]) -> Option<Vec<Value>> {
    columns
        .iter()
        .map(|name| {
            let position = table
                .columns
                .iter()
                .position(|column| column.name == **name)?;
            row.get(position).cloned()
        })
        .collect()
}

/// The columns of a unique constraint or index, if it has nothing else.
fn columns_of<'a>(table: &'a Table, name: &str) -> Option<Vec<&'a str>> {
    if let Some(key) = table.uniques.iter().find(|key| key.name == name) {
        return Some(key.columns.iter().map(String::as_str).collect());
    }
    let index = table.indexes.iter().find(|index| index.name == name)?;
    index
        .parts
        .iter()
        .map(|part| match &part.expr {
            Expr::Column { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect()
}

/// The name of the unique constraint or index on columns.
fn key_name(table: &Table, columns: &[&str]) -> String {
    let same = |names: &[&str]| {
        names.len() == columns.len() && names.iter().all(|name| columns.contains(name))
    };
    let keys = table.primary_key.iter().chain(&table.uniques);
    for key in keys {
        if same(&key.columns.iter().map(String::as_str).collect::<Vec<_>>()) {
            return key.name.clone();
        }
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        let names: Vec<&str> = index
            .parts
            .iter()
            .filter_map(|part| match &part.expr {
                Expr::Column { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        if same(&names) {
            return index.name.clone();
        }
    }
    format!("{}_{}_key", table.name, columns.join("_"))
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(bytes) => Value::text(String::from_utf8_lossy(bytes)),
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    }
}

/// A value as Postgres prints it in the details of an error.
fn shown(value: &Value, ty: &Type) -> String {
    match (value, ty) {
        (Value::Null, _) => "null".to_owned(),
        (Value::Int(int), Type::Bool) => if *int == 1 { "t" } else { "f" }.to_owned(),
        (Value::Int(int), _) => int.to_string(),
        (Value::Real(real), _) => real.to_string(),
        (Value::Text(text), Type::Timestamptz) => {
            text.replacen('T', " ", 1).replace("+00:00", "+00")
        }
        (Value::Text(text), Type::Timestamp) => text.replacen('T', " ", 1),
        (Value::Text(text), _) => text.to_string(),
        (Value::Blob(bytes), _) => bytes.iter().fold(String::from("\\x"), |text, byte| {
            format!("{text}{byte:02x}")
        }),
    }
}
