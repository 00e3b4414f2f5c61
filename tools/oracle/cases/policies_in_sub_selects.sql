-- A sub-select in a policy sees its tables through their own policies.
--- schema
create table rooms (id int primary key, owner uuid);
create table messages (id int primary key, room int references rooms (id), body text);
create policy own on rooms using (owner = auth.uid());
create policy in_room on messages using (exists (select 1 from rooms where rooms.id = room));
create policy none_hidden on messages as restrictive for delete using (room in (select id from rooms));
--- as service_role
insert into rooms (id, owner) values (1, '11111111-1111-4111-8111-111111111111'), (2, '22222222-2222-4222-8222-222222222222');
insert into messages (id, room, body) values (1, 1, 'a'), (2, 2, 'b'), (3, null, 'c');
--- as authenticated 11111111-1111-4111-8111-111111111111, ordered
select id, body from messages order by id;
select m.id, r.id as room from messages m left join rooms r on r.id = m.room order by m.id;
insert into messages (id, room, body) values (4, 2, 'd');
insert into messages (id, room, body) values (5, 1, 'e') returning id;
delete from messages returning id;
--- as anon, ordered
select id from messages order by id;
