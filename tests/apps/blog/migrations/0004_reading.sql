create or replace view public.published_posts with (security_invoker = 'true') as
  select posts.slug, posts.title, left(posts.body, 20) as excerpt, authors.name as author, posts.word_count, posts.comment_count
  from public.posts
    join public.authors on authors.id = posts.author_id
  where posts.status = 'published';

-- A computed column: postgrest shows it as posts.reading_minutes.
create function public.reading_minutes(public.posts) returns int
language sql immutable as $$
  select greatest(1, ceil($1.word_count / 200.0)::int)
$$;

create function public.unpublish(slug text) returns setof public.posts
language sql as $$
  update public.posts set status = 'archived' where posts.slug = unpublish.slug and status = 'published' returning *;
$$;
create policy "replies stay short" on public.comments as restrictive for insert to authenticated
  with check (parent_id is null or length(body) <= 200);
