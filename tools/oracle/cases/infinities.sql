-- Floats have infinities, in defaults, checks, policies and rows.
--- schema
create table t1 (id int primary key, d double precision default 'Infinity' check (d > '-Infinity'::double precision), r real);
create policy below on t1 using (d < 'Infinity');
create table t2 (id int primary key);
--- as service_role
insert into t1 (id, d, r) values (1, 1e300, 'Infinity'), (2, default, 1e10);
insert into t1 (id, d) values (3, '-Infinity');
--- as service_role, ordered
select id, d, r, -d as minus, r::text as t from t1 order by d, id;
--- as anon, ordered
select id from t1 order by id;
