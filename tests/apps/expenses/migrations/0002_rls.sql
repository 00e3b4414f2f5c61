alter table groups enable row level security;
alter table group_members enable row level security;
alter table expenses enable row level security;
alter table expense_shares enable row level security;

create or replace function is_member(gid bigint) returns bool as $$
  select exists(select 1 from public.group_members where group_id = gid and user_id = auth.uid());
$$ language sql stable security definer set search_path = '';

create policy "see own groups" on groups for select using (owner_id = auth.uid() or is_member(id));
create policy "create groups" on groups for insert with check (owner_id = auth.uid());
create policy "owner updates" on groups for update using (owner_id = auth.uid());
create policy "owner deletes" on groups for delete using (owner_id = auth.uid());

create policy "see members" on group_members for select using (is_member(group_id));
create policy "owner adds members" on group_members for insert
  with check (exists (select 1 from groups g where g.id = group_id and g.owner_id = auth.uid()));
create policy "leave" on group_members for delete using (user_id = auth.uid());

create policy "members all" on expenses for all using (is_member(group_id)) with check (is_member(group_id));
create policy "members all" on expense_shares for all using (is_member(group_id)) with check (is_member(group_id));
