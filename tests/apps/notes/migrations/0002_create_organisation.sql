-- Two rows that must come together, so one function.
create or replace function public.create_organisation(name text, slug text)
returns public.organisations
language sql
volatile
security definer
set search_path to ''
as $function$
  with made as (
    insert into public.organisations (name, slug) values (create_organisation.name, create_organisation.slug) returning *
  ), joined as (
    insert into public.memberships (org_id, user_id, role) select id, auth.uid(), 'owner' from made
  )
  select * from made;
$function$;
revoke all on function public.create_organisation(text, text) from public, anon;
grant execute on function public.create_organisation to authenticated;
