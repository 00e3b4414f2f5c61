//! Every operator, on every kind of value.

use crate::ask::*;
use crate::bed::{ANN, SERVICE};
use crate::schema::bed;
use pando_plan::PlanError;
use pando_plan::request::{Filter, Input, Is, Op, Quantifier, Slot, Test};
use serde_json::json;

/// The ids of the projects a filter finds.
fn found(filter: Filter, inputs: &[Input]) -> Vec<i64> {
    let request = read("projects", items(&["id"]).filter(filter).order(order("id")));
    let rows = bed().read(SERVICE, &request, inputs);
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_i64().unwrap())
        .collect()
}

#[test]
fn comparisons_follow_the_columns_type() {
    for (column, operator, value, ids) in [
        ("id", Op::Eq, "2", vec![2]),
        ("id", Op::Neq, "2", vec![1, 3]),
        ("id", Op::Gt, "1", vec![2, 3]),
        ("id", Op::Gte, "2", vec![2, 3]),
        ("id", Op::Lt, "2", vec![1]),
        ("id", Op::Lte, "2", vec![1, 2]),
        ("title", Op::Eq, "Roof", vec![1]),
        ("open", Op::Eq, "true", vec![1]),
        ("open", Op::Neq, "true", vec![2]),
        ("open", Op::IsDistinct, "true", vec![2, 3]),
        ("budget", Op::Eq, "10.5", vec![1]),
        ("budget", Op::Gt, "9", vec![1, 2]),
        ("state", Op::Eq, "done", vec![3]),
        ("state", Op::Gt, "todo", vec![1, 3]),
        ("state", Op::Lte, "doing", vec![1, 2]),
    ] {
        assert_eq!(
            found(op(column, operator, 0), &[text(value)]),
            ids,
            "{column} {operator:?} {value}"
        );
    }
}

#[test]
fn patterns_are_postgres_patterns() {
    for (operator, pattern, ids) in [
        (Op::Like, "%oo%", vec![1, 3]),
        (Op::Like, "r%", vec![]),
        (Op::Like, "Wal_", vec![2]),
        (Op::Ilike, "r%", vec![1]),
        (Op::Match, "^[RD]oo", vec![1, 3]),
        (Op::Match, "ROOF", vec![]),
        (Op::Imatch, "ROOF", vec![1]),
    ] {
        assert_eq!(
            found(op("title", operator, 0), &[text(pattern)]),
            ids,
            "{operator:?} {pattern}"
        );
    }
}

#[test]
fn json_and_arrays_are_compared_by_content() {
    for (column, operator, value, ids) in [
        ("data", Op::Contains, r#"{"a":{"b":["x"]}}"#, vec![1]),
        (
            "data",
            Op::ContainedIn,
            r#"{"a":{"b":[1,"x",2]},"n":12345678901234567890,"z":null}"#,
            vec![1],
        ),
        ("data->a->b->0", Op::Eq, "1", vec![1]),
        ("data->a->b->>-1", Op::Eq, "x", vec![1]),
        ("data->>n", Op::Eq, "12345678901234567890", vec![1]),
        ("data->a->b->>1", Op::Like, "_", vec![1]),
        ("labels", Op::Contains, "{red}", vec![1]),
        ("labels", Op::ContainedIn, "{red,blue,green}", vec![1, 2]),
        ("labels", Op::Overlaps, "{green,blue}", vec![1]),
        ("labels", Op::Eq, "{red,blue}", vec![1]),
        ("labels->>0", Op::Eq, "red", vec![1]),
    ] {
        assert_eq!(
            found(op(column, operator, 0), &[text(value)]),
            ids,
            "{column} {operator:?} {value}"
        );
    }
    assert_eq!(found(is("data->nothing", Is::Null), &[]), [1, 2, 3]);
}

#[test]
fn paths_and_casts_are_selected_under_their_last_name() {
    let row = |columns: &[&str]| {
        bed().read(
            SERVICE,
            &read("projects", items(columns).filter(op("id", Op::Eq, 0))),
            &[text("1")],
        )
    };
    assert_eq!(row(&["data->a->b"]), json!([{"b": [1, "x"]}]));
    assert_eq!(row(&["data->a->b->>1"]), json!([{"b": "x"}]));
    assert_eq!(
        row(&["first:labels->>0", "data->zzz"]),
        json!([{"first": "red", "zzz": null}])
    );
    assert_eq!(
        row(&["id::text", "cost:budget::text"]),
        json!([{"id": "1", "cost": "10.50"}])
    );
    let error = bed()
        .plan(ANN, &read("projects", items(&["id::nothing"])))
        .unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        ("42704", "type \"nothing\" does not exist".to_owned())
    );
    let error = bed()
        .plan(ANN, &read("projects", items(&["title->a"])))
        .unwrap_err();
    assert_eq!(error.message(), "operator does not exist: text -> unknown");
}

