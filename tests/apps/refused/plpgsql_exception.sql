create function try_insert(new_name text) returns boolean language plpgsql as $$
begin
  insert into places (id, name) values (1, new_name);
  return true;
exception when unique_violation then
  return false;
end;
$$;
