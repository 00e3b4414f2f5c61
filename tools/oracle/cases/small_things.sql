-- Checks of nulls in arrays, floats that are whole, claims as jsonb, texts of jsonb, signs in moments.
--- schema
create table t1 (id int primary key, j jsonb, a text[], r real, constraint fits check ((j #>> '{k}') = any (a)));
--- as service_role
insert into t1 (id, j, a) values (1, '{}', '{}');
insert into t1 (id, j, a) values (2, '{}', '{x}');
insert into t1 (id, j, a, r) values (3, '{"k": "x"}', '{x}', 16777217);
update t1 set a = a where id = 3 returning id, case when true then r else r end as r;
--- as service_role, ordered
select id, '' >= j::text as never, j::text < 'z' as t from t1 order by id;
select ('42'::text)::date as never;
select ('x_y'::text)::date as never;
select ('5'::text)::timestamptz as never;
select quote_literal('2024-01-01'::text)::timestamptz as q, '3|4|1'::text::timestamptz as d, '2024-01-01;12:30'::text::timestamp as s;
--- as authenticated 11111111-1111-4111-8111-111111111111, ordered
select auth.jwt()::text as claims, auth.jwt() = '{"role": "authenticated"}' as never;
