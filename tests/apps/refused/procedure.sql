create procedure tidy_up() language sql as 'delete from places where name is null';
