//! The tables the tests plan against: clients with their owners, projects, tasks, tags, profiles, staff.

use super::bed::{Bed, migrated};

const SCHEMA: &str = "
    create type state as enum ('todo', 'doing', 'done');
    create table clients (id bigint primary key, name text, owner text);
    create table projects (
        id bigint primary key, title text, client_id bigint references clients, budget numeric, open boolean,
        data jsonb, labels text[] default '{}', state state, seal bytea
    );
    create table tasks (id bigint primary key, project_id bigint references projects, name text, owner text);
    create table tags (id bigint primary key, word text);
    create table project_tags (
        project_id bigint references projects, tag_id bigint references tags, primary key (project_id, tag_id)
    );
    create table profiles (client_id bigint primary key references clients, bio text);
    create table staff (id bigint primary key, name text, boss_id bigint references staff);
    create table letters (
        id bigint primary key, sender_id bigint references staff, receiver_id bigint references staff, text text
    );
    create table open_book (id bigint primary key);
    alter table open_book disable row level security;

    create policy own on clients for select to authenticated using (owner = auth.uid()::text);
    create policy own on tasks for select to authenticated using (owner = auth.uid()::text);
    create policy everybody on projects for select to authenticated using (true);
    create policy everybody on tags for select to authenticated using (true);
    create policy everybody on project_tags for select to authenticated using (true);
    create policy everybody on profiles for select to authenticated using (true);
    create policy everybody on staff for select to authenticated using (true);
    create policy everybody on letters for select to authenticated using (true);
";

const ROWS: &str = r#"
    insert into clients values (1, 'Acme "A"', 'ann'), (2, 'Bobs', 'bob');
    insert into projects values
        (1, 'Roof', 1, '10.50', 1, '{"a": {"b": [1, "x"]}, "n": 12345678901234567890}', '["red","blue"]', 'doing', x'c0de'),
        (2, 'Wall', 2, 'NaN', 0, null, '[]', 'todo', null),
        (3, 'Door', null, null, null, '[]', null, 'done', null);
    insert into tasks values (1, 1, 'nail', 'ann'), (2, 1, 'saw', 'bob'), (3, 1, 'cut', 'ann'), (4, 2, 'dig', 'bob');
    insert into tags values (1, 'hot'), (2, 'new');
    insert into project_tags values (1, 2), (1, 1), (2, 2);
    insert into profiles values (1, 'of Acme');
    insert into staff values (1, 'Eve', null), (2, 'Dan', 1), (3, 'Flo', 1);
    insert into letters values (1, 1, 2, 'hi');
"#;

pub fn bed() -> Bed {
    let bed = migrated(SCHEMA);
    bed.conn.execute_batch(ROWS).unwrap();
    bed
}
