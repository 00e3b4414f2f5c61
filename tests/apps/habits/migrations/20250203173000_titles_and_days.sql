alter table "public"."habits" rename column "Title" to "title";
alter table "public"."habits" alter column "colour" set not null;
alter table "public"."habits" add column "days" smallint[] not null default '{1,2,3,4,5,6,7}'::smallint[];
alter table "public"."habits" add constraint "habits_days_check" CHECK (days <@ ARRAY[1,2,3,4,5,6,7]::smallint[]);
alter table "public"."habits" add column "archived_on" date;
alter table "public"."check_ins" add constraint "check_ins_amount_check" CHECK ((amount > 0));
alter table "public"."habits" alter column "target" type integer;
alter table "public"."habits" add constraint "habits_title_key" UNIQUE ("user_id", "title");
