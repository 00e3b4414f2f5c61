create table "public"."friendships" (
    "low" uuid not null references auth.users(id) on delete cascade,
    "high" uuid not null references auth.users(id) on delete cascade,
    "asked_by" uuid not null default auth.uid(),
    "accepted" boolean not null default false,
    primary key ("low", "high"),
    constraint "friendships_ordered" check (low < high),
    constraint "friendships_asked_by_one" check (asked_by in (low, high))
);
alter table "public"."friendships" enable row level security;

CREATE OR REPLACE FUNCTION public.are_friends(a uuid, b uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
    select exists (
        select 1 from public.friendships f
        where f.low = least(a, b) and f.high = greatest(a, b) and f.accepted
    )
$function$
;

CREATE POLICY "Friendships of mine" ON "public"."friendships" AS PERMISSIVE FOR SELECT TO authenticated USING ((( SELECT auth.uid() AS uid) = low) OR (( SELECT auth.uid() AS uid) = high));
CREATE POLICY "Ask" ON "public"."friendships" AS PERMISSIVE FOR INSERT TO authenticated WITH CHECK (asked_by = ( SELECT auth.uid() AS uid) AND NOT accepted);
CREATE POLICY "Accept, if you did not ask" ON "public"."friendships" AS PERMISSIVE FOR UPDATE TO authenticated USING ((asked_by <> ( SELECT auth.uid() AS uid)) AND (( SELECT auth.uid() AS uid) IN (low, high)));
CREATE POLICY "Unfriend" ON "public"."friendships" AS PERMISSIVE FOR DELETE TO authenticated USING (( SELECT auth.uid() AS uid) = ANY (ARRAY[low, high]));
CREATE POLICY "Friends watch habits that are not paused" ON "public"."habits" AS PERMISSIVE FOR SELECT TO authenticated USING ((NOT paused) AND are_friends(user_id, ( SELECT auth.uid() AS uid)));
