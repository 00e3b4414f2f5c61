-- Of several kinds of text the first one gives the type, in arrays too; arrays of different kinds are not compared.
--- schema
create table t1 (id int primary key, v varchar(3), c char(4), x text, a text[], d date, s smallint, r real);
--- as service_role
insert into t1 (id, v, c, x, a, d, s, r) values (1, 'a', 'b', 'c', '{x}', '2024-01-01', 1, 2);
--- as service_role, ordered
select greatest(v, x) as g, greatest(x, v) as h, array_prepend(v, null::text[]) as p, array_append(a, v) as q, array[v, x] as w, array[x, v] as z, array_cat(array[v], a) as y from t1;
select coalesce(v, x) as a, coalesce(c, x) as b from t1;
select array_prepend(v, a) = a as never from t1;
select a @> array[v, x] as never from t1;
select nullif(array[v], a) as never from t1;
select nullif(v, v) as a, nullif(v, x) as b, nullif(c, 'b'::char(2)) as c, nullif(d, '2024-01-01'::timestamptz) as d, nullif(s, 1) as s, nullif(id, 1.5) as n, nullif(r, 2) as r, nullif(id, r) as f from t1;
