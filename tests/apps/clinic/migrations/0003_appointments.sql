create type public.appointment_status as enum ('requested', 'confirmed', 'done', 'missed');

create table public.opening_hours (
  weekday smallint primary key check (weekday between 1 and 7),
  opens time not null,
  closes time not null,
  check (opens < closes)
);
insert into public.opening_hours (weekday, opens, closes)
  select d, '08:00', case when d = 5 then time '13:00' else time '17:30' end from generate_series(1, 5) d;

create table public.appointments (
  id bigint generated always as identity primary key,
  patient_id uuid not null references public.patients (id) on delete cascade,
  doctor_id uuid not null references public.staff (id),
  day date not null,
  at time not null,
  minutes smallint not null default 15 check (minutes in (15, 30, 45)),
  status public.appointment_status not null default 'requested',
  reason text,
  constraint one_patient_at_a_time unique (doctor_id, day, at)
);
create index appointments_patient on public.appointments (patient_id) include (day, status);

alter table public.opening_hours enable row level security;
alter table public.appointments enable row level security;

create policy hours_public on public.opening_hours for select using (true);
create policy patient_sees on public.appointments for select to authenticated
  using (exists (select 1 from public.patients p where p.id = appointments.patient_id and p.user_id = auth.uid()));
create policy staff_sees on public.appointments for select to authenticated using ((select private.job()) in ('desk', 'nurse') or doctor_id = auth.uid());
create policy patient_requests on public.appointments for insert to authenticated
  with check (
    status = 'requested'
    and patient_id = (select p.id from public.patients p where p.user_id = auth.uid())
  );
create policy desk_books on public.appointments for insert to authenticated with check ((select private.job()) = 'desk');
create policy when_open on public.appointments as restrictive for insert to authenticated
  with check (
    exists (
      select 1 from public.opening_hours h
      where h.weekday = extract(isodow from day) and at >= h.opens and at < h.closes
    )
  );
create policy staff_changes on public.appointments for update to authenticated
  using (doctor_id = auth.uid() or (select private.job()) = 'desk')
  with check (doctor_id = auth.uid() or (select private.job()) = 'desk');
