//! Pando as a team runs it: a migration with policies, people who signed up, requests with the API key and a person's ES256 token.

use super::{Bench, Target, email, fresh, owners};
use crate::client::{Connection, render};
use crate::data::{self, instant, uuid, words};
use crate::load::Requests;
use crate::process::{Process, free_address};
use crate::random::Random;
use crate::stalls::Stalls;
use crate::work::Workload;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::ops::Range;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

/// How the report calls it.
pub const NAME: &str = "Pando";

const MIGRATION: &str = "
create table items (id uuid primary key default gen_random_uuid(), owner uuid not null, title text not null, body text not null,
    category integer not null, score integer not null, created_at timestamptz not null default now());
create index items_category_score on items (category, score desc);
alter table items enable row level security;
create policy \"people read items\" on items for select to authenticated using (true);

create table todos (id uuid primary key default gen_random_uuid(), owner uuid not null, title text not null, done boolean not null default false,
    created_at timestamptz not null default now());
create index todos_owner_created_at on todos (owner, created_at desc);
alter table todos enable row level security;
create policy \"people read their todos\" on todos for select to authenticated using (auth.uid() = owner);

create table notes (id uuid primary key default gen_random_uuid(), owner uuid not null, title text not null, body text not null,
    created_at timestamptz not null default now());
alter table notes enable row level security;
create policy \"people add notes\" on notes for insert to authenticated with check (true);

create table diary (id uuid primary key default gen_random_uuid(), owner uuid not null, title text not null, body text not null,
    created_at timestamptz not null default now());
alter table diary enable row level security;
create table documents (id uuid primary key default gen_random_uuid(), body text not null);
create policy \"people add to their diary\" on diary for insert to authenticated with check (auth.uid() = owner);
";

/// What only Pando is asked.
pub struct Own {
    metrics: SocketAddr,
    /// The headers of the team's own server.
    service: Vec<String>,
}

impl Own {
    /// The insert of documents of 2 kB each.
    pub fn insert(&self, numbers: Range<u64>, random: &mut Random) -> Vec<u8> {
        let rows: Vec<Value> = numbers
            .map(|number| json!({ "id": document(number), "body": words(random, 2_000) }))
            .collect();
        let body = Value::Array(rows).to_string();
        render("POST", "/rest/v1/documents", &self.service, Some(&body))
    }

    /// Changes one of the first `count` documents.
    pub fn changes(&self, count: u64) -> Requests {
        let headers = self.service.clone();
        Rc::new(move |random: &mut Random| {
            let target = format!("/rest/v1/documents?id=eq.{}", document(random.below(count)));
            let body = json!({ "body": words(random, 2_000) }).to_string();
            render("PATCH", &target, &headers, Some(&body))
        })
    }

    /// From its metrics.
    pub async fn stalls(&self) -> Result<Stalls> {
        let mut connection = Connection::open(self.metrics).await?;
        let (status, page) = connection
            .fetch(&render("GET", "/metrics", &[], None))
            .await?;
        ensure!(status == 200, "the metrics answered {status}");
        let page = String::from_utf8(page)?;
        Stalls::read(&page, "pando_db_checkpoint_stall_seconds")
    }
}

