create function call_webhook() returns trigger language plpgsql as $$
begin
  perform net.http_post(url := 'https://example.com/hook', body := to_jsonb(new));
  return new;
end;
$$;
