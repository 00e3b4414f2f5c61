alter table places add constraint no_overlap exclude using gist (tstzrange(starts_at, ends_at) with &&);
