create index places_name_trgm on places using gin (name gin_trgm_ops);