/// The id of a document: one after the other they are all over the index.
fn document(number: u64) -> String {
    uuid(u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

struct Person {
    id: String,
    headers: Vec<String>,
}

pub async fn start(bench: &Bench) -> Result<Target> {
    let directory = bench.directory.join("pando");
    fresh(&directory)?;
    let migrations = directory.join("migrations");
    std::fs::create_dir(&migrations)?;
    std::fs::write(migrations.join("20260101000000_bench.sql"), MIGRATION)?;
    let address = free_address()?;
    let executable = bench.executables.join("pando");
    let data = directory.join("data").display().to_string();
    let arguments = [
        "serve",
        "--data",
        &data,
        "--listen",
        &address.to_string(),
        "--migrations",
        &migrations.display().to_string(),
    ]
    .map(str::to_owned);
    let metrics = free_address()?;
    let environment = [("PANDO_METRICS_LISTEN", metrics.to_string())];
    let process = Process::start(
        &executable,
        &arguments,
        &environment,
        bench.core,
        address,
        &directory.join("log"),
    )?;
    // It listens before its first migrations are done, and says so.
    let mut connection = Connection::open(address).await?;
    while connection
        .fetch(&render("GET", "/ready", &[], None))
        .await?
        .0
        != 200
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let keys = Command::new(&executable)
        .args(["keys", "--json", "--data", &data])
        .output()?;
    ensure!(
        keys.status.success(),
        "pando keys: {}",
        String::from_utf8_lossy(&keys.stderr)
    );
    let keys: Value = serde_json::from_slice(&keys.stdout)?;
    let publishable = keys["publishable"]
        .as_str()
        .context("no publishable key")?
        .to_owned();
    let secret = keys["secret"].as_str().context("no secret key")?.to_owned();

    let key = vec![format!("apikey: {publishable}")];
    let mut people = Vec::with_capacity(data::PEOPLE);
    for index in 0..data::PEOPLE {
        let body = json!({ "email": email(index), "password": data::PASSWORD }).to_string();
        let (status, answer) = connection
            .fetch(&render("POST", "/auth/v1/signup", &key, Some(&body)))
            .await?;
        ensure!(
            status == 200,
            "sign-up answered {status}: {}",
            String::from_utf8_lossy(&answer)
        );
        let session: Value = serde_json::from_slice(&answer)?;
        let token = session["access_token"]
            .as_str()
            .context("no access token")?;
        people.push(Person {
            id: session["user"]["id"]
                .as_str()
                .context("no user id")?
                .to_owned(),
            headers: vec![
                format!("apikey: {publishable}"),
                format!("authorization: Bearer {token}"),
                "accept: application/json".to_owned(),
                "accept-profile: public".to_owned(),
                "x-client-info: supabase-js-node/2".to_owned(),
            ],
        });
    }

    let ids: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
    let owners = owners(&ids, uuid);
    let service = vec![
        format!("apikey: {secret}"),
        "prefer: return=minimal".to_owned(),
    ];
    for chunk in bench.items.chunks(1_000) {
        let items: Vec<Value> = chunk
            .iter()
            .map(|row| {
                json!({ "id": uuid(row.id), "owner": owners[row.owner], "title": row.title, "body": row.body,
                    "category": row.category, "score": row.score, "created_at": instant(row.second) })
            })
            .collect();
        let todos: Vec<Value> = chunk
            .iter()
            .map(|row| json!({ "id": uuid(row.id), "owner": owners[row.owner], "title": row.title, "created_at": instant(row.second) }))
            .collect();
        for (table, rows) in [("items", items), ("todos", todos)] {
            let body = Value::Array(rows).to_string();
            let (status, answer) = connection
                .fetch(&render(
                    "POST",
                    &format!("/rest/v1/{table}"),
                    &service,
                    Some(&body),
                ))
                .await?;
            ensure!(
                status == 201,
                "seeding {table} answered {status}: {}",
                String::from_utf8_lossy(&answer)
            );
        }
    }

    let ids: Rc<Vec<String>> = Rc::new(bench.items.iter().map(|item| uuid(item.id)).collect());
    let people = Rc::new(people);
    Ok(Target {
        name: NAME,
        own: Some(Own { metrics, service }),
        process,
        requests: Box::new(move |workload| {
            let (ids, people) = (ids.clone(), people.clone());
            let pick = move |random: &mut Random| random.below(data::PEOPLE as u64) as usize;
            Some(match workload {
                Workload::Read => Rc::new(move |random: &mut Random| {
                    let target = format!(
                        "/rest/v1/items?select=*&id=eq.{}",
                        ids[random.below(ids.len() as u64) as usize]
                    );
                    render("GET", &target, &people[pick(random)].headers, None)
                }) as Requests,
                Workload::List => Rc::new(move |random: &mut Random| {
                    let target = format!(
                        "/rest/v1/items?select=*&category=eq.{}&order=score.desc&limit=20",
                        random.below(data::CATEGORIES)
                    );
                    render("GET", &target, &people[pick(random)].headers, None)
                }),
                Workload::OwnerList => Rc::new(move |random: &mut Random| {
                    render(
                        "GET",
                        "/rest/v1/todos?select=*&order=created_at.desc&limit=20",
                        &people[pick(random)].headers,
                        None,
                    )
                }),
                Workload::Insert | Workload::OwnerInsert => {
                    let target = if workload == Workload::Insert {
                        "/rest/v1/notes"
                    } else {
                        "/rest/v1/diary"
                    };
                    Rc::new(move |random: &mut Random| {
                        let person = &people[pick(random)];
                        let body = format!(
                            r#"{{"owner":"{}","title":"{}","body":"{}"}}"#,
                            person.id,
                            words(random, 30),
                            words(random, 190)
                        );
                        render("POST", target, &person.headers, Some(&body))
                    })
                }
                Workload::SignIn => {
                    let key = vec![format!("apikey: {publishable}")];
                    Rc::new(move |random: &mut Random| {
                        let body =
                            json!({ "email": email(pick(random)), "password": data::PASSWORD })
                                .to_string();
                        render(
                            "POST",
                            "/auth/v1/token?grant_type=password",
                            &key,
                            Some(&body),
                        )
                    })
                }
            })
        }),
    })
}
