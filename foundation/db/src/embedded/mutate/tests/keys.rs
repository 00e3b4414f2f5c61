//! Constraints with their names: nulls that are equal, keys that wait, keys that hold from now on.

use super::bed::{ANN, MutationExt, SERVICE, delete, insert, migrated, refusal, text, update};
use pando_sql::SqlError;

const SCHEMA: &str = "
    create table a (id int primary key, u int unique, n int, unique (id, u));
    create table b (
        id int primary key, a int references a deferrable initially deferred,
        u1 int, u2 numeric, v1 int, v2 int,
        unique nulls not distinct (u1, u2),
        foreign key (v1, v2) references a (id, u) match full
    );
    create unique index flag on a (n) nulls not distinct where id > 10;
    create policy everybody on b using (true) with check (true);
";

fn told(outcome: Result<super::super::Changed, SqlError>) -> (String, String, String) {
    let error = outcome.unwrap_err();
    (
        error.state.to_string(),
        error.message,
        error.detail.unwrap_or_default(),
    )
}

fn triple(state: &str, message: &str, detail: &str) -> (String, String, String) {
    (state.to_owned(), message.to_owned(), detail.to_owned())
}

#[test]
fn a_null_may_equal_a_null() {
    let bed = migrated(SCHEMA);
    let add = insert("b", &["id", "u1", "u2"]);
    bed.change(
        SERVICE,
        &add,
        &[],
        r#"[{"id":1,"u1":null,"u2":"1.0"},{"id":2,"u1":1,"u2":null},{"id":3,"u1":null,"u2":null}]"#,
    )
    .unwrap();
    assert_eq!(
        told(bed.change(SERVICE, &add, &[], r#"[{"id":4,"u1":null,"u2":"1.00"}]"#)),
        triple(
            "23505",
            "duplicate key value violates unique constraint \"b_u1_u2_key\"",
            "Key (u1, u2)=(null, 1.00) already exists."
        )
    );
    assert_eq!(
        refusal(bed.change(SERVICE, &add, &[], r#"[{"id":4,"u1":null,"u2":null}]"#)).0,
        "23505"
    );
    let flagged = insert("a", &["id", "n"]);
    bed.change(SERVICE, &flagged, &[], r#"[{"id":1},{"id":2},{"id":11}]"#)
        .unwrap();
    assert_eq!(
        refusal(bed.change(SERVICE, &flagged, &[], r#"[{"id":12,"n":null}]"#)).1,
        "duplicate key value violates unique constraint \"flag\""
    );
}

#[test]
fn a_key_that_waits_is_looked_at_when_the_request_is_done() {
    let bed = migrated(SCHEMA);
    let add = insert("b", &["id", "a"]);
    assert_eq!(
        told(bed.change(SERVICE, &add, &[], r#"[{"id":1,"a":7}]"#)),
        triple(
            "23503",
            "insert or update on table \"b\" violates foreign key constraint \"b_a_fkey\"",
            "Key (a)=(7) is not present in table \"a\"."
        )
    );
    assert_eq!(
        told(bed.change(ANN, &add, &[], r#"[{"id":1,"a":7}]"#)).2,
        "Key is not present in table \"a\"."
    );
    bed.change(SERVICE, &insert("a", &["id"]), &[], r#"[{"id":7}]"#)
        .unwrap();
    bed.change(SERVICE, &add, &[], r#"[{"id":1,"a":7}]"#)
        .unwrap();
    assert_eq!(
        told(bed.change(SERVICE, &delete("a").by("id"), &[text("7")], "[]")),
        triple(
            "23503",
            "update or delete on table \"a\" violates foreign key constraint \"b_a_fkey\" on table \"b\"",
            "Key (id)=(7) is still referenced from table \"b\"."
        )
    );
    assert_eq!(
        bed.stored("select b.id, a.id from b join a on a.id = b.a"),
        "1,7"
    );
}

#[test]
fn match_full_takes_all_or_nothing() {
    let bed = migrated(SCHEMA);
    bed.change(
        SERVICE,
        &insert("a", &["id", "u"]),
        &[],
        r#"[{"id":1,"u":2}]"#,
    )
    .unwrap();
    let add = insert("b", &["id", "v1", "v2", "u1"]);
    bed.change(
        SERVICE,
        &add,
        &[],
        r#"[{"id":1,"v1":1,"v2":2,"u1":1},{"id":2,"v1":null,"v2":null,"u1":2}]"#,
    )
    .unwrap();
    assert_eq!(
        told(bed.change(SERVICE, &add, &[], r#"[{"id":3,"v1":1,"v2":null,"u1":3}]"#)),
        triple(
            "23503",
            "insert or update on table \"b\" violates foreign key constraint \"b_v1_v2_fkey\"",
            "MATCH FULL does not allow mixing of null and nonnull key values."
        )
    );
}

#[test]
fn what_is_not_valid_yet_holds_for_new_rows_only() {
    let mut bed = migrated(SCHEMA);
    bed.migrate(
        "insert into a (id, u, n) values (1, 1, null), (2, 2, 5);
         insert into b (id, u1) values (9, 1);
         alter table a add constraint big check (n > 6) not valid;
         alter table b add constraint fk foreign key (id) references a (id) not valid;",
    )
    .unwrap();
    assert_eq!(bed.stored("select id, n from a"), "1,null;2,5");
    assert_eq!(
        refusal(bed.change(
            SERVICE,
            &insert("a", &["id", "n"]),
            &[],
            r#"[{"id":3,"n":1}]"#
        ))
        .1,
        "new row for relation \"a\" violates check constraint \"big\""
    );
    assert_eq!(
        refusal(bed.change(
            SERVICE,
            &insert("b", &["id", "u1"]),
            &[],
            r#"[{"id":3,"u1":3}]"#
        ))
        .1,
        "insert or update on table \"b\" violates foreign key constraint \"fk\""
    );
    for (sql, error) in [
        (
            "alter table a validate constraint big",
            "check constraint \"big\" of relation \"a\" is violated by some row (SQLSTATE 23514)",
        ),
        (
            "alter table b validate constraint fk",
            "insert or update on table \"b\" violates foreign key constraint \"fk\" (SQLSTATE 23503): Key (id)=(9) is not present in table \"a\".",
        ),
    ] {
        let told = bed.migrate(sql).unwrap_err();
        assert!(told.ends_with(error), "{told}");
    }
    // Another rebuild leaves the rows as they are.
    bed.migrate(
        "alter table a add column w int not null default 3; alter table a alter u set not null;",
    )
    .unwrap();
    bed.change(
        SERVICE,
        &update("a", &["n"]).by("id"),
        &[text("2")],
        r#"[{"n":7}]"#,
    )
    .unwrap();
    bed.migrate(
        "delete from b where id = 9; alter table a validate constraint big; alter table b validate constraint fk;",
    )
    .unwrap();
    assert!(bed.catalog.table("public", "a").unwrap().checks[0].validated);
}

#[test]
fn a_constraint_the_rows_break_is_named() {
    let mut bed = migrated(
        "create table a (id int primary key, t text, n int);
         insert into a values (1, 'x', null), (2, 'x', 5);
         create table b (id int primary key); insert into b values (7);",
    );
    for (sql, error) in [
        (
            "alter table a alter n set not null",
            "column \"n\" of relation \"a\" contains null values (SQLSTATE 23502)",
        ),
        (
            "alter table a add constraint c check (n > 6)",
            "check constraint \"c\" of relation \"a\" is violated by some row (SQLSTATE 23514)",
        ),
        (
            "alter table a add unique (t)",
            "could not create unique index \"a_t_key\" (SQLSTATE 23505)",
        ),
        (
            "create unique index ti on a (t)",
            "could not create unique index \"ti\" (SQLSTATE 23505)",
        ),
        (
            "alter table b add foreign key (id) references a",
            "insert or update on table \"b\" violates foreign key constraint \"b_id_fkey\" (SQLSTATE 23503): Key (id)=(7) is not present in table \"a\".",
        ),
        (
            "alter table a add column v int not null",
            "column \"v\" of relation \"a\" contains null values (SQLSTATE 23502)",
        ),
        ("alter table a alter t type varchar(0)", ""),
        (
            "insert into a values (3, 'long', 1); alter table a alter t type varchar(2)",
            "value too long for type character varying(2) (SQLSTATE 22001)",
        ),
    ] {
        let told = bed.migrate(sql).unwrap_err();
        assert!(told.ends_with(error), "{sql}: {told}");
    }
    assert_eq!(bed.stored("select id, t, n from a"), "1,x,null;2,x,5");
}
