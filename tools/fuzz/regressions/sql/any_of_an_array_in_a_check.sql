create table g (a int, r int[], c char(1), check (a = any (r)), check (c::text = any (array['a'::char, 'b'::char]::text[])));
create unique index g_a on g (a) where a = any (r);
insert into g values (1, '{1,2}', 'a'), (null, null, 'b');