#[test]
fn lists_and_quantifiers_keep_three_valued_logic() {
    let any =
        |column, operator| compare(column, Test::Quantified(operator, Quantifier::Any, Slot(0)));
    let all =
        |column, operator| compare(column, Test::Quantified(operator, Quantifier::All, Slot(0)));
    let within = |column| compare(column, Test::In(Slot(0)));
    assert_eq!(found(within("id"), &[list(&["1", "3", "9"])]), [1, 3]);
    assert_eq!(found(within("title"), &[list(&["Roof", "a \"b\""])]), [1]);
    assert_eq!(found(within("id"), &[list(&[])]), [0; 0]);
    assert_eq!(
        found(not(within("client_id")), &[list(&["1"])]),
        [2],
        "null is neither in nor out"
    );
    assert_eq!(found(any("id", Op::Eq), &[text("{1,2}")]), [1, 2]);
    assert_eq!(found(any("id", Op::Gt), &[text("{1,2}")]), [2, 3]);
    assert_eq!(found(all("id", Op::Gt), &[text("{1,2}")]), [3]);
    assert_eq!(found(not(any("client_id", Op::Gt)), &[text("{1}")]), [1]);
    assert_eq!(
        found(all("client_id", Op::Gt), &[text("{}")]),
        [1, 2, 3],
        "all of nothing"
    );
}

#[test]
fn is_asks_for_null_and_truth() {
    assert_eq!(found(is("client_id", Is::Null), &[]), [3]);
    assert_eq!(found(is("client_id", Is::NotNull), &[]), [1, 2]);
    assert_eq!(found(is("open", Is::True), &[]), [1]);
    assert_eq!(found(not(is("open", Is::True)), &[]), [2, 3]);
    assert_eq!(found(is("open", Is::False), &[]), [2]);
    assert_eq!(found(is("open", Is::Unknown), &[]), [3]);
    let request = read("projects", items(&["id"]).filter(is("id", Is::True)));
    let PlanError::Sql(error) = bed().plan(ANN, &request).unwrap_err() else {
        panic!("not an SQL error")
    };
    assert_eq!(error.state, "42804");
}

#[test]
fn groups_nest() {
    let group = |any, filters| Filter::Group {
        negated: false,
        any,
        filters,
    };
    let either = group(
        true,
        vec![
            op("id", Op::Eq, 0),
            group(false, vec![op("id", Op::Gt, 0), op("open", Op::Eq, 1)]),
        ],
    );
    assert_eq!(found(either.clone(), &[text("1"), text("false")]), [1, 2]);
    assert_eq!(
        found(not(either), &[text("1"), text("false")]),
        [0; 0],
        "the third is unknown"
    );
    assert_eq!(found(group(false, vec![]), &[]), [1, 2, 3]);
    assert_eq!(found(group(true, vec![]), &[]), [0; 0]);
}

#[test]
fn a_request_of_any_size_is_planned_or_refused_clearly() {
    let many = |count| vec![op("id", Op::Eq, 0); count];
    let either = Filter::Group {
        negated: false,
        any: true,
        filters: many(3000),
    };
    assert_eq!(
        found(either, &[text("2")]),
        [2],
        "a long list is no deep expression"
    );
    let wide = |node| {
        bed()
            .plan(SERVICE, &read("projects", node))
            .unwrap_err()
            .message()
    };
    assert_eq!(
        wide(items(&vec!["id"; 1665])),
        "a request may have at most 1664 columns"
    );
    let mut node = items(&["id"]);
    node.filters = many(501);
    assert_eq!(wide(node), "a request may have at most 500 filters");
    let path = format!("data{}", "->a".repeat(65));
    assert_eq!(
        wide(items(&[&path])),
        "a request may have at most 64 steps into JSON"
    );
    let tasks = |count| {
        (0..count).fold(items(&["id"]), |node, _| {
            node.with(embed("tasks", items(&["id"])))
        })
    };
    assert_eq!(
        wide(tasks(61)),
        "a request may have at most 60 embedded resources"
    );
    bed().read(SERVICE, &read("projects", tasks(60)), &[]);
    bed().read(SERVICE, &read("projects", items(&vec!["id"; 1664])), &[]);
    bed().read(
        SERVICE,
        &read(
            "clients",
            items(&[]).with(embed("projects", items(&vec!["id"; 1664]))),
        ),
        &[],
    );
    bed().read(
        SERVICE,
        &read("projects", items(&[&format!("data{}", "->a".repeat(64))])),
        &[],
    );
}

