create function tell() returns trigger language plpgsql as $$
begin
  perform pg_notify('places', new.id::text);
  return new;
end;
$$;
create trigger tell after insert on places for each row execute function tell();
