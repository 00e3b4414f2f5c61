create schema private;
grant usage on schema private to authenticated, service_role;

create type public.org_role as enum ('viewer', 'editor', 'admin', 'owner');

create table public.organisations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  slug text not null unique,
  created_at timestamptz default now() not null,
  check (slug = lower(slug) and length(slug) >= 2)
);

create table public.memberships (
  org_id uuid not null references public.organisations on delete cascade,
  user_id uuid not null references auth.users on delete cascade,
  role public.org_role not null default 'viewer',
  primary key (org_id, user_id)
);
create index on public.memberships (user_id);

alter table public.organisations enable row level security;
alter table public.memberships enable row level security;

-- Policies that look into memberships from memberships would look for ever; these do not come back.
create function private.my_orgs() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select org_id from public.memberships where user_id = (select auth.uid())
$$;
create function private.has_role(in_org uuid, at_least public.org_role) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.memberships m
    where m.org_id = in_org and m.user_id = (select auth.uid()) and m.role >= at_least
  )
$$;

create policy "members see their organisations" on public.organisations
  for select to authenticated using (id in (select private.my_orgs()));
create policy "admins rename" on public.organisations
  for update to authenticated using (private.has_role(id, 'admin')) with check (private.has_role(id, 'admin'));

create policy "members see members" on public.memberships
  for select to authenticated using (org_id in (select private.my_orgs()));
create policy "admins add below themselves" on public.memberships
  for insert to authenticated with check (private.has_role(org_id, 'admin') and role < 'owner');
create policy "admins remove, and anyone leaves" on public.memberships
  for delete to authenticated using (private.has_role(org_id, 'admin') or user_id = auth.uid());
