create type public.order_state as enum ('pending', 'paid', 'shipped');

create table public.orders (
  id uuid primary key default gen_random_uuid(),
  buyer_id uuid not null default auth.uid() references public.profiles (id),
  state public.order_state not null default 'pending',
  note varchar(200),
  placed_at timestamptz not null default now()
);

create table public.order_items (
  order_id uuid not null references public.orders (id) on delete cascade,
  product_id bigint not null references public.products (id) on delete restrict,
  quantity integer not null default 1,
  unit_price numeric(8, 2) not null,
  line_total numeric(12, 2) generated always as (quantity * unit_price) stored,
  primary key (order_id, product_id),
  constraint order_items_quantity_positive check (quantity > 0)
);

alter table public.orders enable row level security;
alter table public.order_items enable row level security;

create policy "buyers see their orders" on public.orders
  for select to authenticated using (buyer_id = (select auth.uid()));
create policy "buyers order" on public.orders
  for insert to authenticated with check (buyer_id = (select auth.uid()) and state = 'pending');
create policy "buyers see their items" on public.order_items
  for select to authenticated
  using (exists (
    select 1 from public.orders o
    where o.id = order_items.order_id and o.buyer_id = (select auth.uid())
  ));
create policy "buyers add items while pending" on public.order_items
  for insert to authenticated
  with check (order_id in (
    select o.id from public.orders o
    where o.buyer_id = (select auth.uid()) and o.state = 'pending'
  ));

-- What somebody spent, in one number.
create function public.order_total(p_order uuid)
returns numeric
language sql
stable
set search_path = ''
as $$
  select coalesce(sum(line_total), 0) from public.order_items where order_id = p_order;
$$;
