//! What to write instead of a statement the embedded engine does not have. Each advice is read by somebody whose migration has just
//! been refused: it names the way that works here, or says what to leave out.

use super::Source;
use crate::trouble::Trouble;
use sqlparser::ast::ColumnOption;
use sqlparser::tokenizer::Token;

/// How statements begin that never run here, and what to do. The first that fits is taken.
const NEVER: &[(&str, &str)] = &[
    (
        "do",
        "write its statements out one after the other; a loop over rows is an update or an insert .. select, and what asks whether \
         something exists is if exists, if not exists or create or replace",
    ),
    (
        "create materialized view",
        "create a view with (security_invoker = true), or a table that triggers keep up to date",
    ),
    (
        "refresh materialized view",
        "there are no materialized views here: leave it out",
    ),
    (
        "create recursive view",
        "walk the rows in the app, or keep the path of each row in a column of its own",
    ),
    (
        "create foreign table",
        "create an ordinary table and bring the rows in through the API",
    ),
    ("create foreign data wrapper", FAR),
    ("create server", FAR),
    ("create user mapping", FAR),
    ("import foreign schema", FAR),
    ("listen", HEAR),
    ("unlisten", HEAR),
    ("notify", HEAR),
    (
        "create rule",
        "write a trigger to change what is written, a view to change what is read, or a policy to refuse it",
    ),
    (
        "create domain",
        "give each column the base type and the check: email text check (email ~ '@')",
    ),
    (
        "alter domain",
        "there are no domains here: change the column's check",
    ),
    (
        "create operator",
        "write a SQL function and call it by its name",
    ),
    (
        "create aggregate",
        "write it with sum, count, min, max, avg, string_agg, array_agg, bool_and or bool_or",
    ),
    (
        "create cast",
        "write a SQL function, and call it where the value is converted",
    ),
    (
        "create collation",
        "text sorts by code points here (collate \"C\"): sort by lower(..), or in the app by the reader's language",
    ),
    (
        "create conversion",
        "text is UTF-8 throughout: leave it out",
    ),
    (
        "create event trigger",
        "leave it out: row-level security is on from a table's creation here, and a migration is where the schema is checked",
    ),
    ("create role", ROLES),
    ("create user", ROLES),
    ("create group", ROLES),
    ("alter role", ROLES),
    ("alter user", ROLES),
    ("drop role", ROLES),
    ("drop user", ROLES),
    ("reassign owned", ROLES),
    ("drop owned", ROLES),
    (
        "create database",
        "the data directory is the database: leave it out",
    ),
    ("alter database", "leave it out: settings are in pando.toml"),
    (
        "drop database",
        "the data directory is the database: leave it out",
    ),
    ("create tablespace", KEPT),
    ("vacuum", KEPT),
    ("analyze", KEPT),
    ("reindex", KEPT),
    ("cluster", KEPT),
    ("checkpoint", KEPT),
    ("create statistics", KEPT),
    ("alter system", "leave it out: settings are in pando.toml"),
    (
        "create publication",
        "there is one, supabase_realtime: alter publication supabase_realtime add table ..",
    ),
    (
        "drop publication",
        "there is one, supabase_realtime: alter publication supabase_realtime drop table ..",
    ),
    ("create subscription", "bring the rows in through the API"),
    (
        "create text search",
        "name one of the usual configurations, as in to_tsvector('english', body)",
    ),
    (
        "create procedure",
        "write a SQL function, which /rpc calls as well; its statements are one transaction",
    ),
    (
        "call",
        "there are no procedures here: call a function from the app",
    ),
    (
        "create language",
        "functions are written in SQL here: leave it out",
    ),
    ("create temp", SCRATCH),
    ("create temporary", SCRATCH),
    ("create local temp", SCRATCH),
    ("create local temporary", SCRATCH),
    ("create global temp", SCRATCH),
    ("create global temporary", SCRATCH),
    (
        "create unlogged table",
        "leave out unlogged: an answered write is always on disk here",
    ),
    (
        "copy",
        "write insert into .. values (..), (..), or bring the rows in through the API",
    ),
    (
        "truncate",
        "write delete from .., which runs the triggers of the rows as well",
    ),
    (
        "lock",
        "leave it out: nothing else writes while a migration runs",
    ),
    ("savepoint", ONE),
    ("release", ONE),
    ("rollback", ONE),
    ("begin", ONE),
    ("start transaction", ONE),
    ("commit", ONE),
    ("end", ONE),
    ("prepare", "write the statement itself"),
    ("execute", "write the statement itself"),
    (
        "declare",
        "there are no cursors here: read pages through the API",
    ),
    ("explain", "leave it out: it changes nothing"),
    ("security label", "leave it out"),
    ("load", "leave it out"),
    ("discard", "leave it out"),
    (
        "select cron",
        "there is no pg_cron here: let the scheduler of your server call a function through /rpc with the service key",
    ),
    (
        "select net",
        "there is no pg_net here: call the other service from the app, or from a server that listens to the table's changes",
    ),
    (
        "select vault",
        "there is no vault here: keep secrets in your server's environment, out of the database",
    ),
];

