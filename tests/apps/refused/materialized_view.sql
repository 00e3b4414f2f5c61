create materialized view place_names as select name from places;
