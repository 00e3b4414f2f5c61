alter table places add column city text collate "de_DE";
