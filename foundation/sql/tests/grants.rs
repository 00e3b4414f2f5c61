//! Grants, comments, types and schemas: what is kept, and what is refused in Postgres' words.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_kernel::Role;
use pando_sql::privilege::Privilege;
use pando_sql::{Catalog, migrate};

const TABLES: &str = "create table t (id serial primary key, a int, b int, check (a > 0));
create view v with (security_invoker = true) as select 1 as x;
create type mood as enum ('sad', 'ok');
create schema s;
create policy p on t using (true);
create function f() returns int language sql as 'select 1';
";

fn kept(more: &str) -> Catalog {
    migrate(&Catalog::default(), "0001.sql", &format!("{TABLES}{more}"))
        .unwrap_or_else(|refusal| panic!("{refusal}"))
        .catalog
}

#[test]
fn mistakes_are_told_in_postgres_words() {
    for (statement, state, reason) in [
        (
            "grant select (zz) on t to anon;",
            "42703",
            "column \"zz\" of relation \"t\" does not exist",
        ),
        (
            "grant usage on t to anon;",
            "0LP01",
            "invalid privilege type USAGE for table",
        ),
        (
            "grant delete (a) on t to anon;",
            "0LP01",
            "invalid privilege type DELETE for column",
        ),
        (
            "grant select on zz to anon;",
            "42P01",
            "relation \"zz\" does not exist",
        ),
        (
            "grant select on t to zz;",
            "42704",
            "role \"zz\" does not exist",
        ),
        (
            "grant foo on t to anon;",
            "42601",
            "unrecognized privilege type \"foo\"",
        ),
        (
            "grant usage on schema zz to anon;",
            "3F000",
            "schema \"zz\" does not exist",
        ),
        (
            "grant execute on function zz() to anon;",
            "42883",
            "function zz() does not exist",
        ),
        (
            "grant usage on sequence zz to anon;",
            "42P01",
            "relation \"zz\" does not exist",
        ),
        (
            "grant usage on sequence t to anon;",
            "42809",
            "\"t\" is not a sequence",
        ),
        (
            "grant select on all tables in schema zz to anon;",
            "3F000",
            "schema \"zz\" does not exist",
        ),
        (
            "alter default privileges in schema zz grant select on tables to anon;",
            "3F000",
            "schema \"zz\" does not exist",
        ),
        (
            "alter default privileges in schema s grant usage on tables to anon;",
            "0LP01",
            "invalid privilege type USAGE for relation",
        ),
        (
            "comment on constraint zz on t is 'z';",
            "42704",
            "constraint \"zz\" for table \"t\" does not exist",
        ),
        (
            "comment on index zz is 'i';",
            "42P01",
            "relation \"zz\" does not exist",
        ),
        (
            "comment on policy zz on t is 'a';",
            "42704",
            "policy \"zz\" for table \"t\" does not exist",
        ),
        (
            "comment on type zz is 'x';",
            "42704",
            "type \"zz\" does not exist",
        ),
        (
            "comment on schema zz is 'x';",
            "3F000",
            "schema \"zz\" does not exist",
        ),
        (
            "comment on table zz is 'x';",
            "42P01",
            "relation \"zz\" does not exist",
        ),
        (
            "comment on column t.zz is 'x';",
            "42703",
            "column \"zz\" of relation \"t\" does not exist",
        ),
        ("comment on view t is 'x';", "42809", "\"t\" is not a view"),
        (
            "create type mood as enum ('x');",
            "42710",
            "type \"mood\" already exists",
        ),
        (
            "alter type mood add value 'ok';",
            "42710",
            "enum label \"ok\" already exists",
        ),
        (
            "alter type mood add value 'x' before 'zz';",
            "22023",
            "\"zz\" is not an existing enum label",
        ),
        (
            "alter type mood rename value 'zz' to 'y';",
            "22023",
            "\"zz\" is not an existing enum label",
        ),
        (
            "alter type mood rename value 'sad' to 'ok';",
            "42710",
            "enum label \"ok\" already exists",
        ),
        (
            "alter type nope add value 'x';",
            "42704",
            "type \"nope\" does not exist",
        ),
        (
            "alter type mood rename to t;",
            "42710",
            "type \"t\" already exists",
        ),
        ("drop type nope;", "42704", "type \"nope\" does not exist"),
        ("create schema s;", "42P06", "schema \"s\" already exists"),
        (
            "alter schema nope rename to x;",
            "3F000",
            "schema \"nope\" does not exist",
        ),
        (
            "alter schema s rename to public;",
            "42P06",
            "schema \"public\" already exists",
        ),
        (
            "drop schema nope;",
            "3F000",
            "schema \"nope\" does not exist",
        ),
        (
            "create table nos.x (id int);",
            "3F000",
            "schema \"nos\" does not exist",
        ),
    ] {
        let sql = format!("{TABLES}{statement}");
        let refusal = migrate(&Catalog::default(), "0001.sql", &sql)
            .err()
            .unwrap_or_else(|| panic!("{statement} was taken"));
        assert_eq!(
            (
                refusal.construct.trim_start_matches("SQLSTATE "),
                refusal.reason.as_str()
            ),
            (state, reason),
            "{statement}"
        );
    }
}

