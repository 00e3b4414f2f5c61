create table private.audit (
  id bigserial primary key,
  table_name text not null,
  operation text not null,
  row_id text,
  old_data jsonb,
  new_data jsonb,
  actor uuid,
  at timestamptz not null default now()
);

create or replace function private.audit_row() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    insert into private.audit (table_name, operation, row_id, old_data, actor)
    values (tg_table_name, tg_op, old.id::text, to_jsonb(old), auth.uid());
    return old;
  elsif tg_op = 'UPDATE' then
    insert into private.audit (table_name, operation, row_id, old_data, new_data, actor)
    values (tg_table_name, tg_op, new.id::text, to_jsonb(old), to_jsonb(new), auth.uid());
    return new;
  else
    insert into private.audit (table_name, operation, row_id, new_data, actor)
    values (tg_table_name, tg_op, new.id::text, to_jsonb(new), auth.uid());
    return new;
  end if;
end;
$$;

create trigger audit_patients after insert or update or delete on public.patients
  for each row execute function private.audit_row();
create trigger audit_appointments after insert or update or delete on public.appointments
  for each row execute function private.audit_row();

grant usage on schema private to service_role;
grant select on all tables in schema private to service_role;
