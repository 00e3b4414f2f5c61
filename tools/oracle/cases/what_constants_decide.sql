-- What stands beside a constant that decides is not asked, and needs no right; policies that ask each other without end are found all the same.
--- schema
create table t1 (id int primary key, owner uuid);
create table t2 (id int primary key);
create table t3 (id int primary key);
create table t4 (id int primary key, owner uuid);
revoke all on t2 from anon, authenticated;
create policy open on t1 for select using (true);
create policy listed on t1 for select using (id in (select id from t2));
create policy shut on t3 for select using (null and exists (select 1 from t2));
create policy unlisted on t4 for delete using (null::int in (select id from t4));
create policy own on t4 using ((select auth.uid()) = owner);
create table t5 (id int primary key);
create policy itself on t5 using (id not in (select id from t5));
create policy whatever on t5 using (true);
--- as service_role
insert into t1 (id) values (1), (2);
insert into t3 (id) values (1);
--- as anon, ordered
select id from t1 order by id;
select id from t3;
select id from t1 where false and id in (select id from t2);
select id from t1 where id > 1 or true or exists (select 1 from t2) order by id;
select id from t1 where id in (select id from t2);
select id from t5;
--- as anon
delete from t4;
insert into t4 (id) values (1);
--- as service_role, ordered
select id from t1 order by (false and id > 1), id desc;
select count(*) as n from t1 group by (id > 0 and false);
