//! Embedded resources: every kind, filtered, ordered, and under policies.

use crate::ask::*;
use crate::bed::{ANN, ANON, BOB, SERVICE};
use crate::schema::bed;
use pando_plan::PlanError;
use pando_plan::request::{Filter, Input, Op, Slot};
use serde_json::json;

#[test]
fn rows_keep_every_type_as_it_is_stored() {
    let text = bed().text(
        SERVICE,
        &read("projects", items(&["*"]).order(order("id"))),
        &[],
    );
    let nested = bed().text(
        SERVICE,
        &read(
            "clients",
            items(&[])
                .with(embed("projects", items(&["*"])))
                .order(order("id")),
        ),
        &[],
    );
    let roof = r#"{"id":1,"title":"Roof","client_id":1,"budget":10.50,"open":true,"data":{"a": {"b": [1, "x"]}, "n": 12345678901234567890},"labels":["red","blue"],"state":"doing","seal":"\\xc0de"}"#;
    assert!(text.starts_with(&format!("[{roof},")), "{text}");
    assert!(
        nested.starts_with(&format!(r#"[{{"projects":[{roof}]}},"#)),
        "{nested}"
    );
    assert!(
        nested.contains(r#""budget":"NaN","open":false,"data":null,"labels":[]"#),
        "{nested}"
    );
}

#[test]
fn to_one_is_an_object_or_null() {
    let request = read(
        "projects",
        items(&["id"])
            .with(embed("clients", items(&["name"])))
            .order(order("id")),
    );
    assert_eq!(
        bed().read(SERVICE, &request, &[]),
        json!([
            {"id": 1, "clients": {"name": "Acme \"A\""}},
            {"id": 2, "clients": {"name": "Bobs"}},
            {"id": 3, "clients": null},
        ])
    );
    assert_eq!(
        bed().read(ANN, &request, &[])[1]["clients"],
        json!(null),
        "a policy hides the client"
    );
    assert_eq!(
        bed().read(ANON, &request, &[]),
        json!([]),
        "no policy, no rows"
    );
}

#[test]
fn to_many_is_an_array_in_its_own_order_and_page() {
    let mut tasks = items(&["name"]).order(order("name"));
    tasks.limit = Some(Slot(0));
    let request = read(
        "projects",
        items(&["id"])
            .with(embed("tasks", tasks))
            .order(order("id")),
    );
    assert_eq!(
        bed().read(SERVICE, &request, &[Input::Rows(2)]),
        json!([
            {"id": 1, "tasks": [{"name": "cut"}, {"name": "nail"}]},
            {"id": 2, "tasks": [{"name": "dig"}]},
            {"id": 3, "tasks": []},
        ])
    );
    assert_eq!(
        bed().read(BOB, &request, &[Input::Rows(9)])[0]["tasks"],
        json!([{"name": "saw"}])
    );
}

#[test]
fn one_to_one_is_an_object_from_both_sides() {
    let request = read(
        "clients",
        items(&["id"])
            .with(embed("profiles", items(&["bio"])))
            .order(order("id")),
    );
    assert_eq!(
        bed().read(SERVICE, &request, &[]),
        json!([{"id": 1, "profiles": {"bio": "of Acme"}}, {"id": 2, "profiles": null}])
    );
    let request = read(
        "profiles",
        items(&["bio"]).with(embed("clients", items(&["id"]))),
    );
    assert_eq!(
        bed().read(SERVICE, &request, &[]),
        json!([{"bio": "of Acme", "clients": {"id": 1}}])
    );
}

#[test]
fn many_to_many_goes_through_the_junction() {
    let request = read(
        "projects",
        items(&["id"])
            .with(embed("tags", items(&["word"]).order(order("word"))))
            .order(order("id")),
    );
    assert_eq!(
        bed().read(SERVICE, &request, &[]),
        json!([
            {"id": 1, "tags": [{"word": "hot"}, {"word": "new"}]},
            {"id": 2, "tags": [{"word": "new"}]},
            {"id": 3, "tags": []},
        ])
    );
    let mut bed = bed();
    let key = ("public".to_owned(), "project_tags".to_owned());
    let mut junction = bed.catalog.tables[&key].as_ref().clone();
    junction.policies.clear();
    bed.catalog.tables.insert(key, junction.into());
    assert_eq!(
        bed.read(ANN, &request, &[])[0]["tags"],
        json!([]),
        "the junction's policies count"
    );
}

#[test]
fn inner_leaves_rows_without_a_match_out_and_out_of_the_count() {
    let mut tasks = embed("tasks", items(&["name"]).filter(op("name", Op::Eq, 0)));
    tasks.inner = true;
    let mut request = read("projects", items(&["id"]).with(tasks));
    request.count = true;
    let inputs = [text("saw")];
    assert_eq!(
        bed().read(SERVICE, &request, &inputs),
        json!([{"id": 1, "tasks": [{"name": "saw"}]}])
    );
    assert_eq!(bed().count(SERVICE, &request, &inputs), 1);
    assert_eq!(
        bed().count(ANN, &request, &inputs),
        0,
        "the match is hidden from her"
    );
    request.node.items.pop();
    assert_eq!(bed().count(ANN, &request, &[]), 3);
    assert_eq!(bed().count(ANON, &request, &[]), 0);
}

#[test]
fn a_filter_on_a_resource_that_is_not_inner_thins_it_out_only() {
    let tasks = embed("tasks", items(&["name"]).filter(op("name", Op::Eq, 0)));
    let request = read("projects", items(&["id"]).with(tasks).order(order("id")));
    let rows = bed().read(SERVICE, &request, &[text("saw")]);
    assert_eq!(rows[0]["tasks"], json!([{"name": "saw"}]));
    assert_eq!(rows[2], json!({"id": 3, "tasks": []}));
}

#[test]
fn rows_are_found_by_the_absence_or_presence_of_a_resource() {
    for (present, ids) in [
        (false, json!([{"id": 3}])),
        (true, json!([{"id": 1}, {"id": 2}])),
    ] {
        let node = items(&["id"])
            .with(embed("tasks", items(&[])))
            .filter(Filter::Embedded {
                name: "tasks".to_owned(),
                present,
            })
            .order(order("id"));
        assert_eq!(bed().read(SERVICE, &read("projects", node), &[]), ids);
    }
}

#[test]
fn spread_puts_columns_among_the_parents() {
    let mut clients = embed(
        "clients",
        items(&["client:name"]).with(embed("profiles", items(&["bio"]))),
    );
    clients.spread = true;
    let mut tasks = embed("tasks", items(&["task:name"]).order(order("name")));
    tasks.spread = true;
    let request = read(
        "projects",
        items(&["id"]).with(clients).with(tasks).order(order("id")),
    );
    assert_eq!(
        bed().read(SERVICE, &request, &[]),
        json!([
            {"id": 1, "client": "Acme \"A\"", "profiles": {"bio": "of Acme"}, "task": ["cut", "nail", "saw"]},
            {"id": 2, "client": "Bobs", "profiles": null, "task": ["dig"]},
            {"id": 3, "client": null, "profiles": null, "task": []},
        ])
    );
    assert_eq!(
        bed().read(ANN, &request, &[])[1]["client"],
        json!(null),
        "policies hold for what is spread"
    );
}

#[test]
fn resources_nest_with_policies_at_every_level() {
    let projects = items(&["title"]).with(embed("tasks", items(&["name"]).order(order("id"))));
    let request = read(
        "clients",
        items(&["name"])
            .with(embed("projects", projects))
            .order(order("id")),
    );
    assert_eq!(
        bed().read(ANN, &request, &[]),
        json!([{"name": "Acme \"A\"", "projects": [{"title": "Roof", "tasks": [{"name": "nail"}, {"name": "cut"}]}]}])
    );
}

#[test]
fn rows_are_ordered_by_a_to_one_resource() {
    let mut term = order("name");
    term.relation = Some("clients".to_owned());
    term.descending = true;
    let request = read(
        "projects",
        items(&["id"])
            .with(embed("clients", items(&[])))
            .order(term.clone()),
    );
    assert_eq!(
        bed().read(SERVICE, &request, &[]),
        json!([{"id": 3}, {"id": 2}, {"id": 1}])
    );
    term.relation = Some("tasks".to_owned());
    let error = bed()
        .plan(
            SERVICE,
            &read(
                "projects",
                items(&["id"]).with(embed("tasks", items(&[]))).order(term),
            ),
        )
        .unwrap_err();
    assert_eq!(error.code(), "PGRST118");
}

#[test]
fn a_table_that_refers_to_itself_has_children_by_name_and_a_parent_by_column() {
    let mut boss = embed("boss_id", items(&["name"]));
    boss.alias = Some("boss".to_owned());
    let mut team = embed("staff", items(&["name"]).order(order("id")));
    team.alias = Some("team".to_owned());
    let request = read(
        "staff",
        items(&["id"]).with(boss).with(team).order(order("id")),
    );
    let rows = bed().read(SERVICE, &request, &[]);
    assert_eq!(
        rows[0],
        json!({"id": 1, "boss": null, "team": [{"name": "Dan"}, {"name": "Flo"}]})
    );
    assert_eq!(
        rows[1],
        json!({"id": 2, "boss": {"name": "Eve"}, "team": []})
    );
}

#[test]
fn several_ways_are_listed_and_a_hint_chooses() {
    let error = bed()
        .plan(
            ANN,
            &read(
                "letters",
                items(&["text"]).with(embed("staff", items(&["name"]))),
            ),
        )
        .unwrap_err();
    let PlanError::AmbiguousRelation { candidates, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(
        candidates[0].relationship,
        "letters_sender_id_fkey using letters(sender_id) and staff(id)"
    );
    assert_eq!(candidates[0].cardinality.name(), "many-to-one");
    assert_eq!(
        error.hint().unwrap(),
        "Try changing 'staff' to one of the following: 'staff!letters_sender_id_fkey', \
         'staff!letters_receiver_id_fkey'. Find the desired relationship in the 'details' key."
    );
    for hint in ["receiver_id", "letters_receiver_id_fkey"] {
        let mut staff = embed("staff", items(&["name"]));
        staff.hint = Some(hint.to_owned());
        let rows = bed().read(SERVICE, &read("letters", items(&["text"]).with(staff)), &[]);
        assert_eq!(rows, json!([{"text": "hi", "staff": {"name": "Dan"}}]));
    }
    for target in ["receiver_id", "letters_receiver_id_fkey"] {
        let rows = bed().read(
            SERVICE,
            &read("letters", items(&[]).with(embed(target, items(&["name"])))),
            &[],
        );
        assert_eq!(rows, json!([{target: {"name": "Dan"}}]));
    }
}

#[test]
fn no_way_is_said_with_the_near_miss_and_depth_is_bounded() {
    let error = bed()
        .plan(
            ANN,
            &read(
                "projects",
                items(&["id"]).with(embed("task", items(&["*"]))),
            ),
        )
        .unwrap_err();
    assert_eq!(error.code(), "PGRST200");
    assert_eq!(
        error.hint().unwrap(),
        "Perhaps you meant 'tasks' instead of 'task'."
    );
    let mut node = items(&["id"]);
    for depth in 0..5 {
        node = items(&["id"]).with(embed(
            if depth % 2 == 0 {
                "clients"
            } else {
                "projects"
            },
            node,
        ));
    }
    assert_eq!(
        bed().plan(ANN, &read("projects", node)).unwrap_err(),
        PlanError::TooDeep { limit: 4 }
    );
}

#[test]
fn a_name_the_client_chose_is_never_part_of_the_text() {
    let alias = "x'\"; drop table projects; --";
    let node = items(&[&format!("{alias}:title").replace("::", "")]);
    let request = read(
        "clients",
        items(&["id"])
            .with(embed("projects", node))
            .order(order("id")),
    );
    let bed = bed();
    let plan = bed.plan(SERVICE, &request).unwrap();
    assert!(
        !plan.statement.sql.contains("drop"),
        "{}",
        plan.statement.sql
    );
    assert_eq!(
        bed.read(SERVICE, &request, &[])[0]["projects"],
        json!([{alias: "Roof"}])
    );
}
