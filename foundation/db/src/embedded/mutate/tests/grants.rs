//! What is granted is what may be done, table by table and column by column.

use super::bed::{
    As, MutationExt, SERVICE, delete, insert, migrated, refusal, text, update, upsert,
};
use pando_kernel::Role;
use pando_plan::request::{Change, Input, Item, Mutation, Path};

const ANON: As = As(Role::Anon, None);

const SCHEMA: &str = "
    create table t (id serial primary key, a int, b int);
    create policy everybody on t using (true) with check (true);
    revoke all on t from anon; revoke all on sequence t_id_seq from anon;
    grant select (id, a), insert (a), update (a) on t to anon;
    insert into t (a, b) values (1, 2);
";

fn column(name: &str) -> Item {
    Item::Column {
        alias: None,
        path: Path {
            column: name.to_owned(),
            steps: Vec::new(),
        },
        cast: None,
    }
}

fn answering(mut mutation: Mutation, columns: &[&str]) -> Mutation {
    mutation.returning = true;
    mutation.node.items = columns.iter().map(|name| column(name)).collect();
    mutation
}

#[test]
fn columns_are_granted_one_by_one() {
    let mut bed = migrated(SCHEMA);
    let denied = (
        "42501".to_owned(),
        "permission denied for table t".to_owned(),
    );
    let one: [Input; 1] = [text("1")];
    let change = |mutation: &Mutation, inputs: &[Input], rows: &str| {
        bed.change(ANON, mutation, inputs, rows)
    };
    assert_eq!(
        refusal(change(&insert("t", &["a"]), &[], r#"[{"a":1}]"#)).1,
        "permission denied for sequence t_id_seq"
    );
    change(&update("t", &["a"]), &[], r#"[{"a":2}]"#).unwrap();
    change(&update("t", &["a"]).by("id"), &one, r#"[{"a":3}]"#).unwrap();
    let answer = answering(update("t", &["a"]).by("id"), &["id", "a"]);
    change(&answer, &one, r#"[{"a":3}]"#).unwrap();
    for (refused, rows) in [
        (insert("t", &["a", "b"]), r#"[{"a":1,"b":2}]"#),
        (insert("t", &["id", "a"]), r#"[{"id":9,"a":1}]"#),
        (answering(insert("t", &["a"]), &["b"]), r#"[{"a":1}]"#),
        (insert("t", &["a"]).returning(), r#"[{"a":1}]"#),
        (
            upsert("t", &["id", "a"], &["id"], true),
            r#"[{"id":1,"a":1}]"#,
        ),
        (update("t", &["b"]), r#"[{"b":1}]"#),
        (update("t", &["a"]).by("b"), r#"[{"a":1}]"#),
        (update("t", &["a"]).returning(), r#"[{"a":1}]"#),
        (delete("t"), "[]"),
    ] {
        let told = refusal(change(&refused, &one, rows));
        let by_sequence =
            matches!(&refused.change, Change::Insert { columns, .. } if columns == &["a"]);
        if by_sequence {
            assert_eq!(told.0, "42501", "{refused:?}");
        } else {
            assert_eq!(told, denied, "{refused:?}");
        }
    }
    bed.migrate("grant usage on sequence t_id_seq to anon; grant delete on t to public")
        .unwrap();
    let add = answering(insert("t", &["a"]), &["id"]);
    bed.change(ANON, &add, &[], r#"[{"a":4}]"#).unwrap();
    bed.change(ANON, &delete("t").by("id"), &[text("2")], "[]")
        .unwrap();
    assert_eq!(
        refusal(bed.change(ANON, &delete("t").by("b"), &[text("2")], "[]")),
        denied
    );
}

#[test]
fn a_schema_other_than_public_is_closed_to_everybody() {
    let mut bed = migrated(
        "create schema shop; create table shop.a (id int primary key);
         create policy everybody on shop.a using (true) with check (true);",
    );
    let mut add = insert("a", &["id"]);
    add.schema = "shop".to_owned();
    let told = |bed: &mut super::bed::Bed, sql: &str, who| {
        bed.migrate(sql).unwrap();
        refusal(bed.change(who, &add, &[], r#"[{"id":1}]"#)).1
    };
    assert_eq!(
        told(&mut bed, "select 1;", SERVICE),
        "permission denied for schema shop"
    );
    assert_eq!(
        told(
            &mut bed,
            "grant usage on schema shop to service_role, anon;",
            SERVICE
        ),
        "permission denied for table a"
    );
    bed.migrate("grant all on all tables in schema shop to service_role;")
        .unwrap();
    bed.change(SERVICE, &add, &[], r#"[{"id":1}]"#).unwrap();
    bed.migrate(
        "alter default privileges in schema shop grant insert on tables to anon;
         create table shop.b (id int primary key);
         create policy everybody on shop.b using (true) with check (true);",
    )
    .unwrap();
    add.table = "b".to_owned();
    bed.change(ANON, &add, &[], r#"[{"id":1}]"#).unwrap();
    assert_eq!(
        refusal(bed.change(SERVICE, &add, &[], r#"[{"id":2}]"#)).1,
        "permission denied for table b"
    );
}

#[test]
fn a_policy_asks_other_tables_as_its_reader() {
    let mut bed = migrated(
        "create table secrets (id int primary key, word text);
         create table t (id int primary key);
         create policy known on t using (true) with check (exists (select 1 from secrets s where s.id = t.id));
         create policy everybody on secrets using (true);
         revoke select on secrets from anon;
         insert into secrets values (1, 'x');",
    );
    let add = insert("t", &["id"]);
    assert_eq!(
        refusal(bed.change(ANON, &add, &[], r#"[{"id":1}]"#)).1,
        "permission denied for table secrets"
    );
    bed.migrate("grant select (word) on secrets to anon")
        .unwrap();
    assert_eq!(
        refusal(bed.change(ANON, &add, &[], r#"[{"id":1}]"#)).0,
        "42501"
    );
    bed.migrate("grant select (id) on secrets to anon").unwrap();
    bed.change(ANON, &add, &[], r#"[{"id":1}]"#).unwrap();
}
