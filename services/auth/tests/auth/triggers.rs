//! What the team's triggers on `auth.users` do when accounts come and go.

use crate::support::{App, PASSWORD};
use pando_db::Migration;
use serde_json::json;
use std::time::{Duration, Instant};

const PROFILES: &str = "
    create table public.profiles (
      id uuid primary key references auth.users (id) on delete cascade,
      name text not null check (name <> 'forbidden'),
      email text,
      made_at timestamptz not null default now()
    );
    create table public.gone (id uuid, name text);
    create function public.handle_new_user() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
      if new.raw_user_meta_data ->> 'name' = 'nobody' then
        raise exception 'nobody may not come' using hint = 'choose a name';
      end if;
      insert into public.profiles (id, name, email)
      values (new.id, coalesce(new.raw_user_meta_data ->> 'name', split_part(new.email, '@', 1)), new.email);
      return new;
    end;
    $$;
    create trigger on_auth_user_created after insert on auth.users
      for each row execute procedure public.handle_new_user();
    create function public.note_gone() returns trigger language plpgsql as $$
    begin
      insert into gone values (old.id, old.name);
      return old;
    end $$;
    create trigger note_gone after delete on public.profiles for each row execute function public.note_gone();
";

async fn open() -> App {
    let app = App::open().await;
    let migration = Migration {
        version: "0001".into(),
        name: "profiles".into(),
        file: "0001_profiles.sql".into(),
        sql: PROFILES.into(),
    };
    app.db.migrate("team", &[migration]).await.unwrap();
    app
}

impl App {
    async fn stored(&self, sql: &'static str) -> Vec<Option<String>> {
        let deadline = Instant::now() + Duration::from_secs(5);
        let rows = self
            .db
            .read(deadline, move |tx| tx.query(sql, &[]))
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0).unwrap()).collect()
    }
}

#[tokio::test]
async fn a_sign_up_makes_a_profile_and_a_deletion_takes_it_away() {
    let app = open().await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "data": {"name": "Ada"}});
    let session = app.post("/signup", body).ok().await;
    app.sign_up("bert@example.com").await;
    assert_eq!(
        app.stored("select name || ' ' || email || ' ' || made_at from profiles order by name")
            .await,
        [
            Some("Ada ada@example.com 2025-06-15T15:06:40+00:00".to_owned()),
            Some("bert bert@example.com 2025-06-15T15:06:40+00:00".to_owned())
        ]
    );
    let path = format!("/admin/users/{}", session["user"]["id"].as_str().unwrap());
    app.admin("DELETE", &path).json(json!({})).ok().await;
    assert_eq!(
        app.stored("select name from gone").await,
        [Some("Ada".to_owned())]
    );
    assert_eq!(
        app.stored("select name from profiles").await,
        [Some("bert".to_owned())]
    );
}

#[tokio::test]
async fn a_trigger_that_fails_makes_the_sign_up_fail_and_leaves_nothing() {
    let app = open().await;
    for name in ["nobody", "forbidden"] {
        let body =
            json!({"email": "eve@example.com", "password": PASSWORD, "data": {"name": name}});
        let answer = app.post("/signup", body).send().await;
        assert_eq!(answer.status, 500);
        assert_eq!(
            answer.json(),
            json!({"code": "unexpected_failure", "message": "Database error saving new user"})
        );
    }
    let body = json!({"email": "eve@example.com", "password": PASSWORD, "user_metadata": {"name": "nobody"}});
    let answer = app.admin("POST", "/admin/users").json(body).send().await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json()["message"], "Database error creating new user");
    assert!(
        app.stored("select email from \"auth.users\"")
            .await
            .is_empty()
    );
    assert!(
        app.stored("select provider from \"auth.identities\"")
            .await
            .is_empty()
    );
    app.sign_up("eve@example.com").await;
}
