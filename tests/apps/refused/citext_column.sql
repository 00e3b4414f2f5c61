alter table places add column slug citext;
