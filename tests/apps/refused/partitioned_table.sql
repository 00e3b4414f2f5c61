create table events (id bigint, at timestamptz not null) partition by range (at);
