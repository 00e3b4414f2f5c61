-- A real has about seven digits, and changes to an exponent from 1e6 on.
--- schema
create table t1 (id int primary key, r real);
--- as service_role
insert into t1 (id, r) values (1, 16777217), (2, 123456), (3, 1e10), (4, 0.1), (5, -3.4e38), (6, 0.00001);
--- as service_role, ordered
select id, r, r::text as t, r::double precision as d, to_jsonb(r) as j from t1 order by r;
select array_agg(r order by id) as a, jsonb_agg(r order by id) as j from t1;
