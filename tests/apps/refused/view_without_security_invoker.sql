create view all_places as select id, name from places;
