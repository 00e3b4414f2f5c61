create index places_fts on places using gin (to_tsvector('english', body));
