//! The grammar of REST: any query string, as a read and as the changes.
//!
//! An input is `METHOD table?query`. Promises: nothing panics; what can't be read or planned is a client's error with a message of bounded
//! length; what can is a statement that SQLite takes.

use crate::engine::{Engine, Ran};
use crate::mutate::LENGTH_MAX;
use crate::seen::Seen;
use crate::sql::{SCHEMA, TABLES};
use crate::target::Target;
use pando_data::RestError;
use pando_data::query::{Query, parse};
use pando_kernel::Role;
use pando_plan::request::{Change, Expect, Mutation, OnConflict, Read};
use pando_plan::{Fetch, PlanError, PlanLimits, Work, plan_mutation, plan_read};
use pando_sql::{Catalog, Statement};

const LIMITS: PlanLimits = PlanLimits {
    embed_depth_max: 8,
    page_rows_max: 100,
    allow_unprotected: true,
};
/// What an error may say beside the client's own text, bytes.
const MESSAGE_MAX: usize = 2_000;

/// A catalog to ask.
pub(crate) struct Rest {
    catalog: Catalog,
    engine: Engine,
}

impl Rest {
    pub(crate) fn new() -> Rest {
        let (engine, catalog) = Engine::with(&[TABLES, SCHEMA]);
        Rest { catalog, engine }
    }

    fn read(&self, table: &str, query: &Query, role: Role, seen: &mut Seen) -> Result<(), String> {
        let mut query = query.clone();
        query.set_page(query.limit, query.offset.unwrap_or(0));
        let read = Read {
            schema: "public".to_owned(),
            table: table.to_owned(),
            node: query.node,
            count: true,
            bodyless: false,
            values: false,
            call: None,
        };
        let plan = match plan_read(&self.catalog, role, &read, &LIMITS) {
            Ok(plan) => plan,
            Err(error) => return refused(error, role, seen),
        };
        seen.take();
        seen.statement("read", &plan.statement.sql);
        let inputs = match plan.bind(&query.inputs) {
            Ok(inputs) => inputs,
            Err(error) => return refused(error.into(), role, seen),
        };
        for statement in std::iter::once(&plan.statement).chain(&plan.count) {
            match self.engine.run(statement, &inputs)? {
                Ran::Rows(rows) => seen.fact("rows", rows.min(3)),
                Ran::Failed(error) => seen.error("failed", "", &error),
            }
        }
        Ok(())
    }

    fn change(
        &self,
        table: &str,
        query: &Query,
        method: &str,
        seen: &mut Seen,
    ) -> Result<(), String> {
        let columns = query.columns.clone().unwrap_or_default();
        let change = match method {
            "DELETE" => Change::Delete,
            "PATCH" => Change::Update { columns },
            _ => Change::Insert {
                columns,
                on_conflict: query.limit.is_some().then(|| OnConflict {
                    columns: query.on_conflict.clone(),
                    merge: query.offset.is_some(),
                }),
                missing_default: true,
            },
        };
        let mutation = Mutation {
            schema: "public".to_owned(),
            table: table.to_owned(),
            change,
            node: query.node.clone(),
            returning: true,
            keys: false,
            count: true,
            expect: Expect::Any,
        };
        let role = Role::Authenticated;
        let plan = match plan_mutation(&self.catalog, role, &mutation, &LIMITS) {
            Ok(plan) => plan,
            Err(error) => return refused(error, role, seen),
        };
        seen.take();
        if let Err(error) = plan.bind(&query.inputs) {
            refused(error.into(), role, seen)?;
        }
        let constraints = &plan.constraints;
        let statements = statements(&plan.work).into_iter().chain(
            [
                &constraints.before,
                &constraints.after,
                &constraints.refusal,
            ]
            .into_iter()
            .flatten(),
        );
        for statement in statements {
            seen.statement("change", &statement.sql);
            self.engine.prepare(statement)?;
        }
        Ok(())
    }
}

/// What is run of a mutation.
fn statements(work: &Work) -> Vec<&Statement> {
    let found = match work {
        Work::Nothing => Vec::new(),
        Work::Insert(insert) => vec![
            Some(&insert.write.statement),
            insert.guard.as_ref(),
            insert.conflict.as_ref().map(|conflict| &conflict.lookup),
            insert.drawn.as_ref(),
            of(&insert.fetch),
        ],
        Work::Update { write, fetch } => vec![Some(&write.statement), of(fetch)],
        Work::Delete { write, rows } => vec![Some(&write.statement), rows.as_ref()],
    };
    found.into_iter().flatten().collect()
}

