create function close_all() returns void language plpgsql as $$
declare
  place record;
begin
  for place in select id from places loop
    update places set body = 'closed' where id = place.id;
  end loop;
end;
$$;
