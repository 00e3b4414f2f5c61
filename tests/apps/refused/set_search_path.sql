set search_path = private, public;
