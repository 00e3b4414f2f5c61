//! Calls of functions: which parameters a plan has, and who may not have it.

use crate::ask::{items, read};
use crate::bed::{ANN, ANON, As, Bed, LIMITS, SERVICE, migrated};
use pando_plan::request::{Call, Input, Read, Slot};
use pando_plan::{CallPlan, PlanError, plan_call};
use pando_sql::routine::RoutineId;
use std::sync::Arc;

const SCHEMA: &str = "
    create table pets (id int primary key, name text, owner text);
    create policy own on pets for select to authenticated using (owner = auth.uid()::text);
    create function named(wanted text, fallback text default 'Tom') returns setof pets language sql stable as
        $$ select * from pets where name = coalesce(wanted, fallback) $$;
    create function born(pet text) returns int language sql as
        $$ insert into pets (id, name) values (9, pet); select 9 $$;
    create function wrong() returns int language sql stable as $$ delete from pets returning id $$;
";

fn bed() -> Bed {
    let bed = migrated(SCHEMA);
    bed.conn
        .execute_batch(
            "insert into pets values (1, 'Tom', 'ann'), (2, 'Kit', 'ann'), (3, 'Tom', 'bob')",
        )
        .unwrap();
    bed
}

fn id(name: &str, params: &[&str]) -> RoutineId {
    RoutineId {
        schema: "public".to_owned(),
        name: name.to_owned(),
        params: params.iter().map(|param| (*param).to_owned()).collect(),
    }
}

fn call(name: &str, params: &[&str], args: &[(u32, u32)]) -> (Read, Call) {
    let args = args.iter().map(|(place, slot)| (*place, Slot(*slot)));
    let call = Call {
        routine: id(name, params),
        args: args.collect(),
    };
    let read = Read {
        call: Some(Box::new(call.clone())),
        ..read(name, items(&["id", "name"]))
    };
    (read, call)
}

fn plan(bed: &Bed, who: As, asked: &(Read, Call)) -> Result<CallPlan, PlanError> {
    plan_call(&bed.catalog, who.0, &asked.0, &asked.1, &LIMITS)
}

#[test]
fn a_function_of_one_query_is_read_in_place_under_its_readers_policies() {
    let bed = bed();
    let asked = call("named", &["text", "text"], &[(0, 1)]);
    let inputs = [Input::Text("unused".into()), Input::Json("null".into())];
    for (who, expected) in [
        (ANN, r#"[{"id":1,"name":"Tom"}]"#),
        (ANON, "[]"),
        (SERVICE, r#"[{"id":1,"name":"Tom"},{"id":3,"name":"Tom"}]"#),
    ] {
        let plan = plan(&bed, who, &asked).unwrap();
        assert!(plan.steps.is_none() && plan.set);
        let read = plan.read.unwrap();
        let inputs = read.bind(&inputs).unwrap();
        assert_eq!(bed.run(who, &read, &inputs), expected);
    }
}

#[test]
fn a_function_that_changes_rows_has_steps() {
    let bed = bed();
    let mut asked = call("born", &["text"], &[(0, 0)]);
    asked.0.node = items(&["*"]);
    let plan = plan(&bed, SERVICE, &asked).unwrap();
    let arguments = plan
        .bind_arguments(&[Input::Json("\"Rex\"".into())])
        .unwrap();
    assert_eq!(arguments, ["Rex".into()]);
    let steps = plan.steps.unwrap();
    assert_eq!((steps.operations.len(), steps.writes), (2, Some("INSERT")));
}

#[test]
fn what_a_role_may_not_execute_has_no_plan() {
    let mut bed = bed();
    let key = ("public".to_owned(), "named".to_owned());
    for routine in bed.catalog.routines.get_mut(&key).unwrap() {
        Arc::make_mut(routine).revoked = vec!["anon".to_owned()];
    }
    let asked = call("named", &["text", "text"], &[(0, 0)]);
    let error = plan(&bed, ANON, &asked).unwrap_err();
    assert_eq!(
        error.to_string(),
        "42501: permission denied for function named"
    );
    assert!(plan(&bed, ANN, &asked).is_ok());
}

#[test]
fn a_stable_function_may_not_change_rows() {
    let bed = bed();
    let error = plan(&bed, SERVICE, &call("wrong", &[], &[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0A000: DELETE is not allowed in a non-volatile function"
    );
}
