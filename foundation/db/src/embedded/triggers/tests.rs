//! Triggers as they run, on a real file, by SQL as it is written.

use crate::{Config, Db, DbError, Migration};
use pando_kernel::{Caller, Limits, Role, SystemClock};
use pando_sql::SqlError;
use pando_telemetry::Registry;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ANN: &str = "a0000000-0000-4000-8000-000000000001";

struct Bed {
    db: Db,
    runtime: tokio::runtime::Runtime,
    migrations: usize,
    directory: tempfile::TempDir,
}

fn open(directory: &tempfile::TempDir) -> Db {
    let config = Config {
        directory: directory.path().to_owned(),
        readers: 1,
        limits: Limits::default(),
        clock: Arc::new(SystemClock),
    };
    Db::open(config, &mut Registry::new()).unwrap()
}

impl Bed {
    fn new(schema: &str) -> Bed {
        let directory = tempfile::tempdir().unwrap();
        let mut bed = Bed {
            db: open(&directory),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            migrations: 0,
            directory,
        };
        bed.migrate(schema).unwrap();
        bed
    }

    fn migrate(&mut self, sql: &str) -> Result<(), String> {
        self.migrations += 1;
        let migration = Migration {
            version: format!("{:04}", self.migrations).into(),
            name: "schema".into(),
            file: "schema.sql".into(),
            sql: sql.to_owned().into(),
        };
        let ran = self.runtime.block_on(self.db.migrate("team", &[migration]));
        ran.map(|_| ()).map_err(|error| error.to_string())
    }

