create function add(a int, b int default 10) returns int language sql immutable as $$ select a + b $$;
create function shout(word text) returns text language sql as $$ select upper(word) $$;
create function nothing_found() returns text language sql stable as $$ select title from books where id = -1 $$;
create function prices() returns setof numeric language sql stable as $$ select price from books where price is not null order by id $$;
create function books_of(writer bigint) returns setof books language sql stable as $$ select * from books where author_id = writer $$;
create function book(wanted bigint) returns books language sql stable as $$ select * from books where id = wanted $$;
create function lengths(least int default 0) returns table (title text, letters int) language sql stable
  as $$ select title, length(title) from books where length(title) >= least $$;
create function strictly(a int, b int) returns int language sql strict immutable as $$ select a + b $$;
create function strict_rows(a int) returns setof int language sql strict immutable as $$ select a union all select a + 1 $$;
create function echo(json) returns json language sql immutable as $$ select $1 $$;
create function raw_text(text) returns int language sql immutable as $$ select length($1) $$;
create function raw_bytes(bytea) returns bytea language sql immutable as $$ select $1 $$;
create function sum_up(list int[]) returns bigint language sql immutable as $$ select sum(x) from unnest(list) as x $$;
create function describe(state condition, at timestamptz default now()) returns text language sql stable as $$ select state::text $$;

create function over(a int) returns text language sql immutable as $$ select 'int' $$;
create function over(b text) returns text language sql immutable as $$ select 'text' $$;
create function vague(a int, b int default 1) returns int language sql immutable as $$ select a $$;
create function vague(a int, c text default '') returns int language sql immutable as $$ select a $$;

create function whose() returns uuid language sql stable as $$ select auth.uid() $$;
create function seen() returns bigint language sql stable as $$ select count(*) from notes $$;
create function all_of_them() returns bigint language sql stable security definer as $$ select count(*) from notes $$;

create function write_note(note_id int, note text) returns setof notes language sql
  as $$ insert into notes (id, body) values (note_id, note) returning * $$;
create function write_two(first int, note text default 'both') returns bigint language sql as $$
  insert into notes (id, body) values (first, note);
  insert into notes (id, body) values (first + 1, note);
  select count(*) from notes;
$$;
create function rename_note(note_id int, note text) returns notes language sql
  as $$ update notes set body = note where id = note_id returning * $$;
create function forget(note_id int) returns void language sql as $$ delete from notes where id = note_id $$;
create function touch_all() returns int language sql security definer as $$ update notes set public = true; select 1 $$;
create function strict_write(note_id int, note text) returns int language sql strict
  as $$ insert into notes (id, body) values (note_id, note) returning id $$;
create function loans_made(book bigint) returns setof numeric language sql
  as $$ update books set pages = pages where id = book returning price $$;
create function fresh(id uuid default gen_random_uuid()) returns setof readers language sql
  as $$ insert into readers (id, name) values (fresh.id, fresh.id::text) returning * $$;

create function sealed() returns int language sql as $$ select 1 $$;
revoke execute on function sealed() from public, anon, authenticated;
create function link(note int) returns void language sql security definer
  as $$ insert into note_links (note_id, url) values (note, 'x') $$;
create function write_and_count(first int) returns bigint language sql as $$ select write_two(first, 'nested') $$;

create table note_log (id bigint generated always as identity primary key, who uuid, note_id int);
create function log_note() returns trigger language plpgsql security definer as $$
begin
  insert into note_log (who, note_id) values (auth.uid(), new.id);
  return new;
end $$;
create trigger log_note after insert on notes for each row execute function log_note();

create schema inner_things;
grant usage on schema inner_things to anon, authenticated, service_role;
create function inner_things.secret() returns int language sql as $$ select 1 $$;