#[test]
fn privileges_follow_what_was_said_last() {
    let may = |more: &str, privilege: Privilege, column: &str| {
        let catalog = kept(more);
        let table = catalog.table("public", "t").unwrap();
        if column.is_empty() {
            table.privileges.allows("anon", privilege)
        } else {
            table.privileges.allows_column("anon", privilege, column)
        }
    };
    for (more, privilege, column, allowed) in [
        ("", Privilege::Select, "", true),
        ("revoke all on t from anon;", Privilege::Select, "", false),
        (
            "revoke all privileges on table t, v from anon, authenticated;",
            Privilege::Delete,
            "",
            false,
        ),
        ("revoke all on t from public;", Privilege::Select, "", true),
        (
            "revoke all on t from anon; grant select on t to public;",
            Privilege::Select,
            "b",
            true,
        ),
        (
            "revoke select (b) on t from anon;",
            Privilege::Select,
            "b",
            true,
        ),
        (
            "revoke all on t from anon; grant select (a), update (a) on t to anon;",
            Privilege::Select,
            "b",
            false,
        ),
        (
            "revoke all on t from anon; grant select (a, b) on t to anon; revoke select on t from anon;",
            Privilege::Select,
            "a",
            false,
        ),
        (
            "revoke all on t from anon; grant select (a) on t to anon; alter table t rename a to c;",
            Privilege::Select,
            "c",
            true,
        ),
        (
            "revoke all on all tables in schema public from anon;",
            Privilege::Insert,
            "a",
            false,
        ),
        (
            "grant select on t to anon with grant option; revoke grant option for select on t from anon;",
            Privilege::Select,
            "",
            true,
        ),
        ("grant anon to authenticator;", Privilege::Select, "", true),
    ] {
        assert_eq!(may(more, privilege, column), allowed, "{more}");
    }
    let catalog = kept(
        "alter default privileges for role postgres in schema public revoke all on tables from anon, authenticated;
         alter default privileges for role supabase_admin in schema public revoke all on tables from service_role;
         create table later (id int);",
    );
    let later = catalog.table("public", "later").unwrap();
    assert!(!later.privileges.allows("anon", Privilege::Select));
    assert!(later.privileges.allows("service_role", Privilege::Select));
    assert!(catalog.allows_schema("public", Role::Anon));
    assert!(
        !kept("revoke usage on schema public from anon, public;")
            .allows_schema("public", Role::Anon)
    );
}

#[test]
fn a_function_is_everybodys_until_both_rights_are_taken() {
    let revoked = |more: &str| {
        let catalog = kept(more);
        let known = &catalog.routines[&("public".to_owned(), "f".to_owned())];
        known[0].revoked.join(" ")
    };
    assert_eq!(revoked(""), "");
    assert_eq!(revoked("revoke execute on function f() from public;"), "");
    assert_eq!(revoked("revoke execute on function f() from anon;"), "");
    assert_eq!(
        revoked("revoke execute on function f() from public, anon;"),
        "anon"
    );
    assert_eq!(
        revoked(
            "revoke all on all functions in schema public from public, anon, authenticated, service_role; grant execute on function f() to service_role;"
        ),
        "anon authenticated"
    );
    assert_eq!(
        revoked(
            "revoke execute on function f() from public, anon; drop function f(); create function f() returns int language sql as 'select 2';"
        ),
        ""
    );
}

#[test]
fn comments_are_kept_and_taken_back() {
    let catalog = kept(
        "comment on table t is 'a table'; comment on column t.a is 'a column'; comment on view v is 'a view';
         comment on constraint t_a_check on t is 'a check'; comment on policy p on t is 'a policy';
         comment on index t_pkey is 'an index'; comment on type mood is 'a type'; comment on schema s is 'a schema';
         comment on function f() is 'a function'; comment on sequence t_id_seq is 'a sequence';
         comment on extension pgcrypto is 'nothing';",
    );
    let all: Vec<String> = catalog
        .comments
        .iter()
        .map(|((kind, name), text)| format!("{kind} {name}: {text}"))
        .collect();
    assert_eq!(
        all,
        [
            "constraint public.t.t_a_check: a check",
            "function public.f: a function",
            "index public.t_pkey: an index",
            "policy public.t.p: a policy",
            "schema s: a schema",
            "sequence public.t_id_seq: a sequence",
            "type public.mood: a type",
        ]
    );
    let more = "comment on table t is 'x'; comment on policy p on t is 'y'; comment on table t is null; alter table t rename to u;";
    let catalog = kept(more);
    assert_eq!(catalog.table("public", "u").unwrap().comment, None);
    assert!(
        catalog
            .comments
            .contains_key(&("policy".to_owned(), "public.u.p".to_owned()))
    );
    assert!(
        kept("comment on policy p on t is 'y'; drop table t;")
            .comments
            .is_empty()
    );
}
