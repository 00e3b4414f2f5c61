//! Which indexes are missed, and which are not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_sql::index_advice::missing_indexes;
use pando_sql::{Catalog, migrate};

fn advice(sql: &str) -> Vec<String> {
    let catalog = migrate(&Catalog::default(), "1.sql", sql).unwrap().catalog;
    let missing = missing_indexes(&catalog);
    missing
        .iter()
        .map(|missing| format!("{} -- {}", missing.sql(), missing.wanted_by))
        .collect()
}

const ROOMS: &str = "
create table rooms (id bigint primary key, owner uuid not null, status text not null);
create table members (room_id bigint not null references rooms (id), user_id uuid not null, \"Since\" date);
";

#[test]
fn foreign_keys_and_policies_say_what_they_miss() {
    let policies = "
create policy own on rooms for all to authenticated using (owner = auth.uid() and status = 'open');
create policy members on rooms for select to authenticated using (id in (select room_id from members where user_id = auth.uid()));
create policy near on members for select to authenticated using (exists (select 1 from rooms r where r.id = members.room_id and r.owner = auth.uid()));
";
    assert_eq!(
        advice(&format!("{ROOMS}{policies}")),
        [
            "create index on public.members (room_id); -- foreign key members_room_id_fkey",
            "create index on public.members (user_id); -- policy \"members\" on public.rooms",
            "create index on public.rooms (owner); -- policy \"own\" on public.rooms",
        ]
    );
}

#[test]
fn an_index_that_begins_with_a_column_in_question_is_enough() {
    let indexes = "
create index on members (room_id, user_id);
create index on rooms (owner, status);
create policy own on rooms for all using (auth.uid() = owner);
create policy alike on rooms for select using (owner = owner or status = 'open');
create policy near on members for select using (exists (select 1 from rooms where rooms.id = members.room_id));
";
    assert_eq!(advice(&format!("{ROOMS}{indexes}")), [""; 0]);
    let partial =
        "create index on members (room_id) where room_id > 5; create index on members (\"Since\");";
    assert_eq!(
        advice(&format!("{ROOMS}{partial}")),
        ["create index on public.members (room_id); -- foreign key members_room_id_fkey"]
    );
}
