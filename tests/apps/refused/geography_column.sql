alter table places add column spot geography(point);
