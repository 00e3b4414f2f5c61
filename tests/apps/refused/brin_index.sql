create index places_starts on places using brin (starts_at);