const FAR: &str = "the embedded engine reads its own file and no other database: bring the rows in through the API";
const HEAR: &str =
    "let clients hear of changes by realtime: alter publication supabase_realtime add table ..";
const ROLES: &str = "the roles are anon, authenticated and service_role; tell users apart in policies by auth.uid(), \
                     or by a claim such as auth.jwt() -> 'app_metadata' ->> 'role'";
const KEPT: &str = "leave it out: the engine keeps its file in order by itself";
const SCRATCH: &str = "use a sub-select or with .. as (..) in the statement that needs the rows";
pub(super) const ONE_TABLE: &str =
    "keep all rows in one table, with an index on what would divide it";
const ONE: &str = "leave it out: a migration is one transaction already";

/// The refusal of a statement that never runs here, whether the parser knows it or not.
pub(super) fn never(source: &Source) -> Option<Trouble> {
    let words = leading(source);
    let text = source.text();
    if text.to_lowercase().starts_with("create table") && has_like(source) {
        return Some(Trouble::unsupported(
            text,
            "list the columns, and fill it by insert into .. select",
        ));
    }
    NEVER
        .iter()
        .find(|(beginning, _)| {
            let mut found = words.iter();
            beginning
                .split(' ')
                .all(|word| found.next().is_some_and(|found| found == word))
        })
        .map(|(_, advice)| Trouble::unsupported(text, *advice))
}

/// The refusal of a statement that parses and has no meaning here.
pub(super) fn unsupported(source: &Source) -> Trouble {
    let words = leading(source);
    let starts = |word: &str| words.first().is_some_and(|first| first == word);
    let names = |word: &str| words.iter().any(|known| known == word);
    let advice = if names("function") {
        "write it in SQL (language sql), or, for a trigger, as one of the usual shapes; put the rest into the app"
    } else if names("trigger") {
        "write one of the usual shapes (see docs/portability.md), or set the value in the app"
    } else if names("type") {
        "make it a table of its own or a jsonb column, or, for a range, two columns"
    } else if names("view") {
        "select with embedding, or keep the view out until you run on Postgres"
    } else if starts("select") || starts("with") || starts("values") {
        "a migration changes the schema or writes rows: leave the query out"
    } else {
        "leave it out until you run on Postgres"
    };
    Trouble::unsupported(source.text(), advice)
}

/// What to do about a form of `alter table` that is not available, as it is written without the table.
pub(super) fn of_alter(operation: &str) -> &'static str {
    let operation = operation.to_uppercase();
    let starts = |words: &str| operation.starts_with(words);
    if starts("ATTACH PARTITION") || starts("DETACH PARTITION") {
        ONE_TABLE
    } else if starts("SET LOGGED") || starts("SET UNLOGGED") {
        "leave it out: an answered write is always on disk here"
    } else if starts("SET (") || starts("CLUSTER") || starts("SET TABLESPACE") {
        KEPT
    } else {
        "leave it out until you run on Postgres"
    }
}

/// What to do about an option of a column.
pub(super) fn of_option(option: &ColumnOption) -> &'static str {
    match option {
        ColumnOption::Collation(_) => {
            "leave it out: text sorts by code points here, as with collate \"C\""
        }
        _ => "leave it out until you run on Postgres",
    }
}

/// What to do about a table that is not there: some schemas come with a Supabase project, and not with this engine.
pub(crate) fn of_schema(schema: &str) -> &'static str {
    match schema {
        "storage" => {
            "files are not kept here yet: leave it out, and keep addresses of files in a text column"
        }
        "cron" | "net" | "vault" | "graphql" | "realtime" | "supabase_functions" => {
            "the schema comes with an extension that is not available on the embedded engine: leave it out"
        }
        _ => "create it before it is used",
    }
}

