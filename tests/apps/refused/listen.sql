listen places;
