create view titles with (security_invoker = true) as
  select id, title as name, author_id as writer, upper(title) as loud from books;

create view writers with (security_invoker = true) as
  select a.id, a.name, count(b.id) as books from authors a left join books b on b.author_id = a.id group by a.id, a.name;

create view lent with (security_invoker = true) as
  select l.book_id, l.reader_id, r.name as reader, b.title from loans l join readers r on r.id = l.reader_id join books b on b.id = l.book_id;

create view names_of_lent with (security_invoker = true) as
  with named as (select reader_id as who, book_id as what from (select * from lent) x) select what, who from named;

create view my_notes with (security_invoker = true) as
  select id, body as text, user_id, length(body) as size from notes where not public;

create view short_notes with (security_invoker = true) as
  select id, text, size from my_notes where length(text) < 8 with check option;

create view loud_notes with (security_invoker = true) as
  select id, body from notes where body <> 'quiet' with local check option;

create view bare with (security_invoker = true) as select id, note_id from unprotected;

create view staff with (security_invoker = true) as select id, name, mentor_id as boss from authors;

create schema hidden;
create view hidden.everything as select id, body from notes;
grant select on hidden.everything to anon, authenticated, service_role;
create view opened with (security_invoker = true) as select id, body from hidden.everything;
