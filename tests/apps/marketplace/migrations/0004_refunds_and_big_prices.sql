-- Somebody sells boats.
alter table public.products alter column price type numeric(12, 2);
alter table public.order_items drop column line_total;
alter table public.order_items alter column unit_price type numeric(12, 2);
alter table public.order_items
  add column line_total numeric(14, 2) generated always as (quantity * unit_price) stored;

alter type public.order_state add value 'refunded';
alter type public.order_state add value if not exists 'cancelled' after 'pending';

alter table public.orders rename column note to buyer_note;
alter table public.orders alter column buyer_note type text;
alter table public.products add column description text not null default '';
alter table public.products add constraint products_sku_format check (sku ~ '^[A-Z0-9-]+$');
create unique index products_title_lower_idx on public.products (seller_id, lower(title));
