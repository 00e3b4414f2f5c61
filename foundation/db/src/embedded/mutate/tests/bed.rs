//! Tables with policies, and mutations on them by different callers.

use crate::embedded::mutate::{Changed, run};
use pando_kernel::Role;
use pando_plan::request::{
    Change, Expect, Filter, Input, Item, Mutation, Node, OnConflict, Op, Path, Slot, Test,
};
use pando_plan::{PlanError, PlanLimits, plan_mutation};
use pando_sql::{Bind, Catalog, SqlError, Value};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use serde_json::value::RawValue;
use std::cell::Cell;
use std::collections::HashMap;

const LIMITS: PlanLimits = PlanLimits {
    embed_depth_max: 4,
    page_rows_max: 100,
    allow_unprotected: false,
};

pub(super) struct Bed {
    pub(super) catalog: Catalog,
    pub(super) conn: Connection,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(super) struct As(pub(super) Role, pub(super) Option<&'static str>);

pub(super) const SERVICE: As = As(Role::Service, None);
pub(super) const ANN: As = As(Role::Authenticated, Some("ann"));

impl Bed {
    /// Plans and runs a mutation in a savepoint, as the writer does.
    pub(super) fn change(
        &self,
        who: As,
        mutation: &Mutation,
        inputs: &[Input],
        rows: &str,
    ) -> Result<Changed, SqlError> {
        let plan = match plan_mutation(&self.catalog, who.0, mutation, &LIMITS) {
            Ok(plan) => plan,
            Err(PlanError::Sql(error)) => return Err(error),
            Err(other) => panic!("{other}"),
        };
        let inputs = plan.bind(inputs)?;
        let columns = match &mutation.change {
            Change::Insert { columns, .. } | Change::Update { columns } => columns.as_slice(),
            Change::Delete => &[],
        };
        // Raw members, so that no number passes through a float.
        let rows: Vec<HashMap<String, Box<RawValue>>> = serde_json::from_str(rows).unwrap();
        let rows: Vec<Vec<Value>> = rows
            .iter()
            .map(|row| {
                let cells: Vec<Option<&RawValue>> = columns
                    .iter()
                    .map(|name| row.get(name).map(AsRef::as_ref))
                    .collect();
                plan.bind_row(&cells)
            })
            .collect::<Result<_, _>>()?;
        let drawn = Cell::new(0);
        let identity = |bind: &Bind| match bind {
            Bind::Uid => Value::from(who.1),
            Bind::Role => who.0.name().into(),
            Bind::Now => "2024-01-01T00:00:00+00:00".into(),
            Bind::RandomUuid => {
                drawn.set(drawn.get() + 1);
                format!("00000000-0000-4000-8000-{:012}", drawn.get()).into()
            }
            other => panic!("unexpected {other:?}"),
        };
        self.conn.execute_batch("SAVEPOINT request").unwrap();
        let outcome = run(&self.conn, &plan, &inputs, &rows, &identity);
        self.conn
            .execute_batch(if outcome.is_ok() {
                "RELEASE request"
            } else {
                "ROLLBACK TO request; RELEASE request"
            })
            .unwrap();
        outcome
    }

    /// What a query finds, as one line: rows by `;`, columns by `,`.
    pub(super) fn stored(&self, sql: &str) -> String {
        let mut statement = self.conn.prepare(sql).unwrap();
        let width = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                let cells: Vec<String> = (0..width)
                    .map(
                        |index| match row.get::<_, rusqlite::types::Value>(index).unwrap() {
                            rusqlite::types::Value::Null => "null".to_owned(),
                            rusqlite::types::Value::Integer(int) => int.to_string(),
                            rusqlite::types::Value::Text(text) => text,
                            other => format!("{other:?}"),
                        },
                    )
                    .collect();
                Ok(cells.join(","))
            })
            .unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap().join(";")
    }
}

