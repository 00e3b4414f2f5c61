-- A column that may not be read is not sorted by either.
--- schema
create table t1 (id int primary key, a int, b int);
create policy all_rows on t1 using (true);
revoke select on t1 from anon;
grant select (id, a) on t1 to anon;
--- as service_role
insert into t1 (id, a, b) values (1, 1, 2), (2, 2, 1);
--- as anon, ordered
select id from t1 order by a;
select id from t1 order by b;
select id from t1 order by id, array[b];
select distinct on (a) id from t1 order by a, b;
select count(*) as n from t1 group by b;
select row_number() over (order by b) as n from t1;
select array_agg(id order by b) as ids from t1;
