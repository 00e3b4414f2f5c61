//! Enums gain values and change their names, and schemas too, with the rows and rules that hold them.

use super::bed::{ANN, SERVICE, insert, migrated, refusal, update};

const SCHEMA: &str = "
    create type mood as enum ('sad', 'ok');
    create table t (id int primary key, m mood default 'sad', n mood[] default '{}', check (m <> 'ok' or id < 10));
    create policy sad_ones on t using (m = 'sad') with check (true);
    create index on t (m) where m = 'sad';
    insert into t values (1, 'sad', '{ok}'), (2, 'ok', '{}');
";

#[test]
fn an_enum_gains_values_in_their_places() {
    let mut bed = migrated(SCHEMA);
    bed.migrate("alter type mood add value 'meh' before 'ok'; alter type mood add value if not exists 'ok'; alter type mood add value 'great';")
        .unwrap();
    assert_eq!(
        bed.catalog.enums.values().next().unwrap().labels,
        ["sad", "meh", "ok", "great"]
    );
    bed.change(
        SERVICE,
        &insert("t", &["id", "m", "n"]),
        &[],
        r#"[{"id":3,"m":"meh","n":["great"]}]"#,
    )
    .unwrap();
    assert_eq!(
        refusal(bed.change(
            SERVICE,
            &insert("t", &["id", "m"]),
            &[],
            r#"[{"id":4,"m":"glad"}]"#
        ))
        .0,
        "22P02"
    );
    assert_eq!(
        bed.stored("select id, m, n from t"),
        "1,sad,[\"ok\"];2,ok,[];3,meh,[\"great\"]"
    );
}

#[test]
fn a_value_goes_by_another_name_in_rows_and_rules() {
    let mut bed = migrated(SCHEMA);
    bed.migrate("alter table t drop column n; alter type mood rename value 'sad' to 'blue'; alter type mood rename to feeling;")
        .unwrap();
    assert_eq!(bed.stored("select id, m from t"), "1,blue;2,ok");
    bed.change(SERVICE, &insert("t", &["id"]), &[], r#"[{"id":3}]"#)
        .unwrap();
    assert_eq!(bed.stored("select m from t where id = 3"), "blue");
    let changed = bed
        .change(ANN, &update("t", &["m"]), &[], r#"[{"m":"ok"}]"#)
        .unwrap();
    assert_eq!(changed.rows, 2, "the policy sees blue rows");
}

#[test]
fn a_type_goes_with_the_columns_of_it() {
    let mut bed = migrated(SCHEMA);
    let told = bed.migrate("drop type mood").unwrap_err();
    assert!(
        told.contains("cannot drop type mood because other objects depend on it: column m of table t depends on type mood\ncolumn n of table t depends on type mood[]"),
        "{told}"
    );
    bed.migrate("drop type mood cascade; create type mood as enum ();")
        .unwrap();
    assert_eq!(bed.catalog.table("public", "t").unwrap().columns.len(), 1);
}

#[test]
fn a_schema_goes_by_another_name_or_goes_with_what_it_holds() {
    let mut bed = migrated(
        "create schema s; create type s.e as enum ('a'); create sequence s.n start 7;
         create table s.a (id serial primary key, e s.e default 'a', k bigint default nextval('s.n'));
         create index on s.a (e); create table b (id int primary key, a int references s.a);
         insert into s.a (e) values ('a'); insert into b values (1, 1);",
    );
    let told = bed.migrate("drop schema s").unwrap_err();
    assert!(
        told.contains(
            "cannot drop schema s because other objects depend on it: table s.a depends on schema s"
        ),
        "{told}"
    );
    bed.migrate("alter schema s rename to shop; insert into shop.a (e) values ('a');")
        .unwrap();
    assert_eq!(bed.stored("select id, e, k from \"shop.a\""), "1,a,7;2,a,8");
    bed.migrate(
        "comment on schema shop is 'all'; drop schema shop cascade; drop schema if exists shop;",
    )
    .unwrap();
    assert_eq!(bed.stored("select * from b"), "1,1");
    assert_eq!(
        bed.stored("select name from sqlite_schema where name like '%shop%' or name like 's.%'"),
        ""
    );
    assert!(
        bed.migrate("create table shop.x (id int)")
            .unwrap_err()
            .contains("schema \"shop\" does not exist")
    );
}
