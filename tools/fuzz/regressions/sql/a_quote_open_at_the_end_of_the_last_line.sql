select 1;
$$
