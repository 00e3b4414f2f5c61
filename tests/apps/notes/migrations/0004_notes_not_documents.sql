alter table public.documents rename to notes;
alter index public.documents_live rename to notes_live;
alter table public.notes rename constraint documents_pkey to notes_pkey;
alter table public.notes rename column properties to props;
alter table public.notes alter column props type jsonb using props::jsonb;
alter table public.notes alter column props set default '{}'::jsonb;
update public.notes set props = '{}' where props is null;
alter table public.notes alter column props set not null;
alter table public.notes add constraint props_is_object check (jsonb_typeof(props) = 'object');
alter policy "read" on public.notes rename to "members read";
alter policy "edit" on public.notes
  with check (private.has_role(org_id, 'editor') and (deleted_at is null or private.has_role(org_id, 'admin') or author_id = auth.uid()));
