create view v with (security_invoker = true) as
  select to_char(1234.5, 'FM9,999.00') as price;
