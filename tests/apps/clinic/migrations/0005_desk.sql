create view public.day_sheet with (security_invoker = true, security_barrier = true) as
  select a.day, a.at, (a.at + a.minutes * interval '1 minute')::time as until, p.number, p.full_name as patient,
    s.full_name as doctor, a.status, a.reason
  from public.appointments a
  join public.patients p on p.id = a.patient_id
  join public.staff s on s.id = a.doctor_id;

create function public.age_on(born date, on_day date default current_date) returns int
language sql stable as $$ select extract(year from age(on_day, born))::int $$;

create function public.find_patients(term text) returns setof public.patients
language sql stable rows 20 as $$
  select * from public.patients
  where full_name ilike '%' || term || '%' or number::text = term or insurance = upper(term)::char(10)
  order by last_name, first_name;
$$;

create function public.next_free(doctor uuid, from_day date, slot_minutes int default 15)
returns table (day date, at time)
language sql stable security definer set search_path = '' as $$
  select (from_day + d)::date, h.opens + make_interval(mins => n * slot_minutes)
  from generate_series(0, 6) d
  join public.opening_hours h on h.weekday = extract(isodow from from_day + d)
  cross join generate_series(0, 95) n
  where n * slot_minutes < extract(epoch from h.closes - h.opens) / 60
    and not exists (
      select 1 from public.appointments a
      where a.doctor_id = doctor and a.day = from_day + d and a.at = h.opens + make_interval(mins => n * slot_minutes)
    )
  order by 1, 2
  limit 3;
$$;

create function private.keep_identity() returns trigger language plpgsql as $$
begin
  if new.user_id is distinct from old.user_id and old.user_id is not null then
    raise exception 'a record stays with its person' using errcode = 'P0001';
  end if;
  return new;
end $$;
create trigger keep_identity before update on public.patients for each row execute function private.keep_identity();
