-- What is said. Ids are made by the app, so that a message sent twice is one message.
create table public.messages (
  id uuid primary key default gen_random_uuid(),
  room_id bigint not null references public.rooms (id) on delete cascade,
  author uuid not null default auth.uid() references public.profiles (id) on delete cascade,
  body text not null check (length(body) <= 4000),
  details jsonb not null default '{}',
  sent_at timestamptz not null default now()
);

create index messages_room_id_sent_at on public.messages (room_id, sent_at desc);

alter table public.messages enable row level security;

create policy "members read" on public.messages
  for select to authenticated
  using (room_id in (select room_id from public.members where user_id = auth.uid()));
create policy "members write, as themselves" on public.messages
  for insert to authenticated
  with check (
    author = auth.uid()
    and room_id in (select room_id from public.members where user_id = auth.uid())
  );
create policy "what you said you may change" on public.messages
  for update to authenticated using (author = auth.uid()) with check (author = auth.uid());
create policy "what you said you may take back" on public.messages
  for delete to authenticated using (author = auth.uid());