/// What to do about an extension the embedded engine does not have.
pub(super) fn of_extension(name: &str) -> &'static str {
    match name {
        "postgis" | "postgis_topology" | "earthdistance" | "cube" => {
            "keep latitude and longitude in two double precision columns, and search a box of them"
        }
        "vector" | "pgvector" => {
            "keep embeddings in a service made for them, and ids in a column here"
        }
        "pg_cron" => {
            "let the scheduler of your server call a function through /rpc with the service key"
        }
        "pg_net" | "http" | "pgsql-http" => {
            "call other services from the app or from a server of yours"
        }
        "pg_trgm" | "fuzzystrmatch" => "search with ilike or with the fts operators",
        "unaccent" => "keep a column without accents beside the text, and search that",
        "citext" => "use text, with a unique index on lower(..)",
        "moddatetime" => {
            "write the trigger function out: begin new.updated_at = now(); return new; end"
        }
        "hstore" => "use jsonb",
        "ltree" => "keep the path as text or as text[]",
        "btree_gist" | "btree_gin" | "intarray" => {
            "it only serves indexes and constraints that are not available here: leave it out"
        }
        "pgjwt" | "pgsodium" | "supabase_vault" => {
            "keep secrets and signing in a server of yours; leave it out"
        }
        "pg_graphql" | "pg_stat_statements" | "pgaudit" | "hypopg" | "index_advisor"
        | "pg_stat_monitor" => "no migration needs it: leave it out until you run on Postgres",
        "plv8" | "plpython3u" | "pltcl" => "write functions in SQL, or put the work into the app",
        "tablefunc" => "write it with group by and filter (where ..)",
        _ => "gen_random_uuid() needs none; leave it out until you run on Postgres",
    }
}

/// What to use instead of a type the embedded engine does not have. The name may have a schema and a size.
pub(crate) fn of_type(name: &str) -> &'static str {
    let plain = name.rsplit('.').next().unwrap_or(name);
    let plain: String = plain
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    match plain.to_lowercase().as_str() {
        "tsvector" | "tsquery" => {
            "leave the column out, and search the text columns themselves with the fts operators"
        }
        "int4range" | "int8range" | "numrange" | "tsrange" | "tstzrange" | "daterange"
        | "int4multirange" | "tstzmultirange" | "datemultirange" => {
            "use two columns, and check (starts_at < ends_at)"
        }
        "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" | "geometry"
        | "geography" => {
            "use double precision columns for latitude and longitude, or jsonb for a shape"
        }
        "vector" | "halfvec" | "sparsevec" => {
            "keep embeddings in a service made for them, and ids in a column here"
        }
        "money" => "use numeric(12, 2), and a column for the currency",
        "citext" => "use text, with a unique index on lower(..)",
        "inet" | "cidr" | "macaddr" | "macaddr8" | "xml" => "use text",
        "hstore" => "use jsonb",
        "ltree" => "use text or text[]",
        "bit" | "varbit" => "use boolean columns, or an integer",
        "timetz" => "use time, or timestamptz",
        "time" | "timestamp" | "timestamptz" | "interval" => {
            "leave out the precision: microseconds are kept"
        }
        "oid" | "regclass" | "regproc" | "regtype" | "name" => "use text or bigint",
        _ => {
            "use text, varchar, char, smallint, integer, bigint, real, double precision, numeric, boolean, uuid, timestamptz, \
             timestamp, date, time, interval, json, jsonb, bytea, an enum or an array of these"
        }
    }
}

/// Whether a table is made `(like another)`.
fn has_like(source: &Source) -> bool {
    let mut words = source.words().skip_while(|token| **token != Token::LParen);
    words.next();
    matches!(words.next(), Some(Token::Word(word)) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("like"))
}

/// The first unquoted words in lower case, without `or replace`; a sign ends them, but for the dot of a name.
fn leading(source: &Source) -> Vec<String> {
    let mut words: Vec<String> = source
        .words()
        .take_while(|token| matches!(token, Token::Word(_)))
        .take(6)
        .filter_map(|token| match token {
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_lowercase()),
            _ => None,
        })
        .collect();
    if let [_, or, replace, ..] = words.as_slice()
        && or == "or"
        && replace == "replace"
    {
        words.drain(1..3);
    }
    words
}
