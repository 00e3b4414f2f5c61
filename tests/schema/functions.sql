-- Functions over the library: see tests/js/rpc.mjs.
create function add(a int, b int default 10) returns int language sql immutable as $$ select a + b $$;

create function titles() returns setof text language sql stable as $$ select title from books order by id $$;

create function books_by(author bigint) returns setof books language sql stable as
  $$ select * from books where author_id = author $$;

create function the_book(wanted bigint) returns books language sql stable as $$ select * from books where id = wanted $$;

create function pages_over(least int) returns table (title text, pages int) language sql stable as
  $$ select title, pages from books where pages >= least $$;

create function add_shelf(number int, name text) returns setof shelves language sql security definer as
  $$ insert into shelves (id, label) values (number, name) returning * $$;

create function rename_shelf(number int, name text) returns void language sql as
  $$ update shelves set label = name where id = number $$;

create function echo(json) returns json language sql immutable as $$ select $1 $$;

create view shelved with (security_invoker = true) as
  select s.label, bs.book_id as book, b.title, bs.place from book_shelves bs join books b on b.id = bs.book_id join shelves s on s.id = bs.shelf_id;
