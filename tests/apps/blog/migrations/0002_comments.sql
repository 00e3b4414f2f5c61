create table public.comments (
  id bigint generated always as identity primary key,
  post_id bigint not null references public.posts on delete cascade,
  parent_id bigint references public.comments (id) on delete cascade,
  user_id uuid default auth.uid() references auth.users (id) on delete set null,
  author_name text not null,
  email text,
  body text not null,
  approved bool not null default false,
  created_at timestamptz not null default now(),
  constraint comments_body_length check (length(body) between 1 and 2000),
  constraint comments_not_own_parent check (parent_id is distinct from id)
);
create index comments_thread on public.comments (post_id, parent_id nulls first, created_at);
alter table public.comments enable row level security;

-- The address is for the author of the post alone: readers get the other columns.
revoke all on public.comments from anon, authenticated;
grant select (id, post_id, parent_id, author_name, body, created_at) on public.comments to anon, authenticated;
grant insert (post_id, parent_id, author_name, email, body) on public.comments to authenticated;
grant update (body) on public.comments to authenticated;
grant delete on public.comments to authenticated;

create policy "approved comments, and your own" on public.comments for select
  using (approved or user_id = auth.uid());
create policy "comment on what you can read" on public.comments for insert to authenticated
  with check (
    user_id = auth.uid() and not approved
    and exists (select 1 from public.posts where posts.id = comments.post_id)
  );
create policy "edit for ten minutes" on public.comments for update to authenticated
  using (user_id = auth.uid() and created_at > now() - interval '10 minutes');
create policy "delete your own" on public.comments for delete to authenticated using (user_id = auth.uid());
