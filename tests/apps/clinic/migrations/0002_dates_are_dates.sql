-- The import had them as text.
alter table public.patients alter column born set data type date using born::date;
alter table public.patients rename born to born_on;
alter table public.patients add constraint born_in_reason check (born_on > '1900-01-01'::date);
alter table public.patients alter column allergies set default '{}';
update public.patients set allergies = '{}' where allergies is null;
alter table public.patients alter column allergies set not null;
alter table if exists public.patients drop column if exists middle_name;
alter table public.patients add unique (insurance);
