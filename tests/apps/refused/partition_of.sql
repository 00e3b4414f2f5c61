create table events_2031 partition of places for values from ('2031-01-01') to ('2032-01-01');