#[test]
fn unknown_names_come_with_the_near_miss() {
    let bed = bed();
    let error = bed.plan(ANN, &read("project", items(&["*"]))).unwrap_err();
    assert_eq!(
        error.message(),
        "Could not find the table 'public.project' in the schema cache"
    );
    assert_eq!(
        error.hint().unwrap(),
        "Perhaps you meant the table 'public.projects'"
    );
    let error = bed
        .plan(ANN, &read("projects", items(&["titel"])))
        .unwrap_err();
    assert_eq!(error.message(), "column projects.titel does not exist");
    assert_eq!(
        error.hint().unwrap(),
        "Perhaps you meant to reference the column \"projects.title\"."
    );
    let error = bed
        .plan(
            ANN,
            &read("projects", items(&["id"]).filter(op("zzz", Op::Eq, 0))),
        )
        .unwrap_err();
    assert_eq!((error.code(), error.hint()), ("42703", None));
    let error = bed
        .plan(ANN, &read("open_book", items(&["id"])))
        .unwrap_err();
    assert_eq!(
        error.code(),
        "PGRST205",
        "a table that can't be protected is not there"
    );
}

#[test]
fn operators_a_type_lacks_are_refused_as_in_postgres() {
    for (column, operator) in [
        ("id", Op::Like),
        ("data", Op::Overlaps),
        ("title", Op::Contains),
        ("state", Op::Ilike),
    ] {
        let error = bed()
            .plan(
                ANN,
                &read("projects", items(&["id"]).filter(op(column, operator, 0))),
            )
            .unwrap_err();
        assert_eq!(error.code(), "42883", "{column} {operator:?}");
    }
}

#[test]
fn a_value_of_the_wrong_type_is_refused_before_the_database_is_asked() {
    let plan = bed()
        .plan(
            ANN,
            &read("projects", items(&["id"]).filter(op("id", Op::Eq, 0))),
        )
        .unwrap();
    assert_eq!(plan.bind(&[text("1 or 1=1")]).unwrap_err().state, "22P02");
}

#[test]
fn order_puts_nulls_last_and_enums_as_declared() {
    let ids = |term: pando_plan::request::Order| {
        let rows = bed().read(
            SERVICE,
            &read("projects", items(&["id"]).order(term).order(order("id"))),
            &[],
        );
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let mut term = order("client_id");
    assert_eq!(ids(term.clone()), [1, 2, 3]);
    term.descending = true;
    assert_eq!(ids(term.clone()), [3, 2, 1]);
    term.nulls_first = Some(false);
    assert_eq!(ids(term), [2, 1, 3]);
    assert_eq!(ids(order("state")), [2, 1, 3]);
}

#[test]
fn pages_are_inputs_with_an_upper_bound() {
    let mut node = items(&["id"]).order(order("id"));
    node.limit = Some(Slot(0));
    node.offset = Some(Slot(1));
    let request = read("projects", node);
    assert_eq!(
        bed().read(SERVICE, &request, &[Input::Rows(1), Input::Rows(1)]),
        json!([{"id": 2}])
    );
    let plan = bed().plan(SERVICE, &request).unwrap();
    let bound = plan.bind(&[Input::Rows(u64::MAX), Input::Rows(0)]).unwrap();
    assert!(bound.contains(&pando_sql::Value::Int(100)), "{bound:?}");
}

#[test]
fn a_point_is_a_unique_key_with_nothing_to_many() {
    let bed = bed();
    let by_id = || items(&["id"]).filter(op("id", Op::Eq, 0));
    let point = |node| bed.plan(ANN, &read("projects", node)).unwrap().point;
    assert!(point(by_id()));
    assert!(point(by_id().with(embed("clients", items(&["name"])))));
    assert!(!point(by_id().with(embed("tasks", items(&["name"])))));
    assert!(!point(items(&["id"]).filter(not(op("id", Op::Eq, 0)))));
    assert!(!point(items(&["id"]).filter(op("title", Op::Eq, 0))));
}
