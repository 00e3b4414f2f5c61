//! The oracle: real Postgres. A schema lives in one transaction, which is never committed.

use crate::engine::{Engine, Outcome, Who};
use crate::json;
use anyhow::{Context as _, Result};
use pando_testkit::postgres::Database;
use postgres::{Client, SimpleQueryMessage};

/// A connection with a transaction open.
pub struct OnPostgres {
    client: Client,
    /// Whether the types of columns are asked for too, which costs a round trip.
    pub types: bool,
}

impl OnPostgres {
    /// A connection to this database, with no table in it.
    pub fn open(database: &Database<'_>) -> Result<OnPostgres> {
        let mut client = database.connect()?;
        client.batch_execute("begin")?;
        Ok(OnPostgres {
            client,
            types: false,
        })
    }

    /// Everything as it was before the first statement.
    pub fn reset(&mut self) -> Result<()> {
        self.client
            .batch_execute("rollback; begin")
            .context("begin anew")
    }

    /// Asks as the superuser, who sees everything.
    pub fn ask(&mut self, sql: &str) -> Result<Vec<Option<String>>> {
        let messages = self.client.simple_query(sql)?;
        Ok(first_column(&messages))
    }

    /// How it would run a statement, in its words.
    pub fn plan(&mut self, who: &Who, sql: &str) -> String {
        let plan = self.attempt(&identity(who), &format!("explain (verbose) {sql}"));
        let text = plan.as_ref().map_or_else(
            |_| String::new(),
            |lines| {
                lines
                    .iter()
                    .flatten()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("\n")
            },
        );
        self.finish(match plan {
            Ok(_) => Outcome::Done {
                rows: Vec::new(),
                types: Vec::new(),
            },
            Err(failed) => failed,
        });
        text
    }

    fn attempt(&mut self, before: &str, sql: &str) -> Result<Vec<Option<String>>, Outcome> {
        let messages = self
            .client
            .simple_query(&format!("savepoint s; {before}{sql}"))
            .map_err(|error| failed(&error))?;
        Ok(first_column(&messages))
    }

    fn finish(&mut self, outcome: Outcome) -> Outcome {
        let end = if matches!(outcome, Outcome::Failed { .. }) {
            "rollback to savepoint s; release savepoint s"
        } else {
            "release savepoint s"
        };
        // Constraints that wait for the commit speak now: a statement is a transaction to whoever sends it.
        match self.client.batch_execute(&format!(
            "set constraints all immediate; {end}; reset role; set constraints all deferred"
        )) {
            Ok(()) => outcome,
            Err(error) => {
                let failure = failed(&error);
                let undone = self.client.batch_execute(
                    "rollback to savepoint s; release savepoint s; reset role; set constraints all deferred",
                );
                match (undone, outcome) {
                    (Ok(()), Outcome::Done { .. }) => failure,
                    (_, outcome) => outcome,
                }
            }
        }
    }
}

impl Engine for OnPostgres {
    fn migrate(&mut self, sql: &str) -> Outcome {
        let outcome = match self.attempt("", sql) {
            Ok(_) => Outcome::Done {
                rows: Vec::new(),
                types: Vec::new(),
            },
            Err(failed) => failed,
        };
        self.finish(outcome)
    }

    fn run(&mut self, who: &Who, sql: &str) -> Outcome {
        let outcome = match self.attempt(&identity(who), &as_json(sql)) {
            // The first row is the one of set_config.
            Ok(column) => Outcome::Done {
                rows: column
                    .get(1)
                    .and_then(|json| json.as_deref())
                    .map(json::members)
                    .unwrap_or_default(),
                types: if self.types && returns_rows(sql) {
                    self.types_of(sql)
                } else {
                    Vec::new()
                },
            },
            Err(failed) => failed,
        };
        self.finish(outcome)
    }

    fn content(&mut self, table: &str) -> Vec<String> {
        let sql = format!("select row_to_json(t)::text from {table} t");
        let mut rows: Vec<String> = self
            .ask(&sql)
            .unwrap_or_default()
            .into_iter()
            .flatten()
            .map(|row| json::canonical(&row))
            .collect();
        rows.sort();
        rows
    }
}

impl OnPostgres {
    fn types_of(&mut self, sql: &str) -> Vec<String> {
        self.client
            .prepare(sql)
            .map(|statement| {
                let columns = statement.columns().iter();
                columns
                    .map(|column| column.type_().name().to_owned())
                    .collect()
            })
            .unwrap_or_default()
    }
}

/// What makes the connection somebody's.
fn identity(who: &Who) -> String {
    format!(
        "set local role {}; select set_config('request.jwt.claims', {}, true); ",
        who.role,
        crate::ty::quoted(&who.claims())
    )
}

/// Whether the statement gives rows.
pub fn returns_rows(sql: &str) -> bool {
    let first = sql.split_whitespace().next().unwrap_or_default();
    matches!(first, "select" | "with" | "values" | "(select")
        || (first != "explain" && sql.contains(" returning "))
}

/// The statement, so that it answers one JSON array. What it raises stays the same.
fn as_json(sql: &str) -> String {
    if !returns_rows(sql) {
        return sql.to_owned();
    }
    format!(
        "with pando_answer as ({sql}) select coalesce(json_agg(row_to_json(pando_answer)), '[]')::text from pando_answer"
    )
}

fn first_column(messages: &[SimpleQueryMessage]) -> Vec<Option<String>> {
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        })
        .collect()
}

fn failed(error: &postgres::Error) -> Outcome {
    match error.as_db_error() {
        Some(error) => Outcome::Failed {
            state: error.code().code().to_owned(),
            message: error.message().to_owned(),
        },
        None => Outcome::Failed {
            state: "08006".to_owned(),
            message: error.to_string(),
        },
    }
}
