//! What is said about generated columns is said as PostgreSQL 15 says it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_sql::{Catalog, migrate};

#[test]
fn mistakes_are_told_in_postgres_words() {
    for (columns, state, reason) in [
        (
            "a int, g uuid generated always as (gen_random_uuid()) stored",
            "42P17",
            "generation expression is not immutable",
        ),
        (
            "a int, g timestamptz generated always as (now()) stored",
            "42P17",
            "generation expression is not immutable",
        ),
        (
            "a timestamptz, g date generated always as (a::date) stored",
            "42P17",
            "generation expression is not immutable",
        ),
        (
            "a timestamptz, g text generated always as (a::text) stored",
            "42P17",
            "generation expression is not immutable",
        ),
        (
            "a int, g int generated always as (a) stored, h int generated always as (g) stored",
            "42P17",
            "cannot use generated column \"g\" in column generation expression: A generated column cannot reference another generated column.",
        ),
        (
            "a int, g int generated always as (g) stored",
            "42P17",
            "cannot use generated column \"g\" in column generation expression: A generated column cannot reference another generated column.",
        ),
        (
            "a int, g int generated always as (a) stored default 3",
            "42601",
            "both default and generation expression specified for column \"g\" of table \"u\"",
        ),
        (
            "a int, g int generated always as ((select max(id) from other)) stored",
            "0A000",
            "cannot use subquery in column generation expression",
        ),
        (
            "a int, g int generated always as (a) stored generated always as identity",
            "42601",
            "both identity and generation expression specified for column \"g\" of table \"u\"",
        ),
    ] {
        let sql = format!("create table other (id int);\ncreate table u ({columns});");
        let refusal = migrate(&Catalog::default(), "0001.sql", &sql).unwrap_err();
        assert_eq!(
            (refusal.construct.as_str(), refusal.reason.as_str()),
            (format!("SQLSTATE {state}").as_str(), reason),
            "{columns}"
        );
    }
    let taken = "create table u (a timestamptz, g date generated always as ((a at time zone 'utc')::date) stored)";
    migrate(&Catalog::default(), "0001.sql", taken).unwrap();
}
