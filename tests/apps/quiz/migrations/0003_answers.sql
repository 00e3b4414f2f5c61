create table answers (
  student_id uuid not null default auth.uid() references auth.users on delete cascade,
  question_id bigint not null references questions on delete cascade,
  choice_id bigint not null references choices on delete cascade,
  answered_at timestamptz not null default now(),
  primary key (student_id, question_id)
);
alter table answers enable row level security;
create policy "see your answers" on answers for select to authenticated using (student_id = auth.uid());
create policy "answer once" on answers for insert to authenticated with check (
  student_id = auth.uid()
  and exists (select 1 from choices c where c.id = choice_id and c.question_id = answers.question_id)
);

create or replace function course_score(for_course int, out points numeric, out possible numeric, out percent int)
language sql stable security definer set search_path = public as $$
  select
    coalesce(sum(q.points) filter (where c.is_correct), 0),
    coalesce(sum(q.points), 0),
    case when sum(q.points) > 0 then round(100 * coalesce(sum(q.points) filter (where c.is_correct), 0) / sum(q.points))::int end
  from questions q
  join lessons l on l.id = q.lesson_id
  left join answers a on a.question_id = q.id and a.student_id = auth.uid()
  left join choices c on c.id = a.choice_id
  where l.course_id = for_course
$$;

create or replace function leaderboard(for_course int, top int default 10)
returns table (place bigint, student text, points numeric)
language sql stable security definer set search_path = '' as $$
  select rank() over (order by sum(q.points) desc), u.email::text, sum(q.points)
  from public.answers a
  join public.choices c on c.id = a.choice_id and c.is_correct
  join public.questions q on q.id = a.question_id
  join public.lessons l on l.id = q.lesson_id
  join auth.users u on u.id = a.student_id
  where l.course_id = for_course
  group by u.id, u.email
  order by 3 desc, 2
  limit top;
$$;
revoke all on function leaderboard(int, int) from public, anon;
