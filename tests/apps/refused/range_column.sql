create table stays (id bigint primary key, during tstzrange not null);
