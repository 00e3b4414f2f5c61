create function call_webhook() returns trigger language plpgsql as $$
begin
  perform net.http_post(url := 'https://example.com/hook', body := to_jsonb(new));
  return new;
end;
$$;
create trigger call_webhook after insert on places for each row execute function call_webhook();
