alter table places add column seen_at timestamp(3) not null default current_timestamp;
