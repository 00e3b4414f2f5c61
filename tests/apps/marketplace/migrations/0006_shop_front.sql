create view public.product_cards with (security_invoker = true) as
select
  p.id,
  p.title,
  p.price,
  c.name as category,
  s.display_name as seller,
  p.review_count,
  case when p.review_count > 0 then round(p.stars_total::numeric / p.review_count, 1) end as stars
from public.products p
join public.profiles s on s.id = p.seller_id
left join public.categories c on c.id = p.category_id
where p.status = 'active';

create or replace function public.search_products(q text, max_price numeric default null, min_stars int default 0)
returns setof public.products
language sql
stable
as $$
  select *
  from public.products
  where status = 'active'
    and (title ilike '%' || q || '%' or q = any (tags))
    and (max_price is null or price <= max_price)
    and stars_total >= min_stars * review_count
  order by price, id;
$$;

create or replace function public.category_counts()
returns table (category text, products bigint, cheapest numeric)
language sql
stable
as $$
  select c.name, count(p.id), min(p.price)
  from public.categories c
  left join public.products p on p.category_id = c.id and p.status = 'active'
  group by c.id, c.name
  order by c.name;
$$;

alter publication supabase_realtime add table public.orders, public.reviews;
comment on view public.product_cards is 'What the shop front lists.';
grant select on public.product_cards to anon, authenticated;
