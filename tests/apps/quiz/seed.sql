insert into auth.users (id, email) values ('33333333-3333-4333-8333-333333333333', 'teacher@example.com');
insert into courses (title, level, published, teacher_id) values
  ('Trees', 'beginner', true, '33333333-3333-4333-8333-333333333333'),
  ('Fungi', 'advanced', true, '33333333-3333-4333-8333-333333333333'),
  ('Ferns', default, false, '33333333-3333-4333-8333-333333333333');
insert into lessons (course_id, position, title, minutes)
  select 1, n, 'Tree lesson ' || n, n * 5 from generate_series(1, 3) as n;
insert into questions (lesson_id, prompt, points) values (1, 'What is a grove of aspens?', 1.5), (2, 'Where do roots go?', default);
insert into choices (question_id, label, body, is_correct)
select q.id, v.label, v.body, v.is_correct
from questions q, (values ('a', 'One tree', true), ('b', 'Many trees', false), ('c', 'No tree', false)) as v (label, body, is_correct)
order by q.id, v.label;
