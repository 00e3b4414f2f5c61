create table places_archive (like places including all);
