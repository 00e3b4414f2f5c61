create table public.votes (
  post_id bigint not null references public.posts on delete cascade,
  user_id uuid not null default auth.uid() references public.users (id) on delete cascade,
  value smallint not null check (value in (-1, 1)),
  primary key (post_id, user_id)
);
alter table public.votes enable row level security;
create policy "own votes" on public.votes for all to authenticated
  using (user_id = auth.uid())
  with check (user_id = auth.uid() and exists (select 1 from public.posts p where p.id = post_id and p.author_id <> auth.uid()));

create or replace function public.apply_vote() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if (TG_OP = 'INSERT') then
    update public.posts set score = score + new.value where id = new.post_id;
  elsif (TG_OP = 'UPDATE') then
    update public.posts set score = score + new.value - old.value where id = new.post_id;
  elsif (TG_OP = 'DELETE') then
    update public.posts set score = score - old.value where id = old.post_id;
  end if;
  return null;
end;
$$;
create trigger apply_vote after insert or update or delete on public.votes for each row execute function public.apply_vote();

create or replace function public.bump_thread() returns trigger language plpgsql security definer as $$
begin
  update public.threads set last_post_at = new.created_at where id = new.thread_id;
  update public.users set karma = karma + 1 where id = new.author_id;
  return new;
end;
$$;
create trigger bump_thread after insert on public.posts for each row execute function public.bump_thread();
