create function count_rows(table_name text) returns bigint language plpgsql as $$
declare
  n bigint;
begin
  execute format('select count(*) from %I', table_name) into n;
  return n;
end;
$$;
