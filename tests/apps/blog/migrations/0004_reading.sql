create or replace view public.published_posts with (security_invoker = 'true') as
  select posts.slug, posts.title, left(posts.body, 20) as excerpt, authors.name as author, posts.word_count, posts.comment_count
  from public.posts
    join public.authors on authors.id = posts.author_id
  where posts.status = 'published';

create function public.reading_minutes(words int) returns int
language sql immutable as $$
  select greatest(1, ceil($1 / 200.0)::int)
$$;

create function public.unpublish(slug text) returns table (slug text, status text)
language sql as $$
  update public.posts set status = 'archived' where posts.slug = unpublish.slug and posts.status = 'published' returning posts.slug, posts.status;
$$;
create policy "replies stay short" on public.comments as restrictive for insert to authenticated
  with check (parent_id is null or length(body) <= 200);
