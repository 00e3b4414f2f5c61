create schema if not exists private;

create table public."rooms" (
  "id" uuid not null default gen_random_uuid(),
  "name" text not null,
  "seats" int2 not null default 4,
  "hourly_rate" numeric(6,2) not null default 0,
  "opens" time not null default '08:00',
  "closes" time not null default '18:00',
  "created_at" timestamptz not null default now(),
  primary key ("id"),
  constraint "rooms_seats_check" check ("seats" > 0 and "seats" <= 200)
);

create table public."bookings" (
  "id" bigint generated always as identity,
  "room_id" uuid not null,
  "user_id" uuid not null default auth.uid(),
  "starts_at" timestamptz not null,
  "ends_at" timestamptz not null,
  "status" varchar(20) not null default 'held',
  "purpose" text,
  constraint "bookings_pkey" primary key ("id"),
  constraint "bookings_room_id_fkey" foreign key ("room_id") references public."rooms" ("id") on delete cascade,
  constraint "bookings_user_id_fkey" foreign key ("user_id") references auth.users ("id") on delete cascade,
  constraint "bookings_order_check" check ("ends_at" > "starts_at"),
  constraint "bookings_status_check" check ("status" in ('held', 'confirmed', 'cancelled'))
);

-- A slot is taken once, unless it was given back.
create unique index "bookings_one_per_slot" on public."bookings" ("room_id", "starts_at") where ("status" <> 'cancelled');
create index "bookings_by_day" on public."bookings" (((starts_at at time zone 'utc')::date));

alter table public."rooms" enable row level security;
alter table public."bookings" enable row level security;
