//! What is deliberately different from Postgres. Each case is named in `docs/portability.md`, which says why.

use crate::app::App;
use crate::script::Script;
use crate::{embedded, oracle};
use std::path::Path;
use std::{env, fs};

struct Difference {
    name: &'static str,
    migration: &'static str,
    /// As in `requests.txt`; the last answer is what differs.
    requests: &'static str,
    postgres: &'static str,
    embedded: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "a_trigger_after_a_row_runs_at_once",
        migration: "create table t (id int primary key, n int);
            create table seen (id int, rows bigint);
            create function see() returns trigger language plpgsql as $$
            begin insert into seen values (new.id, (select count(*) from t)); return null; end $$;
            create trigger see after insert on t for each row execute function see();",
        requests: "as service\ninsert into t values (1, 1), (2, 2);\nselect sum(rows) as rows from seen;\n",
        postgres: "rows numeric: {\"rows\":4}",
        embedded: "rows numeric: {\"rows\":3}",
    },
    Difference {
        name: "what_a_trigger_assigns_is_assigned",
        migration: "create table t (id int primary key, a int, b int);
            create table seen (id int);
            create function set_a() returns trigger language plpgsql as $$ begin new.a := new.b; return new; end $$;
            create function see() returns trigger language plpgsql as $$ begin insert into seen values (new.id); return null; end $$;
            create trigger set_a before update on t for each row execute function set_a();
            create trigger see after update of a on t for each row execute function see();
            insert into t values (1, 1, 1);",
        requests: "as service\nupdate t set b = 2;\nselect count(*) from seen;\n",
        postgres: "count bigint: {\"count\":0}",
        embedded: "count bigint: {\"count\":1}",
    },
    Difference {
        name: "a_foreign_keys_action_runs_no_trigger_before",
        migration: "create table p (id int primary key);
            create table c (id int primary key, p int references p on delete set null, touched boolean default false);
            create function touch() returns trigger language plpgsql as $$ begin new.touched := true; return new; end $$;
            create trigger touch before update on c for each row execute function touch();
            insert into p values (1); insert into c values (1, 1);",
        requests: "as service\ndelete from p;\nselect p, touched from c;\n",
        postgres: "p integer, touched boolean: {\"p\":null,\"touched\":true}",
        embedded: "p integer, touched boolean: {\"p\":null,\"touched\":false}",
    },
    Difference {
        name: "no_action_is_checked_at_the_end_of_the_whole_statement",
        migration: "create table teams (id int primary key);
            create table people (id int primary key, team int references teams on delete cascade);
            create table boards (id int primary key, team int references teams on delete cascade);
            create table tasks (board int references boards on delete cascade, person int references people on delete no action);
            insert into teams values (1); insert into people values (1, 1); insert into boards values (1, 1); insert into tasks values (1, 1);",
        requests: "as service\ndelete from teams;\n",
        postgres: "23503 update or delete on table \"people\" violates foreign key constraint \"tasks_person_fkey\" on table \"tasks\"",
        embedded: "1 changed",
    },
    Difference {
        name: "the_clock_stands_still_for_a_statement",
        migration: "",
        requests: "as anon\nselect clock_timestamp() = now() as same;\n",
        postgres: "same boolean: {\"same\":false}",
        embedded: "same boolean: {\"same\":true}",
    },
    Difference {
        name: "names_are_told_apart_by_more_than_their_case",
        migration: "create table notes (id int); create table \"Notes\" (id int);",
        requests: "as service\nselect count(*) from \"Notes\";\n",
        postgres: "count bigint: {\"count\":0}",
        embedded: "0001.sql:1: table Notes beside table notes: not available on the embedded engine; choose names that differ by more than their case",
    },
    Difference {
        name: "names_have_no_dots_or_quotes",
        migration: "create table \"a.b\" (id int);",
        requests: "as service\nselect count(*) from \"a.b\";\n",
        postgres: "count bigint: {\"count\":0}",
        embedded: "0001.sql:1: a.b: a name has 1 to 63 bytes and no dot or double quote; rename it",
    },
    Difference {
        name: "a_pattern_does_not_refer_back",
        migration: "",
        requests: "as anon\nselect 'aa' ~ '^(a)\\1$' as twice;\n",
        postgres: "twice boolean: {\"twice\":true}",
        embedded: "2201B invalid regular expression: back references are not available on the embedded engine",
    },
    Difference {
        name: "years_have_four_digits",
        migration: "",
        requests: "as anon\nselect date '10000-01-01' as far;\n",
        postgres: "far date: {\"far\":\"10000-01-01\"}",
        embedded: "22008 date/time field value out of range: \"10000-01-01\"",
    },
    Difference {
        name: "a_day_is_not_called_today",
        migration: "",
        requests: "as anon\nselect 'today'::date = current_date as same;\n",
        postgres: "same boolean: {\"same\":true}",
        embedded: "0A000 \"today\" as a value is not read on the embedded engine",
    },
    Difference {
        name: "letters_beyond_a_to_z_have_case",
        migration: "",
        requests: "as anon\nselect upper('\u{e4}') as big, '\u{c4}' ilike '\u{e4}' as same;\n",
        postgres: "big text, same boolean: {\"big\":\"\u{e4}\",\"same\":false}",
        embedded: "big text, same boolean: {\"big\":\"\u{c4}\",\"same\":true}",
    },
    Difference {
        name: "nan_is_no_float",
        migration: "create table readings (id int primary key, celsius float8);",
        requests: "as service\ninsert into readings values (1, 'NaN') returning celsius;\n",
        postgres: "celsius double precision: {\"celsius\":\"NaN\"}",
        embedded: "0A000 NaN is not stored in floating point columns on the embedded engine",
    },
    Difference {
        name: "names_of_the_system_are_text",
        migration: "",
        requests: "as anon\nselect pg_typeof(1) as ty, current_user as who;\n",
        postgres: "ty regtype, who name: {\"ty\":\"integer\",\"who\":\"anon\"}",
        embedded: "ty text, who text: {\"ty\":\"integer\",\"who\":\"anon\"}",
    },
    Difference {
        name: "an_array_has_one_dimension",
        migration: "",
        requests: "as anon\nselect array[[1, 2], [3, 4]] as grid;\n",
        postgres: "grid integer[]: {\"grid\":[[1,2],[3,4]]}",
        embedded: "0A000 an array of arrays: not available on the embedded engine",
    },
    Difference {
        name: "a_table_is_closed_from_its_creation",
        migration: "create table notes (body text); insert into notes values ('mine');",
        requests: "as anon\nselect body from notes;\n",
        postgres: "body text: {\"body\":\"mine\"}",
        embedded: "body text: no rows",
    },
    Difference {
        name: "a_pattern_does_not_look_ahead",
        migration: "",
        requests: "as anon\nselect 'ab' ~ 'a(?=b)' as ahead;\n",
        postgres: "ahead boolean: {\"ahead\":true}",
        embedded: "2201B invalid regular expression: look-around, including look-ahead and look-behind, is not supported",
    },
    Difference {
        name: "what_no_row_needs_is_not_computed",
        migration: "",
        requests: "as anon\nselect 1 / 0 as n where false;\n",
        postgres: "22012 division by zero",
        embedded: "n integer: no rows",
    },
    Difference {
        name: "views_are_read_only",
        migration: "create table notes (body text); create view all_notes with (security_invoker = true) as select body from notes;",
        requests: "as service\ninsert into all_notes values ('x');\n",
        postgres: "1 changed",
        embedded: "0A000 changing rows of view all_notes: not available on the embedded engine",
    },
    Difference {
        name: "of_two_errors_the_policys_is_raised",
        migration: "create table notes (id int primary key, n int check (n > 0)); alter table notes enable row level security; create policy few on notes using (true) with check (id < 2);",
        requests: "as anon\ninsert into notes values (1, 0), (2, 1) on conflict (id) do update set n = 1;\n",
        postgres: "23514 new row for relation \"notes\" violates check constraint \"notes_n_check\"",
        embedded: "42501 new row violates row-level security policy for table \"notes\"",
    },
    Difference {
        name: "of_two_errors_that_of_a_constant_is_raised",
        migration: "create table notes (id int primary key); insert into notes values (1);",
        requests: "as service\ninsert into notes values (1), (1 / 0);\n",
        postgres: "22012 division by zero",
        embedded: "23505 duplicate key value violates unique constraint \"notes_pkey\"",
    },
    Difference {
        name: "of_two_errors_the_row_met_twice_is_raised",
        migration: "create table notes (id int primary key, n int check (n > 0));",
        requests: "as service\ninsert into notes values (1, 0), (1, 1) on conflict (id) do update set n = excluded.n;\n",
        postgres: "23514 new row for relation \"notes\" violates check constraint \"notes_n_check\"",
        embedded: "21000 ON CONFLICT DO UPDATE command cannot affect row a second time",
    },
    Difference {
        name: "of_two_errors_that_of_the_right_is_raised",
        migration: "create table a (id int primary key); alter table a enable row level security; create policy p on a using (id in (select id from a)); revoke all on a from anon;",
        requests: "as anon\nselect id from a;\n",
        postgres: "42P17 infinite recursion detected in policy for relation \"a\"",
        embedded: "42501 permission denied for table a",
    },
    Difference {
        name: "a_right_that_planning_makes_needless",
        migration: "create table notes (id int primary key); create table secrets (id int primary key); alter table notes disable row level security; insert into notes values (1); revoke all on secrets from anon;",
        requests: "as anon\nselect id from notes where 1 = 1 or not exists (select 1 from secrets);\n",
        postgres: "id integer: {\"id\":1}",
        embedded: "42501 permission denied for table secrets",
    },
    Difference {
        name: "a_policy_does_not_ask_itself_by_way_of_a_function",
        migration: "create table notes (id int primary key); alter table notes enable row level security;
            create function known(k int) returns boolean language sql stable return exists (select 1 from notes where id = k);
            create policy p on notes using (known(id));",
        requests: "as anon\nselect id from notes;\n",
        postgres: "id integer: no rows",
        embedded: "42P17 infinite recursion detected in policy for relation \"notes\"",
    },
    Difference {
        name: "what_is_wrong_with_a_text_that_is_no_moment",
        migration: "",
        requests: "as anon\nselect '11111111-1111-4111-8111-111111111111'::text::timestamptz as t;\n",
        postgres: "22008 date/time field value out of range: \"11111111-1111-4111-8111-111111111111\"",
        embedded: "22007 invalid input syntax for type timestamp with time zone: \"11111111-1111-4111-8111-111111111111\"",
    },
    Difference {
        name: "a_json_null_in_an_array_is_null",
        migration: "",
        requests: "as anon\nselect (array['null'::jsonb])[1] is null as nothing;\n",
        postgres: "nothing boolean: {\"nothing\":false}",
        embedded: "nothing boolean: {\"nothing\":true}",
    },
    Difference {
        name: "a_zero_has_no_sign_in_the_file",
        migration: "create table readings (id int primary key, celsius float8);",
        requests: "as service\ninsert into readings values (1, '-0');\nselect celsius from readings;\n",
        postgres: "celsius double precision: {\"celsius\":-0}",
        embedded: "celsius double precision: {\"celsius\":0}",
    },
    Difference {
        name: "which_of_equal_values_stands_for_them",
        migration: "create table spans (id int primary key, span interval); insert into spans values (1, '1 mon'), (2, '30 days');",
        requests: "as service\nselect span, max(null::int) as m from spans group by span;\n",
        postgres: "span interval, m integer: {\"span\":\"1 mon\",\"m\":null}",
        embedded: "span interval, m integer: {\"span\":\"30 days\",\"m\":null}",
    },
    Difference {
        name: "of_two_broken_keys_either_is_named",
        migration: "create table notes (a text unique, b text); create unique index notes_b on notes (lower(b)); insert into notes values ('x', 'y');",
        requests: "as service\ninsert into notes values ('x', 'Y');\n",
        postgres: "23505 duplicate key value violates unique constraint \"notes_a_key\"",
        embedded: "23505 duplicate key value violates unique constraint \"notes_b\"",
    },
];

#[test]
fn each_difference_is_as_documented() {
    let docs =
        Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../docs/portability.md");
    let docs = fs::read_to_string(docs).unwrap();
    let mut failures = Vec::new();
    for difference in DIFFERENCES {
        let name = difference.name;
        let mut differs = |engine: &str, expected: &str, got: &str| {
            if got != expected {
                failures.push(format!("{name} on {engine}:\n  {got}\nnot\n  {expected}"));
            }
        };
        let app = App {
            name: name.to_owned(),
            migrations: vec![("0001.sql".to_owned(), difference.migration.to_owned())],
            script: Script::parse(difference.requests),
        };
        // On Postgres as it comes; the kit's closes new tables, so that everything else can be compared.
        if let Some(answers) =
            oracle::run_after(&app, "alter event trigger pando_protect_new_tables disable")
        {
            differs(
                "Postgres",
                difference.postgres,
                &answers.last().unwrap().to_string(),
            );
        }
        let got = embedded::run(&app).map_or_else(
            |refused| refused,
            |answers| answers.last().unwrap().to_string(),
        );
        differs("the embedded engine", difference.embedded, &got);
        if !docs.contains(&format!("`{name}`")) {
            failures.push(format!("docs/portability.md does not name `{name}`"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
