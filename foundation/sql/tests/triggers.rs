//! The functions of triggers: what they come to before and after a row is written, and what of plpgsql is refused, by name and line.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_kernel::Role;
use pando_sql::render::{Texts, after_triggers, render_before};
use pando_sql::trigger::Event;
use pando_sql::{Catalog, Refusal, Statement, migrate};

const TABLES: &str = "create table t (id int primary key, a text, n int, at timestamptz); create table u (id int primary key, a text, n numeric);\n";

fn function(body: &str) -> String {
    format!(
        "{TABLES}create function f() returns trigger language plpgsql security definer as $$\n{body}\n$$;\n"
    )
}

fn refusal(sql: &str) -> Refusal {
    let read = migrate(&Catalog::default(), "0001.sql", sql);
    read.err().unwrap_or_else(|| panic!("{sql} was taken"))
}

fn catalog(body: &str, trigger: &str) -> Catalog {
    let sql = format!("{}{trigger};", function(body));
    migrate(&Catalog::default(), "0001.sql", &sql)
        .unwrap_or_else(|refusal| panic!("{refusal}"))
        .catalog
}

/// What a trigger before an event makes of a row: the columns it assigns, then its verdict.
fn before(event: Event, body: &str) -> String {
    let on = format!(
        "create trigger f before {} on t for each row execute function f()",
        event.word()
    );
    let catalog = catalog(body, &on);
    let table = catalog.table("public", "t").unwrap();
    let row = |prefix: &str| -> Texts {
        let columns = table.columns.iter();
        columns
            .map(|column| (column.name.clone(), format!("{prefix}.{}", column.name)))
            .collect()
    };
    let mut out = Statement::new();
    let assigned = ["a".to_owned()];
    let rows = (row("new"), row("old"));
    let fired = render_before(
        &catalog,
        table,
        Role::Service,
        (event, &assigned),
        rows,
        &mut out,
    )
    .unwrap();
    let mut parts: Vec<String> = fired
        .assigned
        .iter()
        .map(|name| format!("{name} = {}", fired.row[name]))
        .collect();
    parts.extend(fired.verdict);
    parts.join("; ")
}

/// The statements of a trigger after an event.
fn after(event: Event, body: &str) -> String {
    let on = format!(
        "create trigger f after {} on t for each row execute function f()",
        event.word()
    );
    let made = after_triggers(&catalog(body, &on)).unwrap();
    let [(_, statement)] = &made[..] else {
        panic!("{} triggers", made.len());
    };
    let sql = &statement.sql;
    let (_, body) = sql
        .split_once(" BEGIN SELECT pg_enter('service_role', 0); ")
        .unwrap_or(("", sql));
    body.trim_end_matches("SELECT pg_leave();  END")
        .trim()
        .to_owned()
}

#[test]
fn assignments_come_to_columns() {
    for (event, body, expected) in [
        (
            Event::Update,
            "begin new.at := now(); return new; end;",
            "at = (?1)",
        ),
        (
            Event::Update,
            "begin NEW.at = current_timestamp; RETURN NEW; END",
            "at = (?1)",
        ),
        (
            Event::Insert,
            "begin new.a := lower(new.a); new.a := new.a || '!'; return new; end",
            "a = ((pg_lower_text(new.a) || ?1))",
        ),
        (
            Event::Insert,
            "declare v text := upper(new.a); begin new.a := v; v := 'x'; return new; end",
            "a = (pg_upper_text(new.a))",
        ),
        (
            Event::Insert,
            "begin if new.n > 5 then new.a := 'big'; else new.a := 'small'; end if; return new; end",
            "a = (CASE WHEN ((new.n > ?1) IS NOT 1) THEN ?2 ELSE CASE WHEN ((new.n > ?1) IS 1) THEN ?3 ELSE new.a END END)",
        ),
        // Branches on the event are taken or left when the trigger is made.
        (
            Event::Insert,
            "begin if TG_OP = 'UPDATE' then new.a := 'u'; elsif tg_op in ('INSERT') then new.a := 'i'; end if; return new; end",
            "a = (?1)",
        ),
        (
            Event::Update,
            "begin if tg_op = 'DELETE' then return old; end if; new.n := 1; return new; end",
            "n = (1)",
        ),
        (Event::Delete, "begin return old; end", ""),
        (
            Event::Insert,
            "begin raise notice 'seen %', new.id; null; return new; end",
            "",
        ),
        (
            Event::Update,
            "begin if new.a is distinct from old.a then new.n := old.n + 1; end if; return new; end",
            "n = (CASE WHEN ((new.a IS NOT old.a) IS 1) THEN pg_add_integer_integer(old.n, 1) ELSE new.n END)",
        ),
        (
            Event::Insert,
            "begin select u.a into new.a from u where u.id = new.id; return new; end",
            "a = ((SELECT \"p1_0\".\"a\" AS \"a\" FROM \"u\" AS \"p1_0\" WHERE (\"p1_0\".\"id\" = new.id) LIMIT 1))",
        ),
    ] {
        assert_eq!(before(event, body), expected, "{body}");
    }
}

