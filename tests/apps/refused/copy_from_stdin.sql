copy places (id, name) from stdin;
