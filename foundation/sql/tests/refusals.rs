//! What the embedded engine does not run is refused by name, with its line; nothing is dropped on the way.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_sql::{Catalog, migrate};

const TABLES: &str = "create table a (id bigint primary key, n int, t varchar(3) unique);\n";

fn refused(statement: &str) -> pando_sql::Refusal {
    migrate(
        &Catalog::default(),
        "0001.sql",
        &format!("{TABLES}\n{statement}"),
    )
    .err()
    .unwrap_or_else(|| panic!("{statement} was taken"))
}

#[test]
fn each_is_refused_on_its_line() {
    for statement in [
        "create trigger x before update on a for each row execute function f();",
        "do $$ begin end $$;",
        "begin;",
        "create table b as select * from a;",
        "create table b (like a);",
        "create temporary table b (id int);",
        "create table b (id int) partition by range (id);",
        "create table b (r int4range);",
        "create table b (id int references a (n));",
        "create table b (id uuid references a);",
        "create table b (id int unique deferrable initially deferred);",
        "alter table a add primary key (n) deferrable;",
        "create table nope.b (id int);",
        "alter table a inherit b;",
        "alter table a set unlogged;",
        "create table b (at timestamptz check (at > now()));",
        "create extension postgis;",
        "create index on a using gin (t);",
        "alter table a add constraint x exclude using gist (t with =);",
        "create policy p on a using (n);",
        "create policy p on a using (m = 1);",
        "create policy p on a using (n = 'x');",
        "create policy p on a using (n < id < 3);",
        "create policy p on a using (count(*) > 1);",
        "create policy p on a to gardeners using (true);",
        "create policy p on a for insert using (true);",
        "create policy p on a for select with check (true);",
        "insert into a (id) values (1) on conflict (n) do nothing;",
        "insert into a (id, m) values (1, 2);",
        "insert into a (id, n) values (1);",
        "insert into a (id, t) values (1, 'too long');",
        "set search_path to app;",
        "set role anon;",
        "create table \"A\" (id int);",
        "create table b (id int, \"ID\" int);",
        "create table b (a bigint references a); alter table a drop column id;",
        "truncate a;",
        "vacuum;",
        "drop table b;",
        "create table \"a.b\" (id int);",
        "not sql at all;",
    ] {
        let refusal = refused(statement);
        assert_eq!(
            (refusal.file.as_str(), refusal.line),
            ("0001.sql", 3),
            "{statement}: {refusal}"
        );
        assert!(
            !refusal.reason.is_empty() && !refusal.advice.is_empty(),
            "{statement}: {refusal:?}"
        );
    }
}

#[test]
fn the_line_is_that_of_the_construct() {
    let refusal = refused("create table b (\n  id int,\n  place point\n);");
    assert_eq!(refusal.line, 5, "{refusal}");
    let refusal = refused("create policy p on a using (\n  id = 1\n  and n = nope\n);");
    assert_eq!(refusal.line, 5, "{refusal}");
}

#[test]
fn what_says_nothing_here_is_taken() {
    let taken = "set statement_timeout = 0;\nset search_path to public, extensions;\ncreate extension if not exists pgcrypto;\ncreate extension \"uuid-ossp\";\n
        comment on table a is 'all of them';\ngrant select on a to anon;\nrevoke all on a from public;\nalter publication supabase_realtime add table a;\n
        insert into a (id, t) values (1, 'x') on conflict (id) do nothing;";
    let migrated = migrate(&Catalog::default(), "0001.sql", &format!("{TABLES}{taken}")).unwrap();
    let table = migrated.catalog.table("public", "a").unwrap();
    assert_eq!(table.comment.as_deref(), Some("all of them"));
    assert!(
        table
            .privileges
            .allows("anon", pando_sql::privilege::Privilege::Select)
    );
    assert_eq!(migrated.catalog.published.len(), 1);
    assert_eq!(migrated.catalog.extensions, ["pgcrypto", "uuid-ossp"]);
}

#[test]
fn a_file_may_say_that_it_is_one_transaction() {
    let sql = format!("begin;\n{TABLES}COMMIT;\n");
    let migrated = migrate(&Catalog::default(), "0001.sql", &sql).unwrap();
    assert!(migrated.catalog.table("public", "a").is_some());
    let refusal =
        migrate(&Catalog::default(), "0001.sql", &format!("{TABLES}commit;")).unwrap_err();
    assert_eq!((refusal.line, refusal.construct.as_str()), (2, "commit"));
}

#[test]
fn a_policy_is_named_by_a_sentence() {
    let long = "e".repeat(62) + "ée";
    let sql = format!(
        "{TABLES}create policy \"Everyone sees it. \"\"All\"\" of it.\" on a for select using (true);
        create policy \"{long}\" on a for delete using (false);
        alter policy \"{long}\" on a rename to \"Nobody deletes.\";"
    );
    let migrated = migrate(&Catalog::default(), "0001.sql", &sql).unwrap();
    let table = migrated.catalog.table("public", "a").unwrap();
    let names: Vec<&str> = table
        .policies
        .iter()
        .map(|policy| policy.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["Everyone sees it. \"All\" of it.", "Nobody deletes."]
    );
    let taken = format!("{sql} create policy \"Nobody deletes.\" on a using (true);");
    assert!(migrate(&Catalog::default(), "0001.sql", &taken).is_err());
}
