create function add_expense(gid bigint, what text, how_much numeric, on_day date default current_date)
returns bigint
language sql as $$
  insert into expenses (group_id, description, amount, spent_on) values (gid, what, how_much, on_day);
  insert into expense_shares (group_id, expense_id, user_id)
    select gid, (select max(id) from expenses where group_id = gid), user_id from group_members where group_id = gid;
  select max(id) from expenses where group_id = gid;
$$;

-- Same name, other arguments: for one person alone.
create function add_expense(gid bigint, what text, how_much numeric, for_nickname varchar)
returns bigint
language sql as $$
  insert into expenses (group_id, description, amount) values (gid, what, how_much);
  insert into expense_shares (group_id, expense_id, user_id)
    select gid, (select max(id) from expenses where group_id = gid), user_id
    from group_members where group_id = gid and nickname = for_nickname;
  select max(id) from expenses where group_id = gid;
$$;
