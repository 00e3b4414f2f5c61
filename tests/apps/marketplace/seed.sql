insert into public.categories (id, slug, name, parent_id) values
  (1, 'home', 'Home', null),
  (2, 'lamps', 'Lamps', 1),
  (3, 'boats', 'Boats', null)
on conflict (id) do nothing;

insert into auth.users (id, email, raw_user_meta_data) values
  ('11111111-1111-4111-8111-111111111111', 'house@example.com', '{"name": "The House"}');

update public.profiles set is_seller = true where id = '11111111-1111-4111-8111-111111111111';

insert into public.products (seller_id, category_id, sku, title, price, status, tags)
select '11111111-1111-4111-8111-111111111111', c.id, upper(c.slug) || '-1', c.name || ', the standard one', 9.90, 'active', array['standard', c.slug]
from public.categories c
order by c.id;
