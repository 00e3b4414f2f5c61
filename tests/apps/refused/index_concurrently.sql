create index concurrently places_name_idx on places (name);
