create view v with (security_invoker = true) as
  select id from places where (id, name) = (1, 'x');
