-- An upsert may not change a row twice; a row that its condition passes over is not changed.
--- schema
create table t1 (id int primary key, n int, d date);
create table t2 (id int primary key, a int, b int, n int, unique nulls not distinct (a, b));
create unique index t2_lone on t2 (n) nulls not distinct where id > 0;
--- as service_role
insert into t1 (id, n) values (1, 1);
insert into t1 (id, n) values (1, 2), (1, 3) on conflict (id) do update set n = excluded.n where false;
insert into t1 (id, n) values (1, 2), (1, 3) on conflict (id) do update set n = excluded.n where excluded.n > 2;
insert into t1 (id, n) values (1, 5), (1, 6) on conflict (id) do update set n = excluded.n where excluded.n > 4;
insert into t1 (id, n) values (2, 5), (2, 6) on conflict (id) do update set n = excluded.n where false;
insert into t2 (id, a, b, n) values (1, 1, null, 1);
insert into t2 (id, a, b, n) values (2, 1, null, 2) on conflict (a, b) do update set n = excluded.n returning id, n;
insert into t2 (id, a, b, n) values (3, 1, null, 3) on conflict (a, b) do nothing returning id;
insert into t2 (id, a, b, n) values (4, null, null, 4), (5, null, null, 5) on conflict (a, b) do update set n = excluded.n;
insert into t2 (id, a, b, n) values (6, 7, 7, null);
insert into t2 (id, a, b, n) values (8, 8, 8, null) on conflict (n) where id > 0 do update set b = 9 returning *;
--- as service_role, ordered
select * from t1 order by id;
select * from t2 order by id;
