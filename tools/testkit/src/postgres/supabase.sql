-- What a Supabase project's Postgres has before the team's first migration, as far as the embedded engine offers it too.
-- The tables of the schema auth are not here: they come from the migrations of the service.

create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;

create schema auth;
-- Where a project's extensions are.
create schema extensions;
grant usage on schema public, auth, extensions to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;

create function auth.jwt() returns jsonb language sql stable as
$$ select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb $$;
create function auth.uid() returns uuid language sql stable as
$$ select nullif(auth.jwt() ->> 'sub', '')::uuid $$;
create function auth.role() returns text language sql stable as
$$ select auth.jwt() ->> 'role' $$;
create function auth.email() returns text language sql stable as
$$ select auth.jwt() ->> 'email' $$;

create publication supabase_realtime;

-- Closed by default: row-level security is on from a table's creation, as the embedded engine has it.
create function auth.pando_protect_new_tables() returns event_trigger language plpgsql as $$
declare
  made record;
begin
  for made in
    select * from pg_event_trigger_ddl_commands() where object_type = 'table' and schema_name not in ('pg_temp', 'auth')
  loop
    execute format('alter table %s enable row level security', made.object_identity);
  end loop;
end
$$;
create event trigger pando_protect_new_tables on ddl_command_end
  when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO')
  execute function auth.pando_protect_new_tables();
