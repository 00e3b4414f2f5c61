//! Tables change their form and keep what they hold.

use super::bed::{ANN, MutationExt, SERVICE, body, insert, migrated, refusal};
use serde_json::json;

#[test]
fn a_table_altered_many_times_is_copied_once() {
    let mut bed = migrated(
        "create table a (id int primary key, t text, n int default 1 check (n > 0));
         create table b (id int primary key, a int references a on delete cascade);
         create index on a (t); create index on a ((n + 1));
         create policy p on a using (id > 0) with check (id < 100);
         insert into a values (1, 'x', 1), (2, 'y', 2); insert into b values (1, 2);",
    );
    bed.migrate(
        "alter table a alter t set not null, add column w uuid not null default gen_random_uuid(), add unique (t);
         alter table a add column k bigint generated always as identity, alter column n type bigint;
         alter table a add constraint few check (n < 50), drop constraint a_n_check;
         alter table a rename column t to word; alter table a rename to words;
         alter table words alter word set default 'none';",
    )
    .unwrap();
    assert_eq!(
        bed.stored("select id, word, n, k, length(w) from words"),
        "1,x,1,1,36;2,y,2,2,36"
    );
    assert_eq!(
        bed.stored("select count(distinct w) from words"),
        "2",
        "a volatile default is drawn for each row"
    );
    assert_eq!(
        bed.stored(
            "select name from sqlite_schema where type = 'index' and sql is not null order by name"
        ),
        "a_expr_idx;a_t_idx"
    );
    assert_eq!(
        bed.stored("select count(*) from pragma_foreign_key_list('b') where \"table\" = 'words'"),
        "1"
    );
    let changed = bed
        .change(
            ANN,
            &insert("words", &["id"]).returning(),
            &[],
            r#"[{"id":3}]"#,
        )
        .unwrap();
    let row = &body(&changed)[0];
    assert_eq!(
        (&row["word"], &row["n"], &row["k"]),
        (&json!("none"), &json!(1), &json!(3))
    );
    assert_eq!(
        refusal(bed.change(
            SERVICE,
            &insert("words", &["id", "word"]),
            &[],
            r#"[{"id":4,"word":"x"}]"#
        ))
        .1,
        "duplicate key value violates unique constraint \"a_t_key\""
    );
    assert_eq!(
        refusal(bed.change(
            SERVICE,
            &insert("words", &["id", "word", "n"]),
            &[],
            r#"[{"id":4,"word":"z","n":50}]"#
        ))
        .1,
        "new row for relation \"words\" violates check constraint \"few\""
    );
}

