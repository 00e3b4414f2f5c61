create or replace function search_recipes(term text default '', with_label text default null, at_most interval default null)
returns table (slug text, title text, minutes int, ingredient_count int)
language sql stable
as $$
  select r.slug, r.title, (extract(epoch from r.total_time) / 60)::int, (select count(*)::int from ingredients i where i.recipe_id = r.id)
  from recipes r
  where (r.title_lower like '%' || lower(term) || '%'
      or exists (select 1 from ingredients i where i.recipe_id = r.id and lower(i.name) = lower(term)))
    and (with_label is null or r.labels @> array[with_label])
    and (at_most is null or r.total_time <= at_most)
  order by r.title collate "C", r.slug
  limit 20
$$;

create or replace function scaled_ingredients(recipe uuid, people int)
returns setof ingredients
language sql stable
as $$
  select i.recipe_id, i.position, round(i.quantity * people / r.servings, 2), i.unit, i.name, i.kcal * people / r.servings
  from ingredients i join recipes r on r.id = i.recipe_id
  where r.id = recipe
  order by i.position
$$;

create view shopping with (security_invoker = true) as
  select lower(i.name) as item, coalesce(i.unit, '') as unit, sum(i.quantity) as quantity, string_agg(r.slug, ', ' order by r.slug) as for_recipes
  from favourites f
  join recipes r on r.id = f.recipe_id
  join ingredients i on i.recipe_id = r.id
  group by lower(i.name), coalesce(i.unit, '');

create function copy_recipe(from_recipe uuid, new_slug text) returns text
language sql as $$
  insert into recipes (slug, title, intro, servings, prep, cook, difficulty, steps, labels)
    select new_slug, title || ' (copy)', intro, servings, prep, cook, difficulty, steps, labels from recipes where id = from_recipe;
  insert into ingredients (recipe_id, position, quantity, unit, name, kcal)
    select c.id, i.position, i.quantity, i.unit, i.name, i.kcal
    from ingredients i, recipes c
    where i.recipe_id = from_recipe and c.slug = new_slug and c.owner = auth.uid();
  select title from recipes where slug = new_slug and owner = auth.uid();
$$;
