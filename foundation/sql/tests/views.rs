//! Views that a migration may not make.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_sql::{Catalog, migrate};

#[track_caller]
fn refused(sql: &str, expected: &str) {
    let base = "create table t (id int primary key, body text);\n";
    let refusal = migrate(
        &Catalog::default(),
        "0001_views.sql",
        &format!("{base}{sql}"),
    )
    .err()
    .unwrap();
    assert_eq!(refusal.to_string(), expected, "{sql}");
}

#[test]
fn a_view_past_the_policies_is_refused_where_it_would_be_exposed() {
    const ADVICE: &str = "not available on the embedded engine; add with (security_invoker = true) after its name, so that it shows its \
                          reader what the policies allow, or put it into a schema that is not exposed";
    refused(
        "\ncreate view v as select id from t;",
        &format!(
            "0001_views.sql:3: view v that passes the policies of its tables, in the exposed schema public: {ADVICE}"
        ),
    );
    refused(
        "create view v with (security_invoker = on) as select id from t;\nalter view v set (security_invoker = false);",
        &format!(
            "0001_views.sql:3: view v that passes the policies of its tables, in the exposed schema public: {ADVICE}"
        ),
    );
    let hidden = "create table t (id int primary key); create schema app; create view app.v as select id from t;";
    migrate(&Catalog::default(), "0001_views.sql", hidden).unwrap();
}

#[test]
fn a_check_option_needs_a_view_that_can_be_written() {
    refused(
        "create view v with (security_invoker = true) as select distinct id from t with check option;",
        "0001_views.sql:2: v: WITH CHECK OPTION is supported only on automatically updatable views; Views containing DISTINCT are not \
         automatically updatable.",
    );
}
