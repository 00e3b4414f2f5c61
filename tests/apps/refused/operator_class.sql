create index places_name_prefix on places (name text_pattern_ops);
