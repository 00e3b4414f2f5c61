-- A numeric keeps every digit and its scale, and compares by its value.
--- schema
create table t1 (id int primary key, n numeric unique, m numeric(12, 2));
--- as service_role
insert into t1 (id, n, m) values (1, 12345678901234567890.123456789, 0.005), (2, 1.10, 99.994), (3, 9007199254740993, -0.005);
insert into t1 (id, n) values (4, 1.1);
--- as service_role, ordered
select id, n, m, n + 1 as more, n * 3 as thrice, n::text as t from t1 order by n;
select sum(n) as s, max(m) as m, count(distinct n) as c from t1;
select id from t1 where n = 9007199254740993 or n in (1.100, 7) order by id;
