create function shout(place places) returns text language sql as 'select upper(place.name)';
