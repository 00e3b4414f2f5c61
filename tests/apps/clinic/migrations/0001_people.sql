create schema if not exists private;
revoke all on schema private from public;

create table public.staff (
  id uuid primary key references auth.users (id) on delete restrict,
  full_name text not null,
  job text not null,
  constraint staff_job_known check (job in ('doctor', 'nurse', 'desk'))
);

create table public.patients (
  id uuid primary key default gen_random_uuid(),
  user_id uuid unique references auth.users (id) on delete set null,
  number integer generated always as identity (start with 1000 increment by 10),
  first_name varchar(50) not null,
  last_name varchar(50) not null,
  full_name text generated always as (first_name || ' ' || last_name) stored,
  born text not null,
  insurance char(10),
  allergies text[],
  deceased boolean default false not null
);
create unique index patients_number_idx on public.patients (number);
create index patients_name_idx on public.patients (lower(last_name), lower(first_name));

create or replace function private.job() returns text
language sql stable security definer set search_path = ''
as $$ select s.job from public.staff s where s.id = auth.uid() $$;
grant usage on schema private to authenticated;
grant execute on function private.job() to authenticated;

alter table public.staff enable row level security;
alter table public.patients enable row level security;

create policy staff_see_staff on public.staff for select to authenticated using (private.job() is not null);
create policy patients_see_doctors on public.staff for select to authenticated using (job = 'doctor');
create policy own_record on public.patients for select to authenticated using (user_id = auth.uid());
create policy staff_records on public.patients for select to authenticated using ((select private.job()) is not null);
create policy desk_registers on public.patients for insert to authenticated with check ((select private.job()) = 'desk');
create policy desk_and_doctors_change on public.patients for update to authenticated
  using ((select private.job()) in ('desk', 'doctor'));
create policy no_record_of_the_dead_changes on public.patients as restrictive for update to authenticated
  using (not deceased) with check (true);
