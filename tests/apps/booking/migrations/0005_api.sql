create view public.calendar with (security_invoker) as
  select b.id, r.name as room, b.starts_at, b.ends_at, b.ends_at - b.starts_at as length, b.status, b.price
  from public.bookings b join public.rooms r on r.id = b.room_id
  where b.status <> 'cancelled'
  order by b.starts_at;

-- When a room is taken, without saying by whom.
create function public.taken(p_room uuid, p_day date)
returns table (starts_at timestamptz, ends_at timestamptz)
language sql stable security definer set search_path = ''
as $$
  select b.starts_at, b.ends_at
  from public.bookings b
  where b.room_id = p_room and (b.starts_at at time zone 'utc')::date = p_day and b.status <> 'cancelled'
  order by 1;
$$;

create function public.cancel_booking(booking_id bigint) returns void
language sql
begin atomic
  update public.bookings set status = 'cancelled' where id = booking_id;
end;

revoke execute on function public.cancel_booking(bigint) from public, anon;
alter publication supabase_realtime add table bookings;
