create or replace function private.is_staff()
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce((auth.jwt() -> 'app_metadata' ->> 'role') in ('staff', 'manager'), false)
$$;

create or replace function private.booked_hours(for_user uuid, on_day date)
returns numeric
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(sum(extract(epoch from ends_at - starts_at) / 3600), 0)
  from public.bookings
  where user_id = for_user
    and status <> 'cancelled'
    and (starts_at at time zone 'utc')::date = on_day
$$;

grant usage on schema private to authenticated;
revoke all on function private.booked_hours(uuid, date) from public;
grant execute on function private.booked_hours(uuid, date) to authenticated;

create policy "Anyone can look at rooms" on public.rooms for select to anon, authenticated using (true);
create policy "Staff manage rooms" on public.rooms for all to authenticated using (private.is_staff()) with check (private.is_staff());

create policy "Own bookings, staff all" on public.bookings for select to authenticated
  using (user_id = (select auth.uid()) or (select private.is_staff()));
create policy "Book for yourself" on public.bookings for insert to authenticated
  with check (user_id = (select auth.uid()) or (select private.is_staff()));
create policy "Change your own" on public.bookings for update to authenticated
  using (user_id = (select auth.uid()) or (select private.is_staff()));
create policy "At most eight hours a day" on public.bookings as restrictive for insert to authenticated
  with check (
    private.booked_hours(user_id, (starts_at at time zone 'utc')::date)
      + extract(epoch from ends_at - starts_at) / 3600 <= 8
  );
create policy "Not outside the hours" on public.bookings as restrictive for insert to authenticated
  with check (
    exists (
      select from public.rooms r
      where r.id = room_id
        and (starts_at at time zone 'utc')::time >= r.opens
        and (ends_at at time zone 'utc')::time <= r.closes
    )
  );
