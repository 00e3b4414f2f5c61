create table cafes (coffee boolean) inherits (places);
