-- Read once, when the data directory is new.
insert into public.rooms (name, topics, created_by) values
  ('Lobby', '{hello,help}', null),
  ('Announcements', '{news}', null);
