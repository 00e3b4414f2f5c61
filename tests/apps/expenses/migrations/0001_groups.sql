create table groups (
  id bigint generated always as identity primary key,
  name text not null check (trim(name) <> ''),
  currency char(3) not null default 'EUR',
  owner_id uuid not null default auth.uid() references auth.users(id),
  created_at timestamptz default now()
);
create table group_members (
  group_id bigint references groups(id) on delete cascade,
  user_id uuid references auth.users(id) on delete cascade,
  nickname varchar(30) not null,
  primary key (group_id, user_id),
  unique (group_id, nickname)
);
create table expenses (
  id bigint generated always as identity primary key,
  group_id bigint not null references groups(id) on delete cascade,
  paid_by uuid not null default auth.uid(),
  description text not null,
  amount numeric(10,2) not null check (amount > 0),
  spent_on date not null default current_date,
  -- Who pays must be in the group.
  foreign key (group_id, paid_by) references group_members (group_id, user_id),
  unique (group_id, id)
);
create table expense_shares (
  group_id bigint not null,
  expense_id bigint not null,
  user_id uuid not null,
  weight int not null default 1 check (weight >= 0),
  primary key (expense_id, user_id),
  foreign key (group_id, expense_id) references expenses (group_id, id) on delete cascade on update cascade,
  foreign key (group_id, user_id) references group_members (group_id, user_id) on update cascade on delete no action
);
