//! Columns generated from others: computed by the file, seen by policies, filters and answers, written by nobody.

use super::bed::{
    ANN, MutationExt, SERVICE, body, insert, migrated, refusal, text, update, upsert,
};
use serde_json::json;

const SCHEMA: &str = "
    create table goods (
        id int primary key, price numeric not null, count int not null,
        total numeric generated always as (price * count) stored check (total < 1000),
        slug text generated always as (lower(name)) stored, name text
    );
    create unique index on goods (slug);
    create policy cheap on goods using (total < 100) with check (total < 100);
";

#[test]
fn a_generated_column_is_computed_checked_and_returned() {
    let bed = migrated(SCHEMA);
    let columns = ["id", "price", "count", "name"];
    let row = r#"[{"id":1,"price":"2.50","count":3,"name":"Tea"}]"#;
    let changed = bed.change(ANN, &insert("goods", &columns).returning(), &[], row);
    assert_eq!(
        body(&changed.unwrap()),
        json!([{"id": 1, "price": 2.50, "count": 3, "total": 7.50, "slug": "tea", "name": "Tea"}])
    );
    let dear = r#"[{"id":2,"price":"200","count":1,"name":"Tea"}]"#;
    assert_eq!(
        refusal(bed.change(ANN, &insert("goods", &columns), &[], dear)).0,
        "42501",
        "a policy sees the proposed value, before the key shows"
    );
    assert_eq!(
        refusal(bed.change(SERVICE, &insert("goods", &columns), &[], dear)),
        (
            "23505".to_owned(),
            "duplicate key value violates unique constraint \"goods_slug_idx\"".to_owned()
        )
    );
    let dearer = r#"[{"id":2,"price":"2000","count":1,"name":"Pot"}]"#;
    assert_eq!(
        refusal(bed.change(SERVICE, &insert("goods", &columns), &[], dearer)).1,
        "new row for relation \"goods\" violates check constraint \"goods_total_check\""
    );
    assert_eq!(
        refusal(bed.change(ANN, &update("goods", &["count"]), &[], r#"[{"count":99}]"#)).0,
        "42501"
    );
    let changed = bed.change(
        ANN,
        &update("goods", &["count"]).by("slug").returning(),
        &[text("tea")],
        r#"[{"count":4}]"#,
    );
    assert_eq!(body(&changed.unwrap())[0]["total"], json!(10.00));
    let merge = upsert("goods", &columns, &["id"], true);
    bed.change(
        SERVICE,
        &merge,
        &[],
        r#"[{"id":1,"price":"3","count":3,"name":"Cup"}]"#,
    )
    .unwrap();
    assert_eq!(bed.stored("select total, slug from goods"), "9,cup");
}

#[test]
fn nobody_writes_a_generated_column() {
    let bed = migrated(SCHEMA);
    let error = bed
        .change(
            SERVICE,
            &insert("goods", &["slug"]),
            &[],
            r#"[{"slug":"x"}]"#,
        )
        .unwrap_err();
    assert_eq!(
        (
            error.state.as_ref(),
            error.message.as_str(),
            error.detail.as_deref()
        ),
        (
            "428C9",
            "cannot insert a non-DEFAULT value into column \"slug\"",
            Some("Column \"slug\" is a generated column.")
        )
    );
    assert_eq!(
        refusal(bed.change(
            SERVICE,
            &update("goods", &["slug"]),
            &[],
            r#"[{"slug":"x"}]"#
        ))
        .1,
        "column \"slug\" can only be updated to DEFAULT"
    );
}

#[test]
fn a_generated_column_may_come_later_and_survives_a_rebuild() {
    let mut bed = migrated(SCHEMA);
    bed.migrate(
        "insert into goods (id, price, count, name) values (1, 2, 3, 'Tea');
         alter table goods add column twice int generated always as (count * 2) stored;
         alter table goods alter column name set not null;
         alter table goods rename column count to amount;",
    )
    .unwrap();
    assert_eq!(
        bed.stored("select total, slug, twice from goods"),
        "6,tea,6"
    );
    bed.migrate("update goods set amount = 5 where id = 1;")
        .unwrap();
    assert_eq!(bed.stored("select total, twice from goods"), "10,10");
}
