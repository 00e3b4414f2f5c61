alter table places add constraint name_once unique (name) deferrable initially deferred;
