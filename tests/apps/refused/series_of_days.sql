create function days(from_day date) returns setof date language sql as $$
  select d::date from generate_series(from_day::timestamp, from_day + interval '6 days', interval '1 day') d;
$$;
