-- A policy sees what is generated from the row that is written.
--- schema
create table t1 (id int primary key, name text, g text generated always as (upper(name)) stored);
create policy written on t1 for insert with check (g like 'A%');
create policy seen on t1 for select using (g is not null);
create policy changed on t1 for update using (true) with check (g <> 'AZ');
--- as anon
insert into t1 (id, name) values (1, 'ab') returning id, g;
insert into t1 (id, name) values (2, 'b');
insert into t1 (id, name) values (1, 'az') on conflict (id) do update set name = excluded.name;
update t1 set name = 'az';
update t1 set name = 'ac' returning g;
