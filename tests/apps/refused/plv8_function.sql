create function twice(n int) returns int language plv8 as 'return n * 2';
