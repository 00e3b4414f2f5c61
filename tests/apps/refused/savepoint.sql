savepoint before_seed;
