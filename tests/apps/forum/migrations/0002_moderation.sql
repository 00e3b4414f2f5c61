create or replace function public.is_moderator() returns boolean
language sql stable
as $$
  select coalesce((current_setting('request.jwt.claims', true)::jsonb -> 'app_metadata' ->> 'role') = 'moderator', false)
$$;
create or replace function public.is_banned(who uuid) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (select 1 from public.bans b where b.user_id = who and b.until > now())
$$;

create policy "read boards" on boards for select using (true);
create policy "read threads" on threads for select using (true);
create policy "read posts" on posts for select using (true);
create policy "start threads" on threads for insert to authenticated
  with check (
    author_id = auth.uid()
    and (is_moderator() or not exists (select 1 from boards b where b.id = board_id and b.locked))
  );
create policy "reply" on posts for insert to authenticated with check (author_id = auth.uid());
create policy "edit" on posts for update to authenticated
  using (author_id = auth.uid() or is_moderator()) with check (author_id = auth.uid() or is_moderator());
create policy "delete" on posts for delete to authenticated using (author_id = auth.uid() or is_moderator());
create policy "moderators delete threads" on threads for delete to authenticated using (is_moderator());
create policy "the banned do not start threads" on threads as restrictive for insert to authenticated
  with check (not is_banned(auth.uid()));
create policy "the banned do not reply" on posts as restrictive for insert to authenticated
  with check (not is_banned(auth.uid()));
create policy "moderators ban" on bans for all to authenticated using (is_moderator()) with check (is_moderator());
create policy "know why" on bans for select to authenticated using (user_id = auth.uid());
