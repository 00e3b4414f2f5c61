alter table places add column at point;
