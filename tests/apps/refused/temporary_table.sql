create temporary table scratch (id int);
