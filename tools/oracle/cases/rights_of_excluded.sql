-- What an upsert reads of the row it proposed has to be readable.
--- schema
create table t1 (id int primary key, a int, b int);
create policy all_rows on t1 using (true);
revoke select on t1 from anon;
grant select (id, a) on t1 to anon;
--- as anon
insert into t1 (id, a, b) values (1, 1, 1) on conflict (id) do update set a = excluded.a;
insert into t1 (id, a, b) values (1, 2, 2) on conflict (id) do update set a = excluded.b;
insert into t1 (id, a, b) values (1, 2, 2) on conflict (id) do update set b = 3;
insert into t1 (id, a, b) values (1, 2, 2) on conflict (id) do update set a = 4 where excluded.b = 2;
insert into t1 (id, a, b) values (2, 2, 2) on conflict (b) do nothing;
--- as service_role
select * from t1;
