create table names as select name from places;
