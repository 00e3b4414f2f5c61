alter table places add column entry_fee money;
