-- What a booking costs is fixed when it is made.
alter table public.bookings add column price numeric(8,2);
update public.bookings b set price = 0 where price is null;
alter table public.bookings alter column price set not null, alter column price set default 0;

create or replace function private.set_price() returns trigger as $$
begin
  new.price := (
    select r.hourly_rate * extract(epoch from new.ends_at - new.starts_at) / 3600
    from public.rooms r where r.id = new.room_id
  );
  return new;
end;
$$ language plpgsql security definer set search_path = '';

create trigger set_price before insert on public.bookings for each row execute procedure private.set_price();

alter table public.rooms add column if not exists floor int, add column if not exists wing text;
alter table public.rooms add constraint rooms_place_key unique nulls not distinct (floor, wing, name);
