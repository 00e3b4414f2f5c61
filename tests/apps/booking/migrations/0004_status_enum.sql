create type public.booking_status as enum ('held', 'confirmed', 'cancelled');
drop index public.bookings_one_per_slot;
alter table public.bookings drop constraint bookings_status_check;
alter table public.bookings alter column status drop default;
alter table public.bookings alter column status type public.booking_status using status::public.booking_status;
alter table public.bookings alter column status set default 'held';
create unique index bookings_one_per_slot on public.bookings (room_id, starts_at) where status <> 'cancelled';

create policy "Confirming is for staff" on public.bookings as restrictive for update to authenticated
  using (true)
  with check (status <> 'confirmed' or (select private.is_staff()));
