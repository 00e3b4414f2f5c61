begin;

create table if not exists courses (
  id serial primary key,
  title text not null,
  level int not null default 1,
  published boolean not null default false,
  teacher_id uuid not null default auth.uid() references auth.users(id)
);

create table if not exists lessons (
  id serial primary key,
  course_id int not null references courses(id) on delete cascade,
  position smallint not null,
  title text not null,
  content text,
  unique (course_id, position)
);

create table if not exists enrolments (
  course_id int references courses(id) on delete cascade,
  student_id uuid default auth.uid() references auth.users(id) on delete cascade,
  enrolled_at timestamptz not null default now(),
  primary key (course_id, student_id)
);

alter table courses enable row level security;
alter table lessons enable row level security;
alter table enrolments enable row level security;

create policy "published or mine" on courses for select to anon, authenticated using (published or teacher_id = auth.uid());
create policy "teachers" on courses for all to authenticated
  using (teacher_id = auth.uid() and auth.jwt() -> 'user_metadata' ->> 'teacher' = 'true');
create policy "enrolled students and the teacher" on lessons for select to authenticated using (
  exists (select 1 from enrolments e where e.course_id = lessons.course_id and e.student_id = auth.uid())
  or exists (select 1 from courses c where c.id = lessons.course_id and c.teacher_id = auth.uid())
);
create policy "teacher writes" on lessons for all to authenticated
  using (course_id in (select id from courses where teacher_id = auth.uid()));
create policy "mine" on enrolments for select to authenticated using (student_id = auth.uid());
create policy "enrol yourself" on enrolments for insert to authenticated
  with check (student_id = auth.uid() and exists (select 1 from courses c where c.id = course_id and c.published));
create policy "drop out" on enrolments for delete to authenticated using (student_id = auth.uid());

commit;
