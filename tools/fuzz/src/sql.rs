//! The SQL front end: any text as a migration, and as statements over rows.
//!
//! Promises: nothing panics or fails for a reason of our own (`XX...`); what a migration is taken for runs on SQLite, or fails with what
//! Postgres could raise; its catalog survives being stored; statements that are taken render for every role, and SQLite takes them.

use crate::engine::{Engine, Ran};
use crate::seen::Seen;
use crate::target::Target;
use pando_kernel::Role;
use pando_sql::render::render_statements;
use pando_sql::{Catalog, migrate, operations};

pub(crate) const TABLES: &str = include_str!("../../../foundation/sql/tests/scalars/table.sql");
pub(crate) const SCHEMA: &str = include_str!("schema.sql");

const ROLES: [Role; 2] = [Role::Authenticated, Role::Service];

/// Statements over a catalog with a little of everything.
pub(crate) struct Sql {
    catalog: Catalog,
    engine: Engine,
}

impl Sql {
    pub(crate) fn new() -> Sql {
        let (engine, catalog) = Engine::with(&[TABLES, SCHEMA]);
        Sql { catalog, engine }
    }

    fn migration(&self, text: &str, seen: &mut Seen) -> Result<(), String> {
        let migrated = match migrate(&self.catalog, "fuzz.sql", text) {
            Ok(migrated) => migrated,
            Err(refusal) => {
                seen.error("refused", "", &refusal.reason);
                seen.error("advice", "", &refusal.advice);
                if refusal.construct.starts_with("SQLSTATE XX") {
                    return Err(format!("a migration fails within: {refusal}"));
                }
                let lines = text.matches('\n').count() as u64 + 1;
                if refusal.line == 0 || refusal.line > lines {
                    return Err(format!(
                        "a refusal on line {} of {lines}: `{refusal}`",
                        refusal.line
                    ));
                }
                return Ok(());
            }
        };
        seen.take();
        let stored = serde_json::to_string(&migrated.catalog)
            .map_err(|error| format!("the catalog is not stored: {error}"))?;
        let read: Catalog = serde_json::from_str(&stored)
            .map_err(|error| format!("the stored catalog is not read: {error}"))?;
        if read != migrated.catalog {
            return Err("the catalog is read as another than was stored".to_owned());
        }
        for (number, table) in migrated.catalog.tables.iter().enumerate() {
            if self.catalog.tables.get(table.0) != Some(table.1) && number < 64 {
                seen.shape("catalog", &format!("{:?}", table.1));
            }
        }
        for step in &migrated.steps {
            seen.statement("step", &step.sql.sql);
            match self.engine.run(&step.sql, &[])? {
                Ran::Rows(_) => {}
                Ran::Failed(error) => {
                    seen.error("step failed", "", &error);
                    break;
                }
            }
        }
        Ok(())
    }

    fn statements(&self, text: &str, seen: &mut Seen) -> Result<(), String> {
        let operations = match operations(&self.catalog, text) {
            Ok(operations) => operations,
            Err(error) => {
                seen.error("error", &error.state, &error.message);
                if error.state.starts_with("XX") {
                    return Err(format!("a statement fails within: {error}"));
                }
                return Ok(());
            }
        };
        for operation in operations.iter().take(16) {
            seen.take();
            seen.shape("operation", &format!("{operation:?}"));
            for role in ROLES {
                let rendered = match render_statements(&self.catalog, role, operation) {
                    Ok(rendered) => rendered,
                    Err(error) if error.state.starts_with("XX") => {
                        return Err(format!("rendering fails within: {error}"));
                    }
                    Err(error) => {
                        seen.error("unrendered", &error.state, &error.message);
                        continue;
                    }
                };
                for rendered in rendered {
                    seen.statement("rendered", &rendered.statement.sql);
                    match self.engine.run(&rendered.statement, &[])? {
                        Ran::Rows(rows) => seen.fact("rows", rows.min(3)),
                        Ran::Failed(error) => seen.error("failed", "", &error),
                    }
                }
            }
        }
        Ok(())
    }
}

impl Target for Sql {
    fn words(&self) -> &'static [&'static str] {
        WORDS
    }

    fn run(&mut self, input: &[u8], seen: &mut Seen) -> Result<(), String> {
        let text = String::from_utf8_lossy(input);
        self.engine.aside(|| self.migration(&text, seen))??;
        self.engine.aside(|| self.statements(&text, seen))?
    }
}

const WORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "and",
    "or",
    "not",
    "null",
    "is null",
    "is not null",
    "is distinct from",
    "is true",
    "in",
    "not in",
    "between",
    "like",
    "ilike",
    "similar to",
    "~",
    "!~*",
    "||",
    "->",
    "->>",
    "#>",
    "@>",
    "<@",
    "?",
    "?|",
    "&&",
    "::",
    "::text",
    "::numeric(10,2)",
    "::int[]",
    "::jsonb",
    "::interval",
    "::mood",
    "cast(",
    "as",
    "case when",
    "then",
    "else",
    "end",
    "exists (select 1",
    "any(",
    "all(",
    "array[",
    "]",
    "row(",
    "group by",
    "having",
    "order by",
    "desc nulls last",
    "limit 1",
    "offset 1",
    "distinct",
    "distinct on (a)",
    "union all",
    "union",
    "intersect",
    "except",
    "with q as (select 1)",
    "with recursive",
    "join",
    "left join",
    "full join",
    "lateral",
    "using (a)",
    "on true",
    "over (partition by a order by b)",
    "filter (where a > 1)",
    "count(*)",
    "sum(",
    "array_agg(",
    "json_agg(",
    "jsonb_build_object(",
    "coalesce(",
    "nullif(",
    "greatest(",
    "extract(year from ts)",
    "substring(",
    "position(",
    "overlay(",
    "trim(both from",
    "date_trunc(",
    "now()",
    "current_date",
    "current_timestamp",
    "auth.uid()",
    "auth.jwt()",
    "generate_series(1, 3)",
    "unnest(",
    "jsonb_each(",
    "at time zone 'utc'",
    "interval '1 day'",
    "date '2024-01-01'",
    "E'\\\\x'",
    "U&'x'",
    "$$",
    "$1",
    "insert into",
    "values",
    "default",
    "on conflict do nothing",
    "on conflict (id) do update set",
    "excluded.",
    "returning *",
    "update",
    "set",
    "delete from",
    "create table",
    "if not exists",
    "create policy",
    "for select",
    "for all",
    "to authenticated",
    "as restrictive",
    "with check",
    "create view",
    "with (security_invoker)",
    "create or replace function",
    "returns void",
    "returns trigger",
    "returns table (a int)",
    "returns setof t",
    "language sql",
    "language plpgsql",
    "security definer",
    "set search_path = ''",
    "as $$ select 1 $$",
    "begin",
    "return new;",
    "new.",
    "old.",
    "create trigger",
    "before update on",
    "after insert on",
    "for each row execute function",
    "create index",
    "create unique index",
    "using btree",
    "using gin",
    "create type",
    "as enum",
    "add value",
    "before",
    "alter table",
    "add column",
    "drop column",
    "alter column",
    "type",
    "set not null",
    "drop not null",
    "set default",
    "drop default",
    "rename to",
    "rename column",
    "add constraint",
    "drop constraint",
    "primary key",
    "unique",
    "nulls not distinct",
    "check",
    "references",
    "foreign key",
    "on delete cascade",
    "on update set null",
    "deferrable initially deferred",
    "not valid",
    "validate constraint",
    "generated always as identity",
    "generated always as (",
    ") stored",
    "enable row level security",
    "force row level security",
    "drop table",
    "drop view",
    "drop function",
    "drop type",
    "cascade",
    "create schema",
    "create sequence",
    "alter sequence",
    "restart with",
    "owned by",
    "nextval('counter')",
    "comment on",
    "grant select on",
    "revoke all on",
    "from anon",
    "alter default privileges",
    "owner to",
    "create extension",
    "do $$",
    "--",
    "/*",
    "*/",
    ";",
    "\n",
    "t",
    "r",
    "x",
    "o",
    "clients",
    "projects",
    "tags",
    "staff",
    "letters",
    "open_projects",
    "spent(1)",
    "mood",
    "id",
    "title",
    "i2",
    "i4",
    "i8",
    "f4",
    "f8",
    "n",
    "n2",
    "tx",
    "vc",
    "ch",
    "tz",
    "ts",
    "d",
    "tm",
    "iv",
    "jb",
    "ia",
    "ta",
    "na",
    "a",
    "b",
    "c",
    "'a'",
    "''",
    "'{}'",
    "'2024-01-01'",
    "true",
    "public.",
    "auth.",
    "pg_catalog.",
    "\"A b\"",
    "int",
    "bigint",
    "text",
    "numeric",
    "boolean",
    "uuid",
    "timestamptz",
    "date",
    "time",
    "interval",
    "jsonb",
    "bytea",
    "varchar(5)",
    "char(3)",
    "serial",
    "text[]",
];
