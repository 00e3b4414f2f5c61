//! SQL as it is written, on a real file.

use crate::{Config, Db, DbError, Migration};
use pando_kernel::{Caller, Limits, Role, SystemClock};
use pando_telemetry::Registry;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SCHEMA: &str = "
    create table people (id bigint primary key, name text not null, born date, weight numeric(10,2));
    create table pets (id bigint primary key, owner bigint references people (id), name text, kind text default 'cat');
    create policy p on people for select to authenticated using (id < 10);
    create policy w on people for insert to authenticated with check (id < 20);
    insert into people values (1, 'Ada', '1815-12-10', 60.5), (2, 'Ben', null, 70), (12, 'Cyd', '2000-01-01', null);
    insert into pets (id, owner, name) values (1, 1, 'Tom'), (2, 1, 'Kit'), (3, 2, 'Rex'), (4, null, 'Stray');
    update pets set kind = 'dog' where name = 'Rex';
";

struct Bed {
    db: Db,
    runtime: tokio::runtime::Runtime,
    _directory: tempfile::TempDir,
}

impl Bed {
    fn new(schema: &str) -> Bed {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            directory: directory.path().to_owned(),
            readers: 1,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
        };
        let db = Db::open(config, &mut Registry::new()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let migration = Migration {
            version: "0001".into(),
            name: "schema".into(),
            file: "0001_schema.sql".into(),
            sql: schema.to_owned().into(),
        };
        runtime.block_on(db.migrate("team", &[migration])).unwrap();
        Bed {
            db,
            runtime,
            _directory: directory,
        }
    }

    fn ask(&self, role: Role, sql: &str) -> Result<String, DbError> {
        let caller = Caller::keyed(role);
        let deadline = Instant::now() + Duration::from_secs(5);
        let answer = self
            .runtime
            .block_on(self.db.execute_sql(&caller, sql, deadline))?;
        Ok(String::from_utf8(answer.body.to_vec()).unwrap())
    }

    #[track_caller]
    fn check(&self, role: Role, sql: &str, expected: &str) {
        let answer = match self.ask(role, sql) {
            Ok(answer) => answer,
            Err(DbError::Sql(error)) => format!("{} {}", error.state, error.message),
            Err(other) => other.to_string(),
        };
        assert_eq!(answer, expected, "{sql}");
    }
}

#[test]
fn selects_join_group_and_order() {
    let bed = Bed::new(SCHEMA);
    let service = |sql: &str, expected: &str| bed.check(Role::Service, sql, expected);
    service(
        "select p.name, count(*) from people p join pets on pets.owner = p.id group by p.id order by 2 desc",
        r#"[{"name":"Ada","count":2},{"name":"Ben","count":1}]"#,
    );
    service(
        "select kind, string_agg(name, ',' order by name desc) as names from pets group by kind having count(*) > 1",
        r#"[{"kind":"cat","names":"Tom,Stray,Kit"}]"#,
    );
    service(
        "with old as (select * from people where born < '1900-01-01') select name, weight from old union all select 'x', 1 order by name",
        r#"[{"name":"Ada","weight":60.50},{"name":"x","weight":1}]"#,
    );
    service(
        "select distinct on (owner) owner, name from pets where owner is not null order by owner, name",
        r#"[{"owner":1,"name":"Kit"},{"owner":2,"name":"Rex"}]"#,
    );
    service(
        "select x, upper(s) from (values (1, 'a'), (2, 'b')) v (x, s) where x in (select generate_series(2, 5))",
        r#"[{"x":2,"upper":"B"}]"#,
    );
    service(
        "select (select name from pets where owner = 1)",
        "21000 more than one row returned by a subquery used as an expression",
    );
    service(
        "select name from people left join pets using (id) order by 1",
        "42702 column reference \"name\" is ambiguous",
    );
    service(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 4) select sum(i) from n",
        r#"[{"sum":10}]"#,
    );
    service(
        "select name, born from people order by born desc limit 2",
        r#"[{"name":"Ben","born":null},{"name":"Cyd","born":"2000-01-01"}]"#,
    );
    service(
        "select name, kind from pets group by kind",
        "42803 column \"name\" must appear in the GROUP BY clause or be used in an aggregate function",
    );
    service(
        "select array_agg(id order by id desc) a, jsonb_agg(name) filter (where id < 3) j from pets",
        r#"[{"a":[4,3,2,1],"j":["Tom", "Kit"]}]"#,
    );
    service(
        "select * from unnest(array['a','b']) with ordinality as t(v, n)",
        r#"[{"v":"a","n":1},{"v":"b","n":2}]"#,
    );
    service(
        "select p.id, e.key, e.value from people p, jsonb_each_text('{\"a\":1}') e where p.id = 1",
        r#"[{"id":1,"key":"a","value":"1"}]"#,
    );
}

