//! Tables with policies, and mutations on them by different callers.

use crate::embedded::connection::{self, Mode};
use crate::embedded::migrator;
use crate::embedded::mutate::{Changed, run};
use crate::embedded::sequences::Sequences;
use crate::migration::Migration;
use pando_kernel::{Role, Timestamp};
use pando_plan::request::{
    Change, Expect, Filter, Input, Item, Mutation, Node, OnConflict, Op, Path, Slot, Test,
};
use pando_plan::{PlanError, PlanLimits, plan_mutation};
use pando_sql::{Bind, Catalog, SqlError, Value};
use rusqlite::Connection;
use serde_json::value::RawValue;
use std::cell::Cell;
use std::collections::HashMap;
use std::path::PathBuf;

const LIMITS: PlanLimits = PlanLimits {
    embed_depth_max: 4,
    page_rows_max: 100,
    allow_unprotected: false,
};

pub(crate) struct Bed {
    pub(crate) catalog: Catalog,
    pub(crate) conn: Connection,
    sequences: Sequences,
    migrations: usize,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct As(pub(crate) Role, pub(crate) Option<&'static str>);

pub(crate) const SERVICE: As = As(Role::Service, None);
pub(crate) const ANN: As = As(Role::Authenticated, Some("ann"));

impl Bed {
    /// Runs one more migration; says why it does not run.
    pub(crate) fn migrate(&mut self, sql: &str) -> Result<(), String> {
        self.migrations += 1;
        let migration = Migration {
            version: format!("{:04}", self.migrations).into(),
            name: "schema".into(),
            file: "schema.sql".into(),
            sql: sql.to_owned().into(),
        };
        let ran = migrator::migrate(
            &mut self.conn,
            &self.sequences,
            "team",
            &[migration],
            Timestamp(1_704_067_200_000_000),
        );
        self.catalog = ran.map_err(|error| error.to_string())?.1;
        Ok(())
    }

    /// Plans and runs a mutation in a savepoint, as the writer does.
    pub(crate) fn change(
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
        self.sequences.begin();
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
    pub(crate) fn stored(&self, sql: &str) -> String {
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

pub(crate) fn mutation(table: &str, change: Change) -> Mutation {
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

pub(crate) fn insert(table: &str, columns: &[&str]) -> Mutation {
    mutation(
        table,
        Change::Insert {
            columns: names(columns),
            on_conflict: None,
            missing_default: false,
        },
    )
}

pub(crate) fn upsert(table: &str, columns: &[&str], key: &[&str], merge: bool) -> Mutation {
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

pub(crate) fn update(table: &str, columns: &[&str]) -> Mutation {
    mutation(
        table,
        Change::Update {
            columns: names(columns),
        },
    )
}

pub(crate) fn delete(table: &str) -> Mutation {
    mutation(table, Change::Delete)
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| (*column).to_owned()).collect()
}

pub(crate) trait MutationExt {
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

pub(crate) fn text(text: &str) -> Input {
    Input::Text(text.to_owned())
}

pub(crate) fn body(changed: &Changed) -> serde_json::Value {
    serde_json::from_slice(changed.body.as_ref().unwrap()).unwrap()
}

/// The state and message of a refusal.
pub(crate) fn refusal(outcome: Result<Changed, SqlError>) -> (String, String) {
    let error = outcome.unwrap_err();
    (error.state.to_string(), error.message)
}

/// A database with a migration run on it.
pub(crate) fn migrated(schema: &str) -> Bed {
    let memory = PathBuf::from(":memory:");
    let (conn, _) = connection::open(&memory, Mode::Write).unwrap();
    migrator::prepare(&conn, &memory).unwrap();
    let sequences = Sequences::load(&conn).unwrap();
    let mut bed = Bed {
        catalog: Catalog::default(),
        conn,
        sequences,
        migrations: 0,
    };
    bed.migrate(schema)
        .unwrap_or_else(|error| panic!("{error}"));
    bed
}
