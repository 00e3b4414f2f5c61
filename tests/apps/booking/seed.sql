insert into public.rooms (id, name, seats, hourly_rate, floor) values
  ('aaaaaaaa-0000-4000-8000-000000000001', 'Aspen', 6, 12.50, 1),
  ('aaaaaaaa-0000-4000-8000-000000000002', 'Birch', 2, 7.00, 1)
on conflict (id) do update set hourly_rate = excluded.hourly_rate;
insert into public.rooms (name, opens, closes) values ('Cellar', '00:00', '23:59');
