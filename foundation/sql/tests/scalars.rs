//! Every operator, function and cast of the portable language against what a PostgreSQL 15 server answered.
//!
//! The files under `scalars/` hold an expression a line, a tab, its type, a tab and its value as the server printed them; or `ERROR` with
//! the SQLSTATE and the message. The columns they name are those of `scalars/table.sql`. Each is read, rendered and run on SQLite with the
//! engine's functions. A line that starts with `! ` is a difference that is meant (docs/portability.md): there ours stands behind theirs.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use pando_kernel::Role;
use pando_sql::expression::read_expression;
use pando_sql::functions::{self, Accumulate, SqlAggregate, collations};
use pando_sql::render::{Scope, render_expr};
use pando_sql::{Bind, Catalog, SqlError, Statement, Value, migrate};
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => Value::Int(int),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(bytes) => Value::text(std::str::from_utf8(bytes).unwrap()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    }
}

fn stored(value: Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Int(int) => int.into(),
        Value::Real(real) => real.into(),
        Value::Text(text) => text.to_string().into(),
        Value::Blob(bytes) => bytes.to_vec().into(),
    }
}

fn binds(statement: &Statement) -> Vec<rusqlite::types::Value> {
    statement
        .binds
        .iter()
        .map(|bind| match bind {
            Bind::Const(value) => stored(value.clone()),
            Bind::Now => "2024-05-06T07:08:09.123456+00:00".to_owned().into(),
            Bind::Today => "2024-05-06".to_owned().into(),
            Bind::RandomUuid => "00000000-0000-4000-8000-000000000000".to_owned().into(),
            Bind::Uid | Bind::Email | Bind::Jwt => rusqlite::types::Value::Null,
            Bind::Role => "anon".to_owned().into(),
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

struct Aggregated(&'static SqlAggregate);

fn raised(error: SqlError) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(format!("{}: {}", error.state, error.message).into())
}

impl Aggregate<Box<dyn Accumulate>, rusqlite::types::Value> for Aggregated {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Box<dyn Accumulate>> {
        Ok((self.0.begin)())
    }

    fn step(
        &self,
        context: &mut Context<'_>,
        state: &mut Box<dyn Accumulate>,
    ) -> rusqlite::Result<()> {
        let arguments: Vec<Value> = (0..context.len())
            .map(|index| value(context.get_raw(index)))
            .collect();
        state.step(&arguments).map_err(raised)
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        state: Option<Box<dyn Accumulate>>,
    ) -> rusqlite::Result<rusqlite::types::Value> {
        let state = state.unwrap_or_else(self.0.begin);
        state.finish().map(stored).map_err(raised)
    }
}

struct Bed {
    catalog: Catalog,
    conn: Connection,
}

fn bed() -> Bed {
    let conn = Connection::open_in_memory().unwrap();
    for function in functions::functions() {
        conn.create_scalar_function(
            function.sqlite_name(),
            function.arity(),
            FunctionFlags::SQLITE_UTF8,
            move |context| {
                let arguments: Vec<Value> = (0..context.len())
                    .map(|index| value(context.get_raw(index)))
                    .collect();
                function.call(&arguments).map(stored).map_err(raised)
            },
        )
        .unwrap();
    }
    for aggregate in functions::aggregates() {
        conn.create_aggregate_function(
            aggregate.name,
            aggregate.arity,
            FunctionFlags::SQLITE_UTF8,
            Aggregated(aggregate),
        )
        .unwrap();
    }
    for collation in collations() {
        conn.create_collation(collation.name, collation.compare)
            .unwrap();
    }
    let migrated = migrate(
        &Catalog::default(),
        "table.sql",
        include_str!("scalars/table.sql"),
    )
    .unwrap_or_else(|refusal| panic!("{refusal}"));
    for step in &migrated.steps {
        conn.execute(&step.sql.sql, rusqlite::params_from_iter(binds(&step.sql)))
            .unwrap_or_else(|error| panic!("{error}: {}", step.sql.sql));
    }
    Bed {
        catalog: migrated.catalog,
        conn,
    }
}

impl Bed {
    /// Type and value, or the error.
    fn answer(&self, text: &str) -> String {
        let table = self.catalog.table("public", "t").unwrap();
        let expr = match read_expression(&self.catalog, Some(table), text) {
            Ok(expr) => expr,
            Err(refusal) => {
                return match refusal.construct.strip_prefix("SQLSTATE ") {
                    Some(state) => format!("ERROR\t{state}: {}", refusal.reason),
                    None => format!("ERROR\t{refusal}"),
                };
            }
        };
        let ty = expr.ty();
        let mut out = Statement::new();
        out.push("SELECT ");
        render_expr(
            &self.catalog,
            Role::Service,
            &expr,
            &Scope::over("t"),
            &mut out,
        )
        .unwrap_or_else(|error| panic!("{text}: {error}"));
        out.push(" FROM t");
        let mut statement = self
            .conn
            .prepare(&out.sql)
            .unwrap_or_else(|error| panic!("{text}: {error}: {}", out.sql));
        let row = statement.query_row(rusqlite::params_from_iter(binds(&out)), |row| {
            Ok(value(row.get_ref(0)?))
        });
        match row {
            Ok(Value::Null) => format!("{}\tNULL", ty.base_name()),
            Ok(value) => format!(
                "{}\t{}",
                ty.base_name(),
                ty.print(&value).replace('\n', "\\n")
            ),
            Err(rusqlite::Error::SqliteFailure(_, Some(message))) => format!("ERROR\t{message}"),
            Err(error) => format!("ERROR\t{error}"),
        }
    }

    fn check(&self, file: &str) -> (usize, Vec<String>) {
        let mut wrong = Vec::new();
        let mut count = 0;
        for line in file.lines().filter(|line| !line.is_empty()) {
            count += 1;
            let (text, expected) = match line.strip_prefix("! ") {
                None => line.split_once('\t').unwrap(),
                Some(line) => {
                    let (text, rest) = line.split_once('\t').unwrap();
                    (text, rest.split_once(" || ").unwrap().1)
                }
            };
            let answer = self.answer(text);
            // Behind the message of an error stands its detail.
            let detailed = expected.starts_with("ERROR\t")
                && answer
                    .strip_prefix(expected)
                    .is_some_and(|detail| detail.starts_with(": "));
            if answer != expected && !detailed {
                wrong.push(format!(
                    "{text}\n   postgres: {expected}\n   ours:     {answer}"
                ));
            }
        }
        (count, wrong)
    }
}

macro_rules! files {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            let (count, wrong) = bed().check(include_str!(concat!("scalars/", stringify!($name), ".txt")));
            assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
        })*
    };
}

files!(numbers, times, texts, jsons, arrays, casts, aggregates);