pub(super) fn mutation(table: &str, change: Change) -> Mutation {
    Mutation {
        schema: "public".to_owned(),
        table: table.to_owned(),
        change,
        node: Node {
            items: vec![Item::Star],
            ..Node::default()
        },
        returning: false,
        keys: false,
        count: false,
        expect: Expect::Any,
    }
}

pub(super) fn insert(table: &str, columns: &[&str]) -> Mutation {
    mutation(
        table,
        Change::Insert {
            columns: names(columns),
            on_conflict: None,
            missing_default: false,
        },
    )
}

pub(super) fn upsert(table: &str, columns: &[&str], key: &[&str], merge: bool) -> Mutation {
    let on_conflict = Some(OnConflict {
        columns: names(key),
        merge,
    });
    mutation(
        table,
        Change::Insert {
            columns: names(columns),
            on_conflict,
            missing_default: false,
        },
    )
}

pub(super) fn update(table: &str, columns: &[&str]) -> Mutation {
    mutation(
        table,
        Change::Update {
            columns: names(columns),
        },
    )
}

pub(super) fn delete(table: &str) -> Mutation {
    mutation(table, Change::Delete)
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| (*column).to_owned()).collect()
}

pub(super) trait MutationExt {
    fn returning(self) -> Mutation;
    fn by(self, column: &str) -> Mutation;
}

impl MutationExt for Mutation {
    fn returning(mut self) -> Mutation {
        self.returning = true;
        self
    }

    /// Adds `column = input 0`.
    fn by(mut self, column: &str) -> Mutation {
        self.node.filters.push(Filter::Compare {
            path: Path {
                column: column.to_owned(),
                steps: Vec::new(),
            },
            negated: false,
            test: Test::Op(Op::Eq, Slot(0)),
        });
        self
    }
}

pub(super) fn text(text: &str) -> Input {
    Input::Text(text.to_owned())
}

pub(super) fn body(changed: &Changed) -> serde_json::Value {
    serde_json::from_slice(changed.body.as_ref().unwrap()).unwrap()
}

/// The state and message of a refusal.
pub(super) fn refusal(outcome: Result<Changed, SqlError>) -> (String, String) {
    let error = outcome.unwrap_err();
    (error.state.to_string(), error.message)
}

/// A database with a migration run on it.
pub(super) fn migrated(schema: &str) -> Bed {
    let conn = Connection::open_in_memory().unwrap();
    register(&conn);
    conn.execute_batch(
        "PRAGMA foreign_keys = on; CREATE TABLE \"pando.sequences\" (name TEXT PRIMARY KEY, last INTEGER)",
    )
    .unwrap();
    let migrated = pando_sql::migrate(&Catalog::default(), "schema.sql", schema)
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    for step in &migrated.steps {
        let values = step.sql.binds.iter().map(|bind| match bind {
            Bind::Const(value) => stored(value.clone()),
            other => panic!("unexpected {other:?}"),
        });
        conn.execute(&step.sql.sql, rusqlite::params_from_iter(values))
            .unwrap_or_else(|error| panic!("{error}: {}", step.sql.sql));
    }
    Bed {
        catalog: migrated.catalog,
        conn,
    }
}

/// Gives SQLite the functions and collations that plans call, as the engine does.
fn register(conn: &Connection) {
    for function in pando_sql::functions::functions() {
        conn.create_scalar_function(
            function.sqlite_name(),
            function.arity(),
            FunctionFlags::SQLITE_UTF8,
            move |context| {
                let arguments: Vec<Value> = (0..context.len())
                    .map(|index| match context.get_raw(index) {
                        ValueRef::Null => Value::Null,
                        ValueRef::Integer(int) => Value::Int(int),
                        ValueRef::Real(real) => Value::Real(real),
                        ValueRef::Text(bytes) => Value::text(std::str::from_utf8(bytes).unwrap()),
                        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
                    })
                    .collect();
                function
                    .call(&arguments)
                    .map(stored)
                    .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
            },
        )
        .unwrap();
    }
    for collation in pando_sql::functions::collations() {
        conn.create_collation(collation.name, collation.compare)
            .unwrap();
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
