//! What SQLite makes of plans: an index serves every search and every page in its order.

use crate::ask::*;
use crate::bed::{ANN, As, Bed, SERVICE, values};
use crate::schema::bed;
use pando_plan::request::{Node, Op, Quantifier, Slot, Test};

fn steps(bed: &Bed, who: As, table: &str, node: Node) -> String {
    let plan = bed.plan(who, &read(table, node)).unwrap();
    let sql = format!("EXPLAIN QUERY PLAN {}", plan.statement.sql);
    let mut statement = bed.conn.prepare(&sql).unwrap();
    let inputs = vec![pando_sql::Value::Null; plan.inputs.len()];
    let rows = statement
        .query_map(
            rusqlite::params_from_iter(values(who, &plan.statement, &inputs)),
            |row| row.get::<_, String>(3),
        )
        .unwrap();
    rows.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

#[test]
fn a_point_read_is_one_search() {
    let by_id = || items(&["*"]).filter(op("id", Op::Eq, 0));
    let search = "SEARCH t0 USING INTEGER PRIMARY KEY (rowid=?)";
    assert_eq!(steps(&bed(), ANN, "projects", by_id()), search);
    assert_eq!(
        steps(&bed(), ANN, "clients", by_id()),
        search,
        "a policy adds no step"
    );
}

#[test]
fn a_page_in_the_order_of_an_index_is_not_sorted() {
    let bed = bed();
    bed.conn
        .execute_batch("create index by_title on projects (title, budget desc)")
        .unwrap();
    for nulls_first in [None, Some(true), Some(false)] {
        let mut term = order("budget");
        term.descending = true;
        term.nulls_first = nulls_first;
        let mut node = items(&["*"]).filter(op("title", Op::Eq, 0)).order(term);
        node.limit = Some(Slot(1));
        let steps = steps(&bed, ANN, "projects", node);
        assert_eq!(
            steps, "SEARCH t0 USING INDEX by_title (title=?)",
            "{nulls_first:?}"
        );
    }
}

#[test]
fn lists_and_the_policys_column_use_indexes() {
    let bed = bed();
    bed.conn
        .execute_batch(
            "create index by_owner on tasks (owner); create index by_project on tasks (project_id)",
        )
        .unwrap();
    assert!(steps(&bed, ANN, "tasks", items(&["id"])).contains("INDEX by_owner (owner=?)"));
    let steps = |node| steps(&bed, SERVICE, "tasks", node);
    let within = compare("id", Test::In(Slot(0)));
    assert!(
        steps(items(&["id"]).filter(within))
            .contains("SEARCH t0 USING INTEGER PRIMARY KEY (rowid=?)")
    );
    let any = compare("id", Test::Quantified(Op::Eq, Quantifier::Any, Slot(0)));
    assert!(
        steps(items(&["id"]).filter(any)).contains("SEARCH t0 USING INTEGER PRIMARY KEY (rowid=?)")
    );
}

#[test]
fn what_is_embedded_is_searched_by_its_key() {
    let bed = bed();
    bed.conn
        .execute_batch("create index by_project on tasks (project_id)")
        .unwrap();
    let node = items(&["id"])
        .with(embed("tasks", items(&["name"])))
        .with(embed("clients", items(&["name"])));
    let steps = steps(&bed, SERVICE, "projects", node);
    assert!(
        steps.contains("SEARCH t2 USING INDEX by_project (project_id=?)"),
        "{steps}"
    );
    assert!(
        steps.contains("SEARCH t4 USING INTEGER PRIMARY KEY (rowid=?)"),
        "{steps}"
    );
}
