truncate places;
