-- Permissive policies are alternatives, restrictive ones conditions upon all of them.
--- schema
create table t1 (id int primary key, owner uuid, open boolean);
create policy own on t1 using (owner = auth.uid());
create policy open on t1 for select using (open or id = 4 and open is not null);
create policy not_three on t1 as restrictive using (id <> 3);
create policy small on t1 as restrictive for select to authenticated using (id < 5);
--- as service_role
insert into t1 (id, owner, open) values (1, '11111111-1111-4111-8111-111111111111', false), (2, null, true), (3, '11111111-1111-4111-8111-111111111111', true), (4, null, false), (5, '11111111-1111-4111-8111-111111111111', true), (6, null, null);
--- as anon, ordered
select id from t1 order by id;
--- as authenticated 11111111-1111-4111-8111-111111111111, ordered
select id from t1 order by id;
update t1 set open = not open where id in (1, 2, 3) returning id, open;
update t1 set owner = null where id = 1;
--- as authenticated 11111111-1111-4111-8111-111111111111
delete from t1 where id > 0;
--- as service_role, ordered
select id, owner, open from t1 order by id;
