create trigger stamp after insert on places for each statement execute function stamp();
