create type mood as enum ('sad', 'ok', 'happy');
create table t (
  i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision, n numeric, n2 numeric(10,2), b boolean,
  tx text, vc varchar(5), ch char(4), u uuid, tz timestamptz, ts timestamp, d date, tm time, iv interval,
  j json, jb jsonb, x bytea, m mood, ia integer[], ta text[], na numeric[], ba boolean[], ma mood[], nul integer, nt text
);
insert into t values (
  3, 7, 5000000000, 1.5, 2.25, 12.3450, 99.95, true,
  'Hello World', 'abc', 'xy', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-02-29 12:34:56.789+00', '2023-12-31 23:59:59.5', '2024-01-31', '13:14:15.25', '1 year 2 mons 3 days 04:05:06.7',
  '{"a": 1, "b": [1, 2, {"c": null}]}', '{"bb": 1.50, "a": [1, "x", null], "a2": {"k": true}}', '\xdeadbeef', 'ok', '{3,1,2}', '{b,NULL,"a b"}', '{1.50,2}', '{t,f}', '{happy,sad}', null, null
);
create table r (id integer, i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric, b boolean, tx text, d date, iv interval, m mood, jb jsonb, x bytea, tz timestamptz);
insert into r values
  (1, 3, 9223372036854775807, 1.5, 0.1, 1.50, true, 'b', '2024-01-02', '1 day', 'happy', '{"a": 1}', '\x01', '2024-01-02 00:00+00'),
  (2, 4, 5, 2.25, 0.2, 2, false, 'a', '2024-01-01', '24:00:00', 'sad', '2', '\x02', '2023-01-02 00:00+00'),
  (3, null, null, null, null, null, null, null, null, null, null, null, null, null),
  (4, 3, 7, 0.1, 1e20, 1.500, true, 'B', '2024-01-03', '1 mon', 'ok', '[1]', '\x00', '2025-01-02 00:00+00');
