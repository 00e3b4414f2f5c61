create aggregate product (int) (sfunc = int4mul, stype = int, initcond = '1');
