-- Levels had been numbers: give them names.
create type course_level as enum ('beginner', 'intermediate', 'advanced');
alter table courses alter column level drop default;
alter table courses alter column level type course_level
  using (case level when 1 then 'beginner' when 2 then 'intermediate' else 'advanced' end)::course_level;
alter table courses alter column level set default 'beginner';

alter table lessons add column minutes int, add column kind text not null default 'reading';
alter table lessons add constraint lesson_kind check (kind in ('reading', 'video', 'quiz'));
alter table lessons add constraint videos_have_minutes check (kind <> 'video' or minutes is not null);
update lessons set minutes = 5 where minutes is null and kind = 'reading';
comment on column lessons.minutes is 'What it takes, about.';
comment on constraint lesson_kind on lessons is 'The app knows these three.';

create view course_outline with (security_invoker = true) as
  select c.id as course_id, c.title as course, c.level, count(l.id) as lessons, coalesce(sum(l.minutes), 0) as minutes,
    array_agg(l.title order by l.position) filter (where l.id is not null) as titles
  from courses c left join lessons l on l.course_id = c.id
  group by c.id, c.title, c.level;
