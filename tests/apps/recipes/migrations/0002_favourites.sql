create table favourites (
  user_id uuid not null default auth.uid() references auth.users on delete cascade,
  recipe_id uuid not null references recipes on delete cascade,
  rating smallint check (rating between 1 and 5),
  saved_at timestamptz not null default current_timestamp,
  primary key (user_id, recipe_id)
);
alter table favourites enable row level security;
create policy "own favourites" on favourites for all to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()) and exists (select 1 from recipes where id = recipe_id));

create function recipe_rating(recipe uuid) returns numeric
language sql stable security definer set search_path = public
as $$ select round(avg(rating), 2) from favourites where recipe_id = recipe $$;

comment on function recipe_rating(uuid) is 'Everybody''s ratings, though nobody sees whose.';
