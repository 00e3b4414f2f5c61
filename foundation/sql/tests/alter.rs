//! What `alter table` refuses is said as PostgreSQL 15 says it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_sql::{Catalog, migrate};

const TABLES: &str = "
create table a (id int primary key, u int unique, t text, n int);
create table b (id int primary key, a int references a, n int check (n > 0));
create table d (id int primary key, x text default 'a', y int default 1 check (y > 0));
create index on d ((y + 1));
create policy p on a using (n > 1);
create unique index nn on a (n); create index nx on a (n); create unique index px on a (n) where n > 1;
create unique index ex on a ((n + 1));
";

#[test]
fn mistakes_are_told_in_postgres_words() {
    for (statement, state, reason) in [
        (
            "alter table a validate constraint zz;",
            "42704",
            "constraint \"zz\" of relation \"a\" does not exist",
        ),
        (
            "alter table a add constraint a_pkey check (n > 7);",
            "42710",
            "constraint \"a_pkey\" for relation \"a\" already exists",
        ),
        (
            "alter table a add unique (t, zz);",
            "42703",
            "column \"zz\" named in key does not exist",
        ),
        (
            "alter table b add foreign key (n) references a (n);",
            "42830",
            "there is no unique constraint matching given keys for referenced table \"a\"",
        ),
        (
            "alter table b add foreign key (t) references a (id);",
            "42703",
            "column \"t\" referenced in foreign key constraint does not exist",
        ),
        (
            "alter table b add foreign key (id, n) references a (id);",
            "42830",
            "number of referencing and referenced columns for foreign key disagree",
        ),
        (
            "alter table d add foreign key (x) references a;",
            "42804",
            "foreign key constraint \"d_x_fkey\" cannot be implemented: Key columns \"x\" and \"id\" are of incompatible types: text and integer.",
        ),
        (
            "alter table b add foreign key (n) references a match partial;",
            "0A000",
            "MATCH PARTIAL not yet implemented",
        ),
        (
            "alter table a add constraint k unique using index nx;",
            "42809",
            "\"nx\" is not a unique index: Cannot create a primary key or unique constraint using such an index.",
        ),
        (
            "alter table a add constraint k unique using index ex;",
            "42809",
            "index \"ex\" contains expressions: Cannot create a primary key or unique constraint using such an index.",
        ),
        (
            "alter table a add constraint k unique using index px;",
            "42809",
            "\"px\" is a partial index: Cannot create a primary key or unique constraint using such an index.",
        ),
        (
            "alter table a add constraint k unique using index zz;",
            "42704",
            "index \"zz\" does not exist",
        ),
        (
            "alter table a drop constraint a_pkey;",
            "2BP01",
            "cannot drop constraint a_pkey on table a because other objects depend on it: constraint b_a_fkey on table b depends on index a_pkey",
        ),
        (
            "alter table a drop column id;",
            "2BP01",
            "cannot drop column id of table a because other objects depend on it: constraint b_a_fkey on table b depends on column id of table a",
        ),
        (
            "alter table a drop column n;",
            "2BP01",
            "cannot drop column n of table a because other objects depend on it: policy p on table a depends on column n of table a",
        ),
        (
            "alter table a drop column zz;",
            "42703",
            "column \"zz\" of relation \"a\" does not exist",
        ),
        (
            "alter table a add primary key (u);",
            "42P16",
            "multiple primary keys for table \"a\" are not allowed",
        ),
        (
            "alter table a alter n type bigint;",
            "0A000",
            "cannot alter type of a column used in a policy definition: policy p on table a depends on column \"n\"",
        ),
        (
            "alter table a alter t type int;",
            "42804",
            "column \"t\" cannot be cast automatically to type integer",
        ),
        (
            "alter table d alter x type int using 1;",
            "42804",
            "default for column \"x\" cannot be cast automatically to type integer",
        ),
        (
            "alter table a alter id type text;",
            "42804",
            "foreign key constraint \"b_a_fkey\" cannot be implemented: Key columns \"a\" and \"id\" are of incompatible types: integer and text.",
        ),
        (
            "alter table b alter a type text;",
            "42804",
            "foreign key constraint \"b_a_fkey\" cannot be implemented: Key columns \"a\" and \"id\" are of incompatible types: text and integer.",
        ),
        (
            "alter table d rename x to id;",
            "42701",
            "column \"id\" of relation \"d\" already exists",
        ),
        (
            "alter table d rename zz to x;",
            "42703",
            "column \"zz\" does not exist",
        ),
        (
            "alter table d rename to a;",
            "42P07",
            "relation \"a\" already exists",
        ),
        (
            "alter table d rename constraint zz to c;",
            "42704",
            "constraint \"zz\" for table \"d\" does not exist",
        ),
        (
            "alter table a rename constraint a_pkey to a_u_key;",
            "42710",
            "constraint \"a_u_key\" for relation \"a\" already exists",
        ),
        (
            "alter table nope add x int;",
            "42P01",
            "relation \"nope\" does not exist",
        ),
        (
            "alter table d add x int;",
            "42701",
            "column \"x\" of relation \"d\" already exists",
        ),
        (
            "alter table d alter id drop not null;",
            "42P16",
            "column \"id\" is in a primary key",
        ),
        (
            "alter table d set schema nope;",
            "3F000",
            "schema \"nope\" does not exist",
        ),
        (
            "alter table d set (zz = 1);",
            "22023",
            "unrecognized parameter \"zz\"",
        ),
        (
            "alter table d disable trigger zz;",
            "42704",
            "trigger \"zz\" for table \"d\" does not exist",
        ),
        (
            "alter table d alter constraint zz deferrable;",
            "42704",
            "constraint \"zz\" of relation \"d\" does not exist",
        ),
        (
            "alter table d alter constraint d_y_check deferrable;",
            "42809",
            "constraint \"d_y_check\" of relation \"d\" is not a foreign key constraint",
        ),
        (
            "alter table d cluster on zz;",
            "42704",
            "index \"zz\" for table \"d\" does not exist",
        ),
        (
            "alter table d drop constraint zz;",
            "42704",
            "constraint \"zz\" of relation \"d\" does not exist",
        ),
        (
            "drop table a;",
            "2BP01",
            "cannot drop table a because other objects depend on it: constraint b_a_fkey on table b depends on table a",
        ),
        ("drop table nope;", "42P01", "table \"nope\" does not exist"),
        (
            "create schema public;",
            "42P06",
            "schema \"public\" already exists",
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
fn what_changes_no_answer_is_taken() {
    let sql = format!(
        "{TABLES}
        alter table if exists nope add x int;
        alter table only d alter column y set statistics 100, alter x set storage plain;
        alter table d set (fillfactor = 70, autovacuum_enabled = false);
        alter table d replica identity full; alter table d owner to postgres; alter table d cluster on d_pkey;
        alter table d disable trigger all; alter table d enable trigger user;
        alter table d add if not exists x int; alter table d drop constraint if exists zz;
        alter table d enable row level security, force row level security;
        alter table b alter constraint b_a_fkey deferrable initially deferred;
        alter table a add constraint nnk unique using index nn;"
    );
    let catalog = migrate(&Catalog::default(), "0001.sql", &sql)
        .unwrap()
        .catalog;
    let key = &catalog.table("public", "b").unwrap().foreign_keys[0];
    assert!(key.deferrable && key.deferred);
    let a = catalog.table("public", "a").unwrap();
    assert_eq!(a.uniques.last().unwrap().name, "nnk");
    assert!(a.indexes.iter().all(|index| index.name != "nn"));
}

#[test]
fn a_dump_alters_sequences_as_tables_and_indexes_by_their_names() {
    let sql = format!(
        "{TABLES}
        create sequence public.n as integer start with 1 increment by 1 no minvalue no maxvalue cache 1;
        alter table public.n owner to postgres; alter sequence public.n owned by public.d.id;
        alter table only public.d alter column id set default nextval('public.n'::regclass);
        alter table public.n rename to n2;
        alter index nx rename to ny; alter index if exists zz rename to z; alter index d_pkey rename to d_key;
        select pg_catalog.setval('public.n2', 1, false);"
    );
    let catalog = migrate(&Catalog::default(), "0001.sql", &sql)
        .unwrap()
        .catalog;
    let key = ("public".to_owned(), "n2".to_owned());
    assert_eq!(catalog.sequences[&key].max, i64::from(i32::MAX));
    let table = |name: &str| catalog.table("public", name).unwrap();
    assert!(table("a").indexes.iter().any(|index| index.name == "ny"));
    assert_eq!(table("d").primary_key.as_ref().unwrap().name, "d_key");
}

#[test]
fn names_are_made_as_postgres_makes_them() {
    let sql = "create table a_b (c int check (c > 0)); create table a (b_c int check (b_c > 0));
        create table nn_pkey (id int);
        create table nn (id int primary key, i2 int unique, check (id > 0), check (i2 > 0), check (id > i2));
        create unique index nn_i3_key on nn (id); alter table nn add i3 int unique;
        create index on nn (lower(i3::text)); create index on nn ((i3 + 1), (i3 + 2), i2); create index on nn (coalesce(i3, 1));
        create index on nn ((i3::text)); create index on nn (i2); create index on nn (i2, id);";
    let catalog = migrate(&Catalog::default(), "0001.sql", sql)
        .unwrap()
        .catalog;
    let table = |name: &str| catalog.table("public", name).unwrap();
    assert_eq!(table("a_b").checks[0].name, "a_b_c_check");
    assert_eq!(table("a").checks[0].name, "a_b_c_check1");
    let nn = table("nn");
    assert_eq!(nn.primary_key.as_ref().unwrap().name, "nn_pkey1");
    let uniques: Vec<&str> = nn.uniques.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(uniques, ["nn_i2_key", "nn_i3_key1"]);
    let checks: Vec<&str> = nn.checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(checks, ["nn_id_check", "nn_i2_check", "nn_check"]);
    let indexes: Vec<&str> = nn.indexes.iter().map(|index| index.name.as_str()).collect();
    assert_eq!(
        indexes,
        [
            "nn_i3_key",
            "nn_lower_idx",
            "nn_expr_expr1_i2_idx",
            "nn_coalesce_idx",
            "nn_i3_idx",
            "nn_i2_idx",
            "nn_i2_id_idx"
        ]
    );
}
