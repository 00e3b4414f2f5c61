-- Policies that ask for each other without end are refused before a constant decides, and before rights are asked for.
--- schema
create table t1 (id int primary key, a int);
create table t2 (id int primary key, b int);
revoke all on t2 from anon;
create policy all_rows on t1 for select to anon using (true or id = 1);
create policy asks on t1 for select using (auth.role() = 'authenticated' and (exists (select 1 from t2)) is not unknown);
create policy asks_back on t2 using (not exists (select 1 from t1));
--- as service_role
insert into t1 (id, a) values (1, 1);
--- as anon
select id from t1;
select id from t1 where a = 1 order by id;
