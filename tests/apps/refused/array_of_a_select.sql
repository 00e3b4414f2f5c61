create view v with (security_invoker = true) as
  select array(select id from places) as ids;
