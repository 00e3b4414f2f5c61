create table public.reviews (
  id bigint generated always as identity primary key,
  product_id bigint not null references public.products (id) on delete cascade,
  author_id uuid not null default auth.uid() references public.profiles (id) on delete cascade,
  stars smallint not null check (stars between 1 and 5),
  body text,
  created_at timestamptz not null default now(),
  constraint one_review_each unique (product_id, author_id)
);
alter table public.products
  add column review_count integer not null default 0,
  add column stars_total integer not null default 0;

alter table public.reviews enable row level security;
create policy "reviews are public" on public.reviews for select using (true);
create policy "buyers review what they bought" on public.reviews
  for insert to authenticated
  with check (
    author_id = (select auth.uid())
    and exists (
      select 1
      from public.order_items i
      join public.orders o on o.id = i.order_id
      where i.product_id = reviews.product_id and o.buyer_id = (select auth.uid())
    )
  );
create policy "authors delete" on public.reviews
  for delete to authenticated using (author_id = (select auth.uid()));

create or replace function public.count_review() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.products
  set review_count = review_count + 1, stars_total = stars_total + new.stars
  where id = new.product_id;
  return new;
end;
$$;
create or replace function public.uncount_review() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.products
  set review_count = review_count - 1, stars_total = stars_total - old.stars
  where id = old.product_id;
  return old;
end;
$$;

create trigger review_added after insert on public.reviews
  for each row execute function public.count_review();
create trigger review_removed after delete on public.reviews
  for each row execute function public.uncount_review();
