create domain email as text check (value ~ '@');
