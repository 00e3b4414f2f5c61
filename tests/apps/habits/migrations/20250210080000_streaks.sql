-- Check-ins of a habit as runs of days one after the other.
create view "public"."runs" with (security_invoker = true) as
with numbered as (
    select habit_id, day, row_number() over (partition by habit_id order by day)::int as n
    from public.check_ins
)
select habit_id, min(day) as first_day, max(day) as last_day, count(*)::int as days
from numbered
group by habit_id, day - n;

create or replace function public.check_in(habit bigint, on_day date default current_date, how_much int default 1)
returns public.check_ins
language sql
as $$
    insert into public.check_ins as c (habit_id, day, amount)
    values (habit, on_day, how_much)
    on conflict (habit_id, day) do update set amount = c.amount + excluded.amount
    returning *;
$$;

create or replace function public.longest_run(habit bigint) returns int
language sql stable
return (select coalesce(max(days), 0) from public.runs where habit_id = habit);

alter publication supabase_realtime add table "public"."check_ins";
