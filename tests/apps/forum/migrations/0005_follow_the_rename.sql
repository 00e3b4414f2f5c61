-- Bodies of functions are text: the rename did not reach them.
create or replace function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.members (id, username) values (new.id, new.raw_user_meta_data ->> 'username');
  return new;
end;
$$;
create or replace function public.bump_thread() returns trigger language plpgsql security definer as $$
begin
  update public.threads set last_post_at = new.created_at where id = new.thread_id;
  update public.members set karma = karma + 1 where id = new.author_id;
  return new;
end;
$$;

create view public.front_page with (security_invoker = true) as
  select t.id, b.name as board, t.title, m.username as author, t.pinned,
    (select count(*) from public.posts p where p.thread_id = t.id) as posts,
    (select p.body from public.posts p where p.thread_id = t.id order by p.score desc, p.id limit 1) as best
  from public.threads t
  join public.boards b on b.id = t.board_id
  join public.members m on m.id = t.author_id
  order by t.pinned desc, t.last_post_at desc nulls last;

create function public.start_thread(board int, title text, body text) returns bigint
language sql as $$
  insert into public.threads (board_id, title) values (board, start_thread.title);
  insert into public.posts (thread_id, body)
    select max(id), start_thread.body from public.threads where author_id = auth.uid();
  select max(id) from public.threads where author_id = auth.uid();
$$;

create function public.search_posts(query text) returns table (thread text, body text)
language sql stable as $$
  select t.title, p.body from public.posts p join public.threads t on t.id = p.thread_id
  where to_tsvector('english', p.body) @@ websearch_to_tsquery('english', query)
  order by p.id;
$$;

create function public.tally() returns table (username text, posts bigint, best int, worst int, any_deleted bool)
language sql stable as $$
  select m.username, count(p.id), max(p.score), min(p.score), coalesce(bool_or(p.deleted), false)
  from public.members m left join public.posts p on p.author_id = m.id
  group by m.username
  order by 2 desc, 1 nulls last;
$$;
