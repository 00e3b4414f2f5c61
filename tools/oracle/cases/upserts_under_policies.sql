-- A row that is there and may not be updated is an error, also where a condition passes it over.
--- schema
create table t1 (id int primary key, owner uuid, n int);
create policy own on t1 using (owner = auth.uid());
--- as service_role
insert into t1 (id, owner, n) values (1, '22222222-2222-4222-8222-222222222222', 1);
--- as authenticated 11111111-1111-4111-8111-111111111111
insert into t1 (id, owner, n) values (1, auth.uid(), 2) on conflict (id) do update set n = excluded.n where false;
insert into t1 (id, owner, n) values (1, auth.uid(), 2) on conflict (id) do update set n = excluded.n;
