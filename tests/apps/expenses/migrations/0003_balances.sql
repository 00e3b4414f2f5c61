create view share_amounts with (security_invoker=true) as
select
  s.group_id,
  s.expense_id,
  s.user_id,
  round(e.amount * s.weight / t.weights, 2) as owes
from expense_shares s
join expenses e on e.id = s.expense_id
join (select expense_id, sum(weight) as weights from expense_shares group by expense_id) t
  on t.expense_id = s.expense_id
where t.weights > 0;

create view balances with (security_invoker=true) as
select
  m.group_id,
  m.user_id,
  m.nickname,
  coalesce((select sum(e.amount) from expenses e where e.group_id = m.group_id and e.paid_by = m.user_id), 0) as paid,
  coalesce((select sum(a.owes) from share_amounts a where a.group_id = m.group_id and a.user_id = m.user_id), 0) as owes
from group_members m;

-- The balance of everybody in a group, those who get money first.
create function group_balances(gid bigint)
returns table(nickname text, balance numeric)
language sql stable as $$
  select b.nickname::text, b.paid - b.owes from balances b
  where b.group_id = gid order by b.paid - b.owes desc, b.nickname
$$;
