create extension if not exists "uuid-ossp" with schema extensions;
create extension if not exists pgcrypto with schema extensions;

create type difficulty as enum ('easy', 'medium', 'hard');

create table recipes (
  id uuid primary key default extensions.uuid_generate_v4(),
  owner uuid not null default auth.uid() references auth.users on delete cascade,
  slug text not null,
  title text not null,
  intro text,
  servings int2 not null default 4 check (servings >= 1),
  prep interval not null default interval '15 minutes',
  cook interval not null default '0',
  difficulty difficulty not null default 'easy',
  steps jsonb not null default '[]'::jsonb,
  labels text[] not null default array[]::text[],
  is_public bool not null default false,
  source_url text check (source_url is null or source_url ~* '^https?://'),
  created_at timestamptz not null default timezone('utc'::text, now()),
  constraint slug_is_plain check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  constraint steps_are_a_list check (jsonb_typeof(steps) = 'array'),
  unique (owner, slug)
);

create table ingredients (
  recipe_id uuid not null references recipes on delete cascade,
  position smallint not null,
  quantity numeric,
  unit text,
  name text not null,
  primary key (recipe_id, position)
);

create index ingredients_name_idx on ingredients (lower(name));
create index recipes_public on recipes (title) where is_public;

alter table recipes enable row level security;
alter table ingredients enable row level security;

create policy "public or own" on recipes for select using (is_public or owner = auth.uid());
create policy "own" on recipes for all to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
create policy "as the recipe" on ingredients for select
  using (exists (select from recipes r where r.id = recipe_id));
create policy "own recipe" on ingredients for all to authenticated
  using (recipe_id in (select id from recipes where owner = auth.uid()));
