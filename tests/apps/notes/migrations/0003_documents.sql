create table public.documents (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organisations (id) on delete cascade,
  author_id uuid default auth.uid() references auth.users (id) on delete set null,
  title text not null default 'Untitled',
  body jsonb not null default '{"blocks": []}'::jsonb,
  properties json,
  created_at timestamptz not null default now(),
  updated_at timestamptz,
  deleted_at timestamptz
);
create index documents_live on public.documents (org_id, title) where deleted_at is null;

alter table public.documents enable row level security;
create policy "read" on public.documents for select to authenticated
  using (org_id in (select private.my_orgs()));
create policy "write" on public.documents for insert to authenticated
  with check (private.has_role(org_id, 'editor') and author_id = (select auth.uid()));
create policy "edit" on public.documents for update to authenticated
  using (private.has_role(org_id, 'editor')) with check (private.has_role(org_id, 'editor'));
create policy "hide deleted" on public.documents as restrictive for select to authenticated
  using (deleted_at is null or private.has_role(org_id, 'admin'));

create or replace function private.touch() returns trigger language plpgsql as
$$
begin
  NEW.updated_at := now();
  RETURN NEW;
end
$$;
create trigger touch before update on public.documents for each row execute function private.touch();
