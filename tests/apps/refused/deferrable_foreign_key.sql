alter table places add column parent bigint references places (id) deferrable initially immediate;
