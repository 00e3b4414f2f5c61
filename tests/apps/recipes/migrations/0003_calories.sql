alter table ingredients add column kcal double precision;
alter table recipes
  add column total_time interval generated always as (prep + cook) stored,
  add column title_lower text generated always as (lower(title)) stored,
  alter column intro set default '',
  drop constraint recipes_servings_check;
alter table recipes add constraint servings_in_reason check (servings between 1 and 100);
update recipes set intro = '' where intro is null;
alter table recipes alter column intro set not null;
create index on recipes (title_lower);
