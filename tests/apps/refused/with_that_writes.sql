create function add_place(name text) returns setof places language sql as $$
  with made as (insert into places (id, name) values (1, add_place.name) returning *)
  select * from made;
$$;
