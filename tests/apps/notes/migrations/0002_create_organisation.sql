-- Two rows that must come together, so one function.
create or replace function public.create_organisation(name text, slug text)
returns text
language sql
volatile
security definer
set search_path to ''
as $function$
  insert into public.organisations (name, slug) values (create_organisation.name, create_organisation.slug);
  insert into public.memberships (org_id, user_id, role)
    select o.id, auth.uid(), 'owner' from public.organisations o where o.slug = create_organisation.slug;
  select o.slug from public.organisations o where o.slug = create_organisation.slug;
$function$;
revoke all on function public.create_organisation(text, text) from public, anon;
grant execute on function public.create_organisation to authenticated;
