create type settlement_method as enum ('cash', 'transfer');

create table settlements (
  id uuid primary key default gen_random_uuid(),
  group_id bigint not null,
  from_user uuid not null,
  to_user uuid not null,
  amount numeric(10,2) not null,
  method settlement_method not null default 'cash',
  settled_at timestamp not null default (now() at time zone 'utc'),
  constraint not_to_yourself check (from_user <> to_user),
  constraint positive check (amount > 0),
  constraint settlements_from_fkey foreign key (group_id, from_user) references group_members (group_id, user_id) on delete cascade,
  constraint settlements_to_fkey foreign key (group_id, to_user) references group_members (group_id, user_id) on delete cascade
);
alter table settlements enable row level security;
create policy "members see" on settlements for select using (is_member(group_id));
create policy "who pays records" on settlements for insert with check (from_user = auth.uid() and is_member(group_id));

drop function group_balances(bigint);
drop view balances;
create view balances with (security_invoker=true) as
with paid as (
  select group_id, paid_by as user_id, sum(amount) as amount from expenses group by group_id, paid_by
), sent as (
  select group_id, from_user as user_id, sum(amount) as amount from settlements group by 1, 2
), received as (
  select group_id, to_user as user_id, sum(amount) as amount from settlements group by 1, 2
), owed as (
  select group_id, user_id, sum(owes) as amount from share_amounts group by 1, 2
)
select m.group_id, m.nickname,
  coalesce(paid.amount, 0) + coalesce(sent.amount, 0) - coalesce(received.amount, 0) - coalesce(owed.amount, 0) as balance
from group_members m
left join paid using (group_id, user_id)
left join sent using (group_id, user_id)
left join received using (group_id, user_id)
left join owed using (group_id, user_id);

alter table expenses add column category text not null default 'other';
alter table expenses add constraint known_category check (category = any (array['food', 'travel', 'rent', 'other']));
