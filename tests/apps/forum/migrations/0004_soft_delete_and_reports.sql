alter table public.posts add column deleted boolean not null default false;
drop policy "read posts" on posts;
create policy "read posts" on posts for select using (not deleted or is_moderator());
drop policy if exists "delete" on posts;

create type report_reason as enum ('spam', 'abuse', 'other');
create table public.reports (
  id uuid primary key default gen_random_uuid(),
  post_id bigint not null references public.posts on delete cascade,
  reporter uuid default auth.uid() references public.users (id) on delete set null,
  reason report_reason not null,
  details text,
  handled_by uuid references public.users (id),
  handled_at timestamptz,
  constraint handled_together check ((handled_by is null) = (handled_at is null)),
  constraint other_needs_details check (reason <> 'other' or nullif(trim(details), '') is not null),
  unique nulls not distinct (post_id, reporter)
);
alter table public.reports enable row level security;
create policy "report" on public.reports for insert to authenticated with check (reporter = auth.uid() and handled_by is null);
create policy "moderators" on public.reports for all to authenticated using (is_moderator());

alter table public.threads add column pinned bool default false;
update public.threads set pinned = false where pinned is null;
alter table public.threads alter pinned set not null;
alter table public.users rename to members;
alter table public.members rename constraint username_length to members_username_length;
