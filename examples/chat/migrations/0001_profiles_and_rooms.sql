-- Who is who. A row for each user, made by the app after sign-up.
create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  name text not null check (length(name) between 1 and 80),
  about text,
  created_at timestamptz not null default now()
);

alter table public.profiles enable row level security;

create policy "signed-in people see each other" on public.profiles
  for select to authenticated using (true);
create policy "your profile is yours" on public.profiles
  for insert to authenticated with check (id = auth.uid());
create policy "your profile is yours to change" on public.profiles
  for update to authenticated using (id = auth.uid()) with check (id = auth.uid());

-- Where people talk. A private room is seen by its members and by who made it.
create table public.rooms (
  id bigint generated always as identity primary key,
  name text not null,
  is_private boolean not null default false,
  topics text[] not null default '{}',
  created_by uuid default auth.uid() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint rooms_name_key unique (name)
);

create type public.member_role as enum ('guest', 'member', 'owner');

create table public.members (
  room_id bigint not null references public.rooms (id) on delete cascade,
  user_id uuid not null default auth.uid() references public.profiles (id) on delete cascade,
  role public.member_role not null default 'member',
  joined_at timestamptz not null default now(),
  primary key (room_id, user_id)
);

create index members_user_id on public.members (user_id);

alter table public.rooms enable row level security;
alter table public.members enable row level security;

create policy "public rooms, your rooms and rooms you are in" on public.rooms
  for select to authenticated
  using (
    not is_private
    or created_by = auth.uid()
    or id in (select room_id from public.members where user_id = auth.uid())
  );
create policy "anybody signed in opens rooms" on public.rooms
  for insert to authenticated with check (created_by = auth.uid());
create policy "a room is changed by who made it" on public.rooms
  for update to authenticated using (created_by = auth.uid()) with check (created_by = auth.uid());
create policy "a room is closed by who made it" on public.rooms
  for delete to authenticated using (created_by = auth.uid());

create policy "you see where you are a member" on public.members
  for select to authenticated using (user_id = auth.uid());
create policy "you join public rooms and your own" on public.members
  for insert to authenticated
  with check (
    user_id = auth.uid()
    and exists (
      select 1 from public.rooms
      where rooms.id = members.room_id and (not rooms.is_private or rooms.created_by = auth.uid())
    )
  );
create policy "you leave when you like" on public.members
  for delete to authenticated using (user_id = auth.uid());
