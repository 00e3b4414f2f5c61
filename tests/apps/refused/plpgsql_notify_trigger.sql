create function tell() returns trigger language plpgsql as $$
begin
  perform pg_notify('places', new.id::text);
  return new;
end;
$$;