fn of(fetch: &Option<Fetch>) -> Option<&Statement> {
    match fetch {
        Some(Fetch::Each(statement) | Fetch::Sorted(statement)) => Some(statement),
        None => None,
    }
}

/// What can't be planned is the client's mistake, said in few words.
fn refused(error: PlanError, role: Role, seen: &mut Seen) -> Result<(), String> {
    told(RestError::plan(error, role), seen)
}

fn told(error: RestError, seen: &mut Seen) -> Result<(), String> {
    // What can't be read is repeated in the message; what was expected in its place says where it broke.
    let expected = error
        .detail_text()
        .and_then(|detail| detail.split_once(" expecting "))
        .map(|(_, expected)| expected);
    seen.error("refused", error.code(), expected.unwrap_or(error.message()));
    let status = error.status().as_u16();
    // Several relationships are a 300 with the choice.
    if !(status == 300 || (400..500).contains(&status)) {
        return Err(format!(
            "a query is answered with {status}: {} {}",
            error.code(),
            error.message()
        ));
    }
    let length = error.message().len() + error.detail_text().map_or(0, str::len);
    if length > MESSAGE_MAX + 2 * LENGTH_MAX {
        return Err(format!("an error has {length} bytes: {}", error.code()));
    }
    Ok(())
}

impl Target for Rest {
    fn words(&self) -> &'static [&'static str] {
        WORDS
    }

    fn run(&mut self, input: &[u8], seen: &mut Seen) -> Result<(), String> {
        let text = String::from_utf8_lossy(input);
        let (method, rest) = text.split_once(' ').unwrap_or(("GET", &text));
        let (table, raw) = rest.split_once('?').unwrap_or((rest, ""));
        // No table has a longer name, and the path it stands in is not what is read here.
        if table.len() > 63 {
            return Ok(());
        }
        let query = match parse(raw, LIMITS.embed_depth_max) {
            Ok(query) => query,
            Err(error) => return told(error.into(), seen),
        };
        if query.inputs.len() > raw.len() {
            return Err(format!(
                "{} inputs of {} bytes",
                query.inputs.len(),
                raw.len()
            ));
        }
        seen.shape("query", &format!("{:?}", query.node));
        self.engine.aside(|| match method {
            "GET" => [Role::Service, Role::Authenticated]
                .into_iter()
                .try_for_each(|role| self.read(table, &query, role, seen)),
            _ => self.change(table, &query, method, seen),
        })?
    }
}

const WORDS: &[&str] = &[
    "GET ",
    "POST ",
    "PATCH ",
    "DELETE ",
    "staff?",
    "projects?",
    "clients?",
    "tags?",
    "letters?",
    "t?",
    "open_projects?",
    "?",
    "&",
    "=",
    ",",
    "(",
    ")",
    ".",
    "..",
    "*",
    ":",
    "::",
    "->",
    "->>",
    "!",
    "!inner",
    "!left",
    "\"",
    "\\",
    "%22",
    "%28",
    "%2C",
    "%00",
    "%ff",
    "%c3%a9",
    "+",
    "{",
    "}",
    "select=",
    "order=",
    "limit=",
    "offset=",
    "columns=",
    "on_conflict=",
    "and=",
    "or=",
    "not.and=",
    "not.or=",
    "projects.order=",
    "clients.limit=",
    "projects.tags.or=",
    "eq.",
    "neq.",
    "gt.",
    "gte.",
    "lt.",
    "lte.",
    "like.",
    "ilike.",
    "match.",
    "imatch.",
    "in.(",
    "is.null",
    "is.not_null",
    "is.true",
    "is.unknown",
    "isdistinct.",
    "cs.",
    "cd.",
    "ov.",
    "fts.",
    "plfts(english).",
    "phfts.",
    "wfts.",
    "sl.",
    "sr.",
    "nxl.",
    "adj.",
    "not.",
    "(any).",
    "(all).",
    "asc",
    "desc",
    "nullsfirst",
    "nullslast",
    "and(",
    "or(",
    "not.and(",
    "count()",
    ".sum()",
    "::text",
    "::int",
    "::jsonb",
    "...clients",
    "clients(",
    "projects(",
    "tags(",
    "project_tags(",
    "letters!letters_from(",
    "boss_id(",
    "staff(",
    "id",
    "name",
    "title",
    "client_id",
    "budget",
    "open",
    "data",
    "labels",
    "mood",
    "due",
    "made_at",
    "seal",
    "slug",
    "word",
    "boss_id",
    "i4",
    "n2",
    "tz",
    "iv",
    "jb",
    "ta",
    "x",
    "null",
    "true",
    "0",
    "1",
    "-1",
    "{a,b}",
    "{\"a\":1}",
    "2024-01-31",
    "\\x00",
];
