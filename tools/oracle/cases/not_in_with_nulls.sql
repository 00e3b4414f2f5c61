-- `not in` is unknown as soon as a null is among what is looked at, and true for an empty list of rows.
--- schema
create table t1 (id int primary key, a int, b text);
create table t2 (id int primary key, a int);
create policy unlisted on t1 using (id not in (select a from t2));
create policy all_rows on t2 using (true);
--- as service_role
insert into t1 (id, a, b) values (1, 1, 'a'), (2, null, null), (3, 5, 'b');
insert into t2 (id, a) values (1, 3);
--- as anon, ordered
select id from t1 order by id;
--- as service_role, ordered
select id from t1 where a not in (1, null) order by id;
select id from t1 where a not in (select a from t2) order by id;
select id from t1 where a not in (select a from t2 where false) order by id;
select id, a in (5, null) as i, not (a in (1, 2)) as n from t1 order by id;
insert into t2 (id, a) values (2, null);
--- as anon, ordered
select id from t1 order by id;
