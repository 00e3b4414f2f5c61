alter table places attach partition old_places default;