#[test]
fn policies_hold_in_queries_and_changes() {
    let bed = Bed::new(SCHEMA);
    let user = |sql: &str, expected: &str| bed.check(Role::Authenticated, sql, expected);
    user(
        "select id from people order by id",
        r#"[{"id":1},{"id":2}]"#,
    );
    user("select count(*) from pets", r#"[{"count":0}]"#);
    user("insert into people (id, name) values (15, 'Eve')", "[]");
    user(
        "insert into people (id, name) values (15, 'Eve') returning id",
        "42501 new row violates row-level security policy for table \"people\"",
    );
    user(
        "insert into people (id, name) values (25, 'Eve')",
        "42501 new row violates row-level security policy for table \"people\"",
    );
    user(
        "update people set name = 'x' where id = 1 returning id",
        "[]",
    );
    bed.check(
        Role::Service,
        "insert into people (id, name) values (1, 'Zoe') on conflict (id) do update set name = excluded.name || '!' where people.name = 'Ada' returning id, name",
        r#"[{"id":1,"name":"Zoe!"}]"#,
    );
    bed.check(
        Role::Service,
        "update pets set name = p.name from people p where p.id = owner and owner = 1 returning pets.id, pets.name",
        r#"[{"id":1,"name":"Zoe!"},{"id":2,"name":"Zoe!"}]"#,
    );
    bed.check(
        Role::Service,
        "delete from pets using people p where p.id = owner and p.name like 'Z%' returning pets.id",
        r#"[{"id":1},{"id":2}]"#,
    );
    bed.check(
        Role::Service,
        "insert into people (id) values (99)",
        "23502 null value in column \"name\" of relation \"people\" violates not-null constraint",
    );
    bed.check(
        Role::Service,
        "insert into people (id, name) select 1, 'again'",
        "23505 duplicate key value violates unique constraint \"people_pkey\"",
    );
}

const LIBRARY: &str = "
    create table shelves (id int primary key, owner uuid, name text);
    create policy p on shelves for select using (owner = auth.uid());
    create schema private;
    create function private.mine(shelf int) returns boolean language sql stable security definer set search_path = ''
        as $$ select exists (select 1 from public.shelves s where s.id = shelf and s.id < 3) $$;
    create table books (id int primary key, shelf int references shelves (id), title text, pages int);
    create policy p on books for select using (private.mine(shelf));
    create view thick with (security_invoker = true) as select id, title, pages / 100 as hundreds from books where pages > 200;
    create view private.every as select * from books;
    create function longest(at_least int default 0, n int default 2) returns setof books language sql stable
        as $$ select * from books where pages >= at_least order by pages desc limit n $$;
    create function pages_of(shelf_name text) returns bigint language sql stable as 'select sum(b.pages) from books b join shelves s on s.id = b.shelf where s.name = shelf_name';
    create function add_pages(book int, more int) returns int language sql as $$
        update books set pages = pages + more where id = book;
        select pages from books where id = book;
    $$;
    insert into shelves values (1, null, 'a'), (2, null, 'b'), (3, null, 'c');
    insert into books values (1, 1, 'One', 100), (2, 1, 'Two', 300), (3, 2, 'Three', 500), (4, 3, 'Four', 900);
";

#[test]
fn views_and_functions_are_queries_of_their_own() {
    let bed = Bed::new(LIBRARY);
    let service = |sql: &str, expected: &str| bed.check(Role::Service, sql, expected);
    let user = |sql: &str, expected: &str| bed.check(Role::Authenticated, sql, expected);
    service(
        "select title, hundreds from thick order by id",
        r#"[{"title":"Two","hundreds":3},{"title":"Three","hundreds":5},{"title":"Four","hundreds":9}]"#,
    );
    // The function in the policy passes the policies of the shelves, as its owner does.
    user("select count(*) from thick", r#"[{"count":2}]"#);
    user("select id from shelves", "[]");
    service("select count(*) from private.every", r#"[{"count":4}]"#);
    service(
        "select l.id from longest(n => 3) l where l.pages < 900",
        r#"[{"id":3},{"id":2}]"#,
    );
    user("select id from longest(at_least => 400)", r#"[{"id":3}]"#);
    service(
        "select s.name, pages_of(s.name) from shelves s order by 1",
        r#"[{"name":"a","pages_of":400},{"name":"b","pages_of":500},{"name":"c","pages_of":900}]"#,
    );
    service(
        "select title, rank() over (partition by shelf order by pages desc) from books order by id",
        r#"[{"title":"One","rank":2},{"title":"Two","rank":1},{"title":"Three","rank":1},{"title":"Four","rank":1}]"#,
    );
    service(
        "select id, sum(pages) over (order by id) as so_far from books where shelf = 1 order by id",
        r#"[{"id":1,"so_far":100},{"id":2,"so_far":400}]"#,
    );
    service("select add_pages(1, 11) as now", r#"[{"now":111}]"#);
    user("select add_pages(1, 11)", r#"[{"add_pages":111}]"#);
    service(
        "insert into books values (9, 77, 'Nine', 1)",
        "23503 insert or update on table \"books\" violates foreign key constraint \"books_shelf_fkey\"",
    );
    service(
        "delete from shelves where id = 1",
        "23503 update or delete on table \"shelves\" violates foreign key constraint \"books_shelf_fkey\" on table \"books\"",
    );
    service(
        "select nobody(1)",
        "42883 function nobody(integer) does not exist",
    );
    service(
        "select pages_of(1)",
        "42883 function pages_of(integer) does not exist",
    );
}

#[test]
fn a_broken_foreign_key_is_named() {
    let bed = Bed::new(
        "create table teams (id int primary key, name text);
         create table people (id int primary key, team int references teams on delete cascade, boss int references people (id));
         create table tasks (id int primary key, person int constraint whose references people, team int references teams on delete restrict);
         create table notes (person int references people on delete set null);
         insert into teams values (1, 'a'), (2, 'b'), (3, 'c');
         insert into people values (1, 1, null), (2, 2, 1);
         insert into tasks values (1, 2, 1); insert into notes values (1);",
    );
    let refused =
        |sql: &str, message: &str| bed.check(Role::Service, sql, &format!("23503 {message}"));
    refused(
        "insert into people values (3, 9, null)",
        "insert or update on table \"people\" violates foreign key constraint \"people_team_fkey\"",
    );
    refused(
        "update people set boss = 7 where id = 2",
        "insert or update on table \"people\" violates foreign key constraint \"people_boss_fkey\"",
    );
    refused(
        "delete from people where id = 1",
        "update or delete on table \"people\" violates foreign key constraint \"people_boss_fkey\" on table \"people\"",
    );
    refused(
        "update people set id = 20 where id = 2",
        "update or delete on table \"people\" violates foreign key constraint \"whose\" on table \"tasks\"",
    );
    refused(
        "delete from teams where id = 2",
        "update or delete on table \"people\" violates foreign key constraint \"whose\" on table \"tasks\"",
    );
    refused(
        "delete from teams where id = 1",
        "update or delete on table \"teams\" violates foreign key constraint \"tasks_team_fkey\" on table \"tasks\"",
    );
    // Nothing of the search stays, and keys are enforced as before.
    bed.check(
        Role::Service,
        "select count(*) from people",
        r#"[{"count":2}]"#,
    );
    bed.check(
        Role::Service,
        "delete from teams where id = 3 returning name",
        r#"[{"name":"c"}]"#,
    );
    refused(
        "insert into tasks values (5, 99)",
        "insert or update on table \"tasks\" violates foreign key constraint \"whose\"",
    );
}