#[test]
fn verdicts_refuse_rows_and_pass_them_over() {
    for (event, body, expected) in [
        (
            Event::Insert,
            "begin return null; end",
            "CASE WHEN 1 THEN 0 ELSE 1 END",
        ),
        // The row that is not there in an event is null, and so is what is returned.
        (
            Event::Delete,
            "begin return new; end",
            "CASE WHEN 1 THEN 0 ELSE 1 END",
        ),
        (
            Event::Insert,
            "begin if new.n < 0 then raise exception 'n is %', new.n; end if; return new; end",
            "CASE WHEN ((new.n < 0) IS 1) THEN pg_raise(?1, (?2 || CASE WHEN (new.n IS NULL) THEN ?3 ELSE pg_concat_any(?4, new.n) END), NULL, NULL) ELSE 1 END",
        ),
        (
            Event::Insert,
            "begin if new.n = 0 then return null; end if; raise unique_violation using message = 'x'; end",
            "CASE WHEN ((new.n = 0) IS 1) THEN 0 WHEN (((new.n = 0) IS 1) IS NOT 1) THEN pg_raise(?1, ?2, NULL, NULL) ELSE 1 END",
        ),
        (
            Event::Insert,
            "begin new.n := 1; end",
            "n = (1); CASE WHEN 1 THEN pg_raise(?1, ?2, NULL, NULL) ELSE 1 END",
        ),
    ] {
        assert_eq!(before(event, body), expected, "{body}");
    }
}

#[test]
fn statements_come_to_statements_where_they_are_reached() {
    for (event, body, expected) in [
        (
            Event::Insert,
            "begin insert into u (id, a) values (new.id, tg_op); return null; end",
            "INSERT INTO \"u\" (\"id\", \"a\") SELECT v.\"id\", v.\"a\" FROM (SELECT s.\"id\" AS \"id\", s.\"a\" AS \"a\", NULL COLLATE pg_numeric AS \"n\" FROM (SELECT column1 AS \"id\", column2 AS \"a\" FROM (VALUES (+\"new\".\"id\", 'INSERT'))) AS s) AS v WHERE 1;",
        ),
        (
            Event::Update,
            "begin if new.n > old.n then update u set n = u.n + 1 where id = new.id; end if; return new; end",
            "UPDATE \"u\" SET \"n\" = (pg_add_numeric_numeric(\"u\".\"n\", '1')) WHERE (((\"new\".\"n\" > \"old\".\"n\") IS 1)) AND ((\"u\".\"id\" = \"new\".\"id\"));",
        ),
        (
            Event::Delete,
            "begin if old.n is null then return old; end if; delete from u where id = old.id; return old; end",
            "DELETE FROM \"u\" WHERE ((((\"old\".\"n\" IS NULL) IS 1) IS NOT 1)) AND ((\"u\".\"id\" = \"old\".\"id\"));",
        ),
    ] {
        assert_eq!(after(event, body), expected, "{body}");
    }
}

#[test]
fn what_is_no_shape_is_refused_by_name_on_its_line() {
    for (body, line, construct) in [
        (
            "begin\n  for r in select * from u loop null; end loop;\n  return new;\nend",
            4,
            "for loop",
        ),
        (
            "begin\n  while true loop null; end loop;\n  return new;\nend",
            4,
            "while loop",
        ),
        (
            "begin\n\n  execute 'select 1';\n  return new;\nend",
            5,
            "execute",
        ),
        (
            "begin\n  return new;\nexception when others then return null;\nend",
            5,
            "exception when ..",
        ),
        (
            "declare\n  r record;\nbegin\n  return new;\nend",
            4,
            "r record",
        ),
        (
            "declare\n  r u%rowtype;\nbegin\n  return new;\nend",
            4,
            "r u % rowtype",
        ),
        (
            "begin\n  old.a := 'x';\n  return new;\nend",
            4,
            "old.a := ..",
        ),
        (
            "begin\n  select id into strict new.n from u;\n  return new;\nend",
            4,
            "into strict",
        ),
        (
            "begin\n  get diagnostics n = row_count;\n  return new;\nend",
            4,
            "get diagnostics",
        ),
        (
            "begin\n  perform pg_notify('a', 'b');\n  return new;\nend",
            4,
            "",
        ),
        (
            "begin\n  insert into u (id) values (1) returning id into v;\n  return new;\nend",
            4,
            "insert .. returning .. into",
        ),
        ("begin\n  return row(1);\nend", 4, "return row ( 1 )"),
        ("begin\n  new.a = ;\n  return new;\nend", 4, "statement"),
        ("begin\n  new.a := 'x'\n  return new;\nend", 5, "return"),
        (
            "begin\n  raise exception 'x' using errcode = 'no such';\nend",
            4,
            "no such",
        ),
        ("begin\n  return new;", 4, "end"),
    ] {
        let on = "create trigger f after insert on t for each row execute function f();";
        let refusal = refusal(&format!("{}{on}", function(body)));
        assert_eq!(refusal.line, line, "{body}: {refusal}");
        assert!(refusal.construct.contains(construct), "{body}: {refusal}");
        assert!(!refusal.advice.is_empty());
    }
}

