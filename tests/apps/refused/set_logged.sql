alter table places set unlogged;
