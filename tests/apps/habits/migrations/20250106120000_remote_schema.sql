create type "public"."frequency" as enum ('daily', 'weekly');

create table "public"."habits" (
    "id" bigint generated always as identity not null,
    "created_at" timestamp with time zone not null default now(),
    "user_id" uuid not null default auth.uid(),
    "Title" text not null,
    "frequency" frequency not null default 'daily'::frequency,
    "colour" character varying default '#88aa00'::character varying,
    "target" smallint not null default '1'::smallint,
    "paused" boolean not null default false
);

alter table "public"."habits" enable row level security;

create table "public"."check_ins" (
    "habit_id" bigint not null,
    "day" date not null default CURRENT_DATE,
    "amount" integer not null default 1,
    "note" text
);

alter table "public"."check_ins" enable row level security;

CREATE UNIQUE INDEX habits_pkey ON public.habits USING btree (id);

CREATE UNIQUE INDEX check_ins_pkey ON public.check_ins USING btree (habit_id, day);

alter table "public"."habits" add constraint "habits_pkey" PRIMARY KEY using index "habits_pkey";

alter table "public"."check_ins" add constraint "check_ins_pkey" PRIMARY KEY using index "check_ins_pkey";

alter table "public"."check_ins" add constraint "check_ins_habit_id_fkey" FOREIGN KEY (habit_id) REFERENCES habits(id) ON UPDATE CASCADE ON DELETE CASCADE not valid;

alter table "public"."check_ins" validate constraint "check_ins_habit_id_fkey";

alter table "public"."habits" add constraint "habits_user_id_fkey" FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE not valid;

alter table "public"."habits" validate constraint "habits_user_id_fkey";

alter table "public"."habits" add constraint "habits_colour_check" CHECK (((colour)::text ~ '^#[0-9a-f]{6}$'::text)) not valid;

alter table "public"."habits" validate constraint "habits_colour_check";

grant delete on table "public"."habits" to "anon";
grant insert on table "public"."habits" to "anon";
grant references on table "public"."habits" to "anon";
grant select on table "public"."habits" to "anon";
grant trigger on table "public"."habits" to "anon";
grant truncate on table "public"."habits" to "anon";
grant update on table "public"."habits" to "anon";
grant delete on table "public"."habits" to "authenticated";
grant insert on table "public"."habits" to "authenticated";
grant references on table "public"."habits" to "authenticated";
grant select on table "public"."habits" to "authenticated";
grant trigger on table "public"."habits" to "authenticated";
grant truncate on table "public"."habits" to "authenticated";
grant update on table "public"."habits" to "authenticated";

create policy "Enable all for users based on user_id"
on "public"."habits"
as permissive
for all
to authenticated
using ((( SELECT auth.uid() AS uid) = user_id))
with check ((( SELECT auth.uid() AS uid) = user_id));

create policy "Enable all for the habit's owner"
on "public"."check_ins"
as permissive
for all
to authenticated
using ((EXISTS ( SELECT 1
   FROM habits
  WHERE ((habits.id = check_ins.habit_id) AND (habits.user_id = ( SELECT auth.uid() AS uid))))));