    fn try_as(&self, role: Role, sql: &str) -> Result<String, SqlError> {
        let claims = format!(
            r#"{{"sub":"{ANN}","email":"ann@example.com","role":"{}"}}"#,
            role.name()
        );
        let caller = match role {
            Role::Authenticated => Caller::with_claims(role, Some(ANN), None, &claims),
            _ => Caller::keyed(role),
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        match self
            .runtime
            .block_on(self.db.execute_sql(&caller, sql, deadline))
        {
            Ok(answer) => Ok(String::from_utf8(answer.body.to_vec()).unwrap()),
            Err(DbError::Sql(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    }

    fn ask(&self, sql: &str) -> String {
        self.try_as(Role::Service, sql).unwrap()
    }

    fn refused(&self, sql: &str) -> (String, String) {
        let error = self.try_as(Role::Service, sql).unwrap_err();
        (error.state.to_string(), error.message)
    }
}

#[test]
fn a_row_says_when_it_was_changed_last() {
    let bed = Bed::new(
        "create table notes (id int primary key, title text, updated_at timestamptz, edits int not null default 0);
         create function touch() returns trigger language plpgsql as $$
         begin
           new.updated_at := now();
           NEW.edits = old.edits + 1;
           return new;
         end;
         $$;
         create trigger touch before update on notes for each row execute function touch();
         insert into notes (id, title) values (1, 'a'), (2, 'b');
         update notes set title = 'c' where id = 1;",
    );
    assert_eq!(
        bed.ask(
            "select id, title, updated_at is not null as touched, edits from notes order by id"
        ),
        r#"[{"id":1,"title":"c","touched":true,"edits":1},{"id":2,"title":"b","touched":false,"edits":0}]"#
    );
    assert_eq!(
        bed.ask("update notes set title = 'd', edits = 40 returning id, edits"),
        r#"[{"id":1,"edits":2},{"id":2,"edits":1}]"#
    );
    assert_eq!(
        bed.ask(
            "insert into notes (id, title) values (2, 'e'), (3, 'f') on conflict (id) do update set title = excluded.title returning id, title, edits"
        ),
        r#"[{"id":2,"title":"e","edits":2},{"id":3,"title":"f","edits":0}]"#
    );
}

#[test]
fn branches_variables_and_selects_come_to_columns() {
    let bed = Bed::new(
        "create table rates (kind text primary key, rate numeric(6,2) not null);
         create table jobs (id int primary key, kind text, hours numeric, price numeric(10,2), size text, slug text, label text);
         insert into rates values ('paint', 12.50), ('wood', 20);
         create function fill() returns trigger language plpgsql as $$
         declare
           r numeric;
           words text := lower(new.kind) || '-' || new.id;
           factor int default 1;
         begin
           select rate into r from rates where kind = new.kind;
           if r is null then
             new.price := 0;
             new.label := 'unknown';
             return new;
           elsif new.hours > 10 then
             factor := 2;
             new.size := 'big';
           else
             new.size := case when new.hours > 5 then 'middle' else 'small' end;
           end if;
           new.price := r * new.hours * factor;
           new.slug := words;
           if tg_op = 'UPDATE' then
             new.label := old.label || '+';
           else
             new.label := tg_table_name;
           end if;
           return new;
         end $$;
         create trigger fill before insert or update on jobs for each row execute procedure fill();",
    );
    bed.ask("insert into jobs (id, kind, hours) values (1, 'paint', 4), (2, 'wood', 6), (3, 'wood', 11), (4, 'stone', 1)");
    assert_eq!(
        bed.ask("select price, size, slug, label from jobs order by id"),
        concat!(
            r#"[{"price":50.00,"size":"small","slug":"paint-1","label":"jobs"},"#,
            r#"{"price":120.00,"size":"middle","slug":"wood-2","label":"jobs"},"#,
            r#"{"price":440.00,"size":"big","slug":"wood-3","label":"jobs"},"#,
            r#"{"price":0.00,"size":null,"slug":null,"label":"unknown"}]"#
        )
    );
    bed.ask("update jobs set hours = hours + 5 where id in (1, 4)");
    assert_eq!(
        bed.ask("select id, price, size, label from jobs where id in (1, 4) order by id"),
        r#"[{"id":1,"price":112.50,"size":"middle","label":"jobs+"},{"id":4,"price":0.00,"size":null,"label":"unknown"}]"#
    );
}

#[test]
fn a_row_is_refused_passed_over_or_kept_as_it_was() {
    let bed = Bed::new(
        "create table rooms (id int primary key, name text, beds int, locked boolean default false);
         create function guard() returns trigger language plpgsql as $$
         begin
           if tg_op = 'DELETE' then
             if old.locked then
               raise exception 'room % of % is % locked', old.name, null, old.locked using errcode = 'check_violation', hint = 'unlock ' || old.name, detail = 'beds: ' || old.beds;
             end if;
             return old;
           end if;
           if new.beds < 0 then
             raise exception 'no % beds at 100%%', new.beds;
           end if;
           if new.name = 'nothing' then
             return null;
           end if;
           if tg_op = 'UPDATE' and old.locked then
             return old;
           end if;
           return new;
         end $$;
         create trigger guard before insert or update or delete on rooms for each row execute function guard();
         insert into rooms values (1, 'red', 2, true), (2, 'nothing', 1, false), (3, 'blue', 1, false);",
    );
    let names = "select name, beds from rooms order by id";
    assert_eq!(
        bed.ask(names),
        r#"[{"name":"red","beds":2},{"name":"blue","beds":1}]"#
    );
    assert_eq!(
        bed.refused("insert into rooms values (9, 'x', -3)"),
        ("P0001".into(), "no -3 beds at 100%".into())
    );
    bed.ask("update rooms set beds = 5");
    assert_eq!(
        bed.ask(names),
        r#"[{"name":"red","beds":2},{"name":"blue","beds":5}]"#
    );
    let error = bed.try_as(Role::Service, "delete from rooms").unwrap_err();
    assert_eq!(error.state, "23514");
    assert_eq!(error.message, "room red of <NULL> is t locked");
    assert_eq!(error.hint.as_deref(), Some("unlock red"));
    assert_eq!(error.detail.as_deref(), Some("beds: 2"));
    assert_eq!(
        bed.ask("delete from rooms where id = 3 returning id"),
        r#"[{"id":3}]"#
    );
}

#[test]
fn triggers_before_a_row_run_by_their_names_before_policies_and_checks() {
    let bed = Bed::new(
        "create table posts (id int primary key, body text check (body <> 'b'), author uuid, loud text generated always as (upper(body)) stored);
         create policy own on posts using (author = auth.uid()) with check (author = auth.uid());
         create function a() returns trigger language plpgsql as $$ begin new.body := new.body || 'a'; return new; end $$;
         create function z() returns trigger language plpgsql as $$ begin new.body := new.body || 'z'; new.author := auth.uid(); return new; end $$;
         create trigger z before insert on posts for each row execute function z();
         create trigger a before insert on posts for each row when (new.id < 10) execute function a();",
    );
    let insert = "insert into posts (id, body) values (1, 'b'), (11, 'c') returning body, loud";
    assert_eq!(
        bed.try_as(Role::Authenticated, insert).unwrap(),
        r#"[{"body":"baz","loud":"BAZ"},{"body":"cz","loud":"CZ"}]"#
    );
    assert_eq!(
        bed.try_as(Role::Anon, "insert into posts (id, body) values (2, 'b')")
            .unwrap_err()
            .state,
        "42501"
    );
}

#[test]
fn after_triggers_change_other_rows_with_the_rights_of_their_owner() {
    let bed = Bed::new(
        "create table threads (id int primary key, replies int not null default 0, last text);
         create table replies (id int primary key, thread int references threads on delete cascade, body text);
         create policy all_ on replies using (true) with check (true);
         create table log (id bigint generated always as identity primary key, op text, what text, who uuid, at timestamptz default now());
         create function count_replies() returns trigger language plpgsql security definer set search_path = '' as $$
         begin
           if (TG_OP = 'INSERT') then
             update public.threads set replies = replies + 1, last = new.body where id = new.thread;
           elsif (TG_OP = 'UPDATE') then
             update public.threads set last = new.body where id = new.thread;
           elsif (TG_OP = 'DELETE') then
             update public.threads set replies = replies - 1 where id = old.thread;
           end if;
           return null;
         end $$;
         create function log_it() returns trigger language plpgsql security definer as $$
         begin
           insert into log (op, what, who) values (tg_op || '@' || tg_table_schema || '.' || tg_table_name, coalesce(new.body, old.body), auth.uid());
           return new;
         end $$;
         create trigger count_replies after insert or update of body or delete on replies for each row execute function count_replies();
         create trigger log_it after insert or update or delete on replies for each row execute function log_it();
         insert into threads (id) values (1), (2);
         insert into replies values (1, 1, 'first');",
    );
    assert_eq!(
        bed.ask("select replies, last from threads where id = 1"),
        r#"[{"replies":1,"last":"first"}]"#
    );
    bed.try_as(
        Role::Authenticated,
        "insert into replies values (2, 1, 'second'), (3, 2, 'third'); update replies set body = 'new' where id = 2; update replies set thread = 1 where id = 3",
    )
    .unwrap();
    bed.try_as(Role::Anon, "delete from replies where id = 1")
        .unwrap();
    assert_eq!(
        bed.ask("select id, replies, last from threads order by id"),
        r#"[{"id":1,"replies":1,"last":"new"},{"id":2,"replies":1,"last":"third"}]"#
    );
    // A cascade comes to triggers, too.
    bed.ask("delete from threads where id = 1");
    assert_eq!(
        bed.ask("select op, what, who from log order by id"),
        format!(
            concat!(
                r#"[{{"op":"INSERT@public.replies","what":"first","who":null}},"#,
                r#"{{"op":"INSERT@public.replies","what":"second","who":"{0}"}},"#,
                r#"{{"op":"INSERT@public.replies","what":"third","who":"{0}"}},"#,
                r#"{{"op":"UPDATE@public.replies","what":"new","who":"{0}"}},"#,
                r#"{{"op":"UPDATE@public.replies","what":"third","who":"{0}"}},"#,
                r#"{{"op":"DELETE@public.replies","what":"first","who":null}},"#,
                r#"{{"op":"DELETE@public.replies","what":"new","who":null}},"#,
                r#"{{"op":"DELETE@public.replies","what":"third","who":null}}]"#
            ),
            ANN
        )
    );
}

#[test]
fn a_function_that_runs_as_its_caller_meets_the_callers_policies() {
    let mut bed = Bed::new(
        "create table items (id int primary key, tag text);
         create policy all_ on items using (true) with check (true);
         create table tags (name text primary key, uses int default 0);
         create policy seen on tags for select using (name <> 'hidden');
         create policy made on tags for insert to authenticated with check (name <> 'taken');
         create function tag_it() returns trigger language plpgsql as $$
         begin
           if not exists (select 1 from tags where name = new.tag) then
             insert into tags (name) values (new.tag);
             insert into tags (name) values (new.tag || '!');
           end if;
           return new;
         end $$;
         create trigger tag_it after insert on items for each row execute function tag_it();",
    );
    bed.try_as(
        Role::Authenticated,
        "insert into items values (1, 'a'), (2, 'a')",
    )
    .unwrap();
    assert_eq!(
        bed.ask("select name from tags order by name"),
        r#"[{"name":"a"},{"name":"a!"}]"#
    );
    let refused = bed
        .try_as(Role::Authenticated, "insert into items values (3, 'taken')")
        .unwrap_err();
    assert_eq!(refused.state, "42501");
    assert_eq!(
        refused.message,
        "new row violates row-level security policy for table \"tags\""
    );
    assert_eq!(
        bed.try_as(Role::Anon, "insert into items values (3, 'c')")
            .unwrap_err()
            .state,
        "42501"
    );
    bed.try_as(Role::Anon, "insert into items values (4, 'a')")
        .unwrap();
    assert_eq!(bed.ask("select count(*) as n from items"), r#"[{"n":3}]"#);
    // Within a function of its owner's it has the owner's rights.
    bed.migrate(
        "create table batches (id int primary key);
         create policy all_ on batches using (true) with check (true);
         create function fill() returns trigger language plpgsql security definer as $$
         begin
           insert into items values (new.id, 'taken');
           return null;
         end $$;
         create trigger fill after insert on batches for each row execute function fill();",
    )
    .unwrap();
    bed.try_as(Role::Anon, "insert into batches values (100)")
        .unwrap();
    assert_eq!(
        bed.ask("select name from tags where name like 'taken%' order by name"),
        r#"[{"name":"taken"},{"name":"taken!"}]"#
    );
}

#[test]
fn variables_keep_what_they_were_given_while_rows_change() {
    let bed = Bed::new(
        "create table accounts (id int primary key, balance int not null);
         create table moves (id int primary key, source int, target int, amount int);
         create table notes (id bigint generated always as identity primary key, text text);
         create function move() returns trigger language plpgsql as $$
         declare
           was int;
           half int := new.amount / 2;
         begin
           select balance into was from accounts where id = new.source;
           if was is null then
             raise exception 'no account %', new.source using errcode = 'P0002';
           end if;
           update accounts set balance = balance - new.amount where id = new.source;
           was := was - half;
           insert into notes (text) select 'was ' || was || ', is ' || balance from accounts where id = new.source;
           begin
             update accounts set balance = balance + new.amount where id = new.target;
           end;
           perform 1 from accounts where id = new.target;
           raise notice 'moved %', new.amount;
           case new.amount
             when 1, 2 then insert into notes (text) values ('little');
             when 10 then null;
             else insert into notes (text) values ('much');
           end case;
           return null;
         end $$;
         create trigger move after insert on moves for each row execute function move();
         insert into accounts values (1, 100), (2, 0);
         insert into moves values (1, 1, 2, 10), (2, 1, 2, 2), (3, 2, 1, 5);",
    );
    assert_eq!(
        bed.ask("select balance from accounts order by id"),
        r#"[{"balance":93},{"balance":7}]"#
    );
    assert_eq!(
        bed.ask("select text from notes order by id"),
        r#"[{"text":"was 95, is 90"},{"text":"was 89, is 88"},{"text":"little"},{"text":"was 10, is 7"},{"text":"much"}]"#
    );
    assert_eq!(
        bed.refused("insert into moves values (4, 9, 1, 1)"),
        ("P0002".into(), "no account 9".into())
    );
    assert_eq!(bed.ask("select count(*) as n from moves"), r#"[{"n":3}]"#);
}

#[test]
fn a_trigger_without_end_ends() {
    let bed = Bed::new(
        "create table t (id int primary key);
         create function again() returns trigger language plpgsql as $$
         begin
           if new.id < 50 or new.id >= 1000 then
             insert into t values (new.id + 1);
           end if;
           return null;
         end $$;
         create trigger again after insert on t for each row execute function again();",
    );
    bed.ask("insert into t values (1)");
    assert_eq!(bed.ask("select count(*) as n from t"), r#"[{"n":50}]"#);
    assert_eq!(bed.refused("insert into t values (1000)").0, "54001");
    assert_eq!(bed.ask("select count(*) as n from t"), r#"[{"n":50}]"#);
}

#[test]
fn triggers_are_there_again_after_a_start_and_follow_migrations() {
    let mut bed = Bed::new(
        "create table t (id int primary key, a text);
         create table log (text text);
         create function note() returns trigger language plpgsql as $$ begin insert into log values (tg_name || ' ' || new.a); return null; end $$;
         create trigger one after insert on t for each row execute function note();",
    );
    bed.runtime.block_on(bed.db.close());
    let other = tempfile::tempdir().unwrap();
    let moved = std::mem::replace(&mut bed.directory, other);
    bed.db = open(&bed.directory);
    bed.db = open(&moved);
    bed.directory = moved;
    bed.ask("insert into t values (1, 'x')");
    bed.migrate(
        "alter trigger one on t rename to two;
         insert into t values (2, 'y');
         alter table t add column b text not null default 'new';
         create or replace function note() returns trigger language plpgsql as $$ begin insert into log values (new.b || new.a); return null; end $$;
         insert into t values (3, 'z');",
    )
    .unwrap();
    bed.ask("insert into t values (4, 'w')");
    // What fails leaves everything as it was.
    assert!(
        bed.migrate("drop trigger two on t; insert into t values (1, 'twice')")
            .is_err()
    );
    bed.migrations -= 1;
    bed.ask("insert into t values (5, 'v')");
    bed.migrate("drop trigger two on t; insert into t values (6, 'u')")
        .unwrap();
    assert_eq!(
        bed.ask("select text from log"),
        r#"[{"text":"one x"},{"text":"two y"},{"text":"newz"},{"text":"neww"},{"text":"newv"}]"#
    );
}

#[test]
fn what_a_function_names_may_go_and_come_again() {
    let mut bed = Bed::new(
        "create table t (id int primary key);
         create function note() returns trigger language plpgsql as $$ begin insert into public.log values (new.id); return null; end $$;
         create trigger note after insert on t for each row execute function note();
         create table log (id int);",
    );
    bed.migrate("alter table log rename to history").unwrap();
    assert_eq!(
        bed.refused("insert into t values (1)"),
        (
            "42P01".into(),
            "relation \"public.log\" does not exist".into()
        )
    );
    bed.migrate("alter table history rename to log").unwrap();
    bed.ask("insert into t values (2)");
    assert_eq!(bed.ask("select id from log"), r#"[{"id":2}]"#);
}

#[test]
fn a_role_fails_where_it_may_not_write_and_nowhere_else() {
    let bed = Bed::new(
        "create table t (id int primary key);
         create policy all_ on t using (true) with check (true);
         create table kept (id int);
         revoke all on kept from anon, authenticated;
         create function keep() returns trigger language plpgsql as $$
         begin
           if new.id > 10 then
             insert into kept values (new.id);
           end if;
           return null;
         end $$;
         create trigger keep after insert on t for each row execute function keep();",
    );
    bed.try_as(Role::Anon, "insert into t values (1)").unwrap();
    let refused = bed
        .try_as(Role::Anon, "insert into t values (11)")
        .unwrap_err();
    assert_eq!(refused.state, "42501");
    assert_eq!(refused.message, "permission denied for table kept");
    bed.ask("insert into t values (12)");
    assert_eq!(bed.ask("select id from kept"), r#"[{"id":12}]"#);
}

#[test]
fn a_function_that_falls_off_its_end_or_returns_the_row_that_is_not_there() {
    let bed = Bed::new(
        "create table a (id int);
         create table b (id int);
         create function open_end() returns trigger language plpgsql as $$ begin new.id := 1; end $$;
         create function old_row() returns trigger language plpgsql as $$ begin return old; end $$;
         create trigger open_end before insert on a for each row execute function open_end();
         create trigger old_row before insert on b for each row execute function old_row();",
    );
    assert_eq!(
        bed.refused("insert into a values (2)"),
        (
            "2F005".into(),
            "control reached end of trigger procedure without RETURN".into()
        )
    );
    assert_eq!(bed.ask("insert into b values (1) returning id"), "[]");
}

#[test]
fn what_is_drawn_is_drawn_once_for_each_row() {
    let bed = Bed::new(
        "create table t (id uuid primary key default gen_random_uuid(), number bigint generated always as identity, a uuid, b bigint);
         create policy all_ on t using (true) with check (id is not null and number > 0);
         create function copy() returns trigger language plpgsql as $$ begin new.a := new.id; new.b := new.number; return new; end $$;
         insert into t (a) values (null), (null);
         create trigger copy before insert on t for each row execute function copy();",
    );
    bed.try_as(Role::Anon, "insert into t (a) values (null), (null)")
        .unwrap();
    bed.ask("insert into t (a) select null::uuid from t");
    bed.ask("insert into t (id) values (default), (gen_random_uuid())");
    assert_eq!(
        bed.ask("select count(distinct id) as ids, min(number) as first, max(number) as last, count(a) as copied, bool_and(a = id and b = number) as alike from t"),
        r#"[{"ids":10,"first":1,"last":10,"copied":8,"alike":true}]"#
    );
    bed.ask("update t set a = gen_random_uuid()");
    assert_eq!(
        bed.ask("select count(distinct a) as n from t"),
        r#"[{"n":10}]"#
    );
}