#[test]
fn a_type_changes_with_what_hangs_on_it() {
    let mut bed = migrated(
        "create table d (id int primary key, x text default '7', y int default 1 check (y > 0), z timestamptz);
         create index on d ((y + 1)); create index on d (y) where y > 5;
         insert into d values (1, '12', 3, '2024-05-06T07:08:09Z');",
    );
    bed.migrate(
        "alter table d alter y type numeric(10, 2), alter x type int using x::int, alter z type date;",
    )
    .unwrap_err();
    bed.migrate(
        "alter table d alter x drop default, alter y type numeric(10, 2), alter x type int using x::int + 1, alter z type date;
         alter table d alter x set default 8;",
    )
    .unwrap();
    assert_eq!(
        bed.stored("select id, x, y, z from d"),
        "1,13,3.00,2024-05-06"
    );
    bed.change(SERVICE, &insert("d", &["id"]), &[], r#"[{"id":2}]"#)
        .unwrap();
    assert_eq!(bed.stored("select x, y from d where id = 2"), "8,1.00");
    assert_eq!(
        refusal(bed.change(
            SERVICE,
            &insert("d", &["id", "y"]),
            &[],
            r#"[{"id":3,"y":"-0.5"}]"#
        ))
        .0,
        "23514"
    );
    bed.migrate("alter table d alter y type text using y::text;")
        .unwrap_err();
    bed.migrate("drop index d_expr_idx; drop index d_y_idx; alter table d drop constraint d_y_check; alter table d alter y drop default, alter y type text;")
        .unwrap();
    assert_eq!(bed.stored("select y from d order by id"), "3.00;1.00");
}

#[test]
fn a_table_moves_to_another_schema_with_what_is_its_own() {
    let mut bed = migrated(
        "create schema shop; grant usage on schema shop to service_role;
         create table a (id serial primary key, t text, u int, unique nulls not distinct (u));
         create index on a (t);
         create table b (id int primary key, a int references a);
         create policy p on b using (exists (select 1 from a where a.id = b.a));
         create policy all_of_it on a using (true) with check (true);
         insert into a (t) values ('x'); insert into b values (1, 1);",
    );
    bed.migrate("alter table a set schema shop; insert into shop.a (t, u) values ('y', 1);")
        .unwrap();
    assert_eq!(bed.stored("select id, t from \"shop.a\""), "1,x;2,y");
    assert_eq!(
        bed.stored(
            "select name from sqlite_schema where type = 'index' and sql is not null order by name"
        ),
        "shop.a_t_idx;shop.a_u_key (nulls)"
    );
    let mut add = insert("a", &["t"]);
    add.schema = "shop".to_owned();
    assert_eq!(
        refusal(bed.change(SERVICE, &add, &[], r#"[{"t":"z"}]"#)).1,
        "duplicate key value violates unique constraint \"a_u_key\""
    );
    let changed = bed
        .change(ANN, &super::bed::delete("b").returning(), &[], "[]")
        .unwrap();
    assert_eq!(
        body(&changed),
        json!([{"id": 1, "a": 1}]),
        "the policy followed"
    );
}

#[test]
fn columns_go_with_what_names_them() {
    let mut bed = migrated(
        "create table a (id int primary key, n int, m int unique, g int generated always as (n + 1) stored, check (n > 0));
         create table b (id int primary key, m int references a (m));
         create index on a (n); create policy p on a using (n > 1);
         insert into a (id, n, m) values (1, 2, 3); insert into b values (1, 3);",
    );
    let told = bed.migrate("alter table a drop column n").unwrap_err();
    assert!(
        told.contains("cannot drop column n of table a because other objects depend on it: column g of table a depends on column n of table a\npolicy p on table a depends on column n of table a"),
        "{told}"
    );
    bed.migrate("alter table a drop column n cascade, drop column if exists zz, drop column m cascade; insert into b values (2, 99);")
        .unwrap();
    let a = bed.catalog.table("public", "a").unwrap();
    assert_eq!(
        (
            a.columns.len(),
            a.policies.len(),
            a.checks.len(),
            a.indexes.len()
        ),
        (1, 0, 0, 0)
    );
    assert!(
        bed.catalog
            .table("public", "b")
            .unwrap()
            .foreign_keys
            .is_empty()
    );
}

#[test]
fn an_app_of_fifty_tables_migrates_quickly() {
    let mut sql = String::new();
    for n in 0..50 {
        sql.push_str(&format!(
            "create table t{n} (id bigint generated always as identity primary key, owner uuid not null default auth.uid(),
                title text not null check (length(title) < 200), price numeric(10,2), state text not null default 'new',
                created_at timestamptz not null default now(), data jsonb default '{{}}');
             create index on t{n} (owner); create index on t{n} (created_at desc);
             alter table t{n} enable row level security;
             create policy own on t{n} for all to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
             alter table t{n} add column parent bigint references t{p} (id) on delete cascade;
             alter table t{n} add constraint state_is check (state in ('new', 'old'));
             comment on table t{n} is 'table {n}'; grant select on t{n} to anon;\n",
            p = if n == 0 { 0 } else { n - 1 }
        ));
    }
    let mut bed = migrated("create table first (id int primary key);");
    let start = std::time::Instant::now();
    bed.migrate(&sql).unwrap();
    let took = start.elapsed();
    println!("50 tables: {took:?}");
    assert!(
        took < std::time::Duration::from_secs(5),
        "unoptimised, on a busy machine: {took:?}"
    );
    assert_eq!(
        bed.stored("select count(*) from sqlite_schema where type = 'table' and name like 't%'"),
        "50"
    );
}
