alter table places add column search tsvector generated always as (to_tsvector('english', name)) stored;