#[test]
fn what_a_function_names_must_be_there_at_the_end_of_its_migration() {
    let on = "create trigger f before insert on t for each row execute function f();";
    for (body, line, reason) in [
        (
            "begin\n  new.b := 1;\n  return new;\nend",
            4,
            "record \"new\" has no field \"b\"",
        ),
        (
            "begin\n  v := 1;\n  return new;\nend",
            4,
            "\"v\" is not a known variable",
        ),
        (
            "begin\n  if new.a = old.n then return null; end if;\n  return new;\nend",
            4,
            "operator does not exist: text = integer",
        ),
        (
            "begin\n  new.a := (select a from missing);\n  return new;\nend",
            4,
            "relation \"missing\" does not exist",
        ),
        (
            "begin\n  if found then return null; end if;\n  return new;\nend",
            4,
            "not available on the embedded engine",
        ),
        (
            "begin\n  if id > 1 then return null; end if;\n  return new;\nend",
            4,
            "column \"id\" does not exist",
        ),
        (
            "begin\n  insert into u (id) values (1);\n  return new;\nend",
            4,
            "not available on the embedded engine",
        ),
        ("begin\n  new.at := 5;\n  return new;\nend", 4, ""),
        (
            "begin\n  raise exception 'a % b';\nend",
            4,
            "too few parameters specified for RAISE",
        ),
    ] {
        let refusal = refusal(&format!("{}{on}", function(body)));
        assert_eq!(refusal.line, line, "{body}: {refusal}");
        assert!(refusal.reason.contains(reason), "{body}: {refusal}");
    }
    // What is made later in the migration is there.
    let later = format!(
        "{}{on} create table missing (a text);",
        function("begin\n  new.a := (select a from missing limit 1);\n  return new;\nend")
    );
    migrate(&Catalog::default(), "0001.sql", &later).unwrap();
}

#[test]
fn triggers_that_are_not_for_each_row_are_refused_by_name() {
    let body = function("begin return new; end");
    for (statement, construct) in [
        (
            "create trigger x instead of insert on v for each row execute function f()",
            "instead of trigger",
        ),
        (
            "create trigger x after insert on t execute function f()",
            "trigger for each statement",
        ),
        (
            "create trigger x after insert on t for each statement execute function f()",
            "trigger for each statement",
        ),
        (
            "create trigger x after truncate on t for each statement execute function f()",
            "truncate trigger",
        ),
        (
            "create trigger x after insert on t referencing new table as n for each row execute function f()",
            "referencing",
        ),
        (
            "create trigger x after insert on t for each row execute function f('a')",
            "arguments of f(..)",
        ),
        (
            "create constraint trigger x after insert on t deferrable for each row execute function f()",
            "constraint trigger",
        ),
        (
            "create trigger x before update of zz on t for each row execute function f()",
            "SQLSTATE 42703",
        ),
        (
            "create trigger x before update on zz for each row execute function f()",
            "SQLSTATE 42P01",
        ),
        (
            "create trigger x before update on t for each row execute function g()",
            "SQLSTATE 42883",
        ),
        (
            "create trigger x before update on v for each row execute function f()",
            "v",
        ),
        (
            "create trigger x before insert on t for each row when (old.a = 'x') execute function f()",
            "SQLSTATE 42P17",
        ),
        (
            "create trigger x before insert on t for each row when (exists (select 1 from u)) execute function f()",
            "when (..)",
        ),
        (
            "create trigger x before insert on t for each row execute function f(); drop function f()",
            "f",
        ),
        ("drop trigger x on t", "SQLSTATE 42704"),
        ("alter table t disable trigger x", "SQLSTATE 42704"),
    ] {
        let refusal = refusal(&format!(
            "{body}create view v with (security_invoker = true) as select * from t;\n{statement};"
        ));
        assert!(
            refusal.construct.contains(construct),
            "{statement}: {refusal}"
        );
    }
    let taken = format!(
        "{body}create trigger x before insert on t for each row execute function f();
         create or replace trigger x after update of a, n or delete on t for each row when (old.a is not null) execute procedure f();
         alter trigger x on t rename to y; alter table t disable trigger y; alter table t enable trigger all;
         alter table t rename column a to b;
         drop trigger if exists zz on t;"
    );
    let catalog = migrate(&Catalog::default(), "0001.sql", &taken)
        .unwrap()
        .catalog;
    let [trigger] = &catalog.table("public", "t").unwrap().triggers[..] else {
        panic!("there is one");
    };
    assert_eq!(
        (trigger.name.as_str(), &trigger.columns[..]),
        ("y", &["b".to_owned(), "n".to_owned()][..])
    );
    assert!(trigger.enabled);
    let kept = serde_json::to_string(&catalog).unwrap();
    assert_eq!(serde_json::from_str::<Catalog>(&kept).unwrap(), catalog);
}
