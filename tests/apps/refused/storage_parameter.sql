alter table places set (fillfactor = 70);
