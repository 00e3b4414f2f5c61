alter table public.posts add column comment_count int not null default 0;
alter table public.posts add constraint slug_format check (slug similar to '[a-z0-9]+(-[a-z0-9]+)*') not valid;
alter table public.posts validate constraint slug_format;

create function public.approve_comment(comment_id bigint)
returns boolean
language sql
security definer
set search_path = ''
as $$
  update public.comments c
  set approved = true
  from public.posts p, public.authors a
  where c.id = comment_id and not c.approved
    and p.id = c.post_id and a.id = p.author_id and a.user_id = auth.uid();
  select exists (select 1 from public.comments where id = comment_id and approved);
$$;
revoke execute on function public.approve_comment from anon, public;

create function public.recount_comments() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.posts
  set comment_count = (select count(*) from public.comments c where c.post_id = new.post_id and c.approved)
  where id = new.post_id;
  return null;
end;
$$;
create trigger recount after update of approved on public.comments
  for each row when (old.approved is distinct from new.approved)
  execute function public.recount_comments();
