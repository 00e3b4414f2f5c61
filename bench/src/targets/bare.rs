//! axum and rusqlite with nothing between them: the ceiling of a backend on SQLite.

use super::{Bench, Target, fresh, owners, stranger};
use crate::client::render;
use crate::data::{self, instant, uuid, words};
use crate::load::Requests;
use crate::process::{Process, free_address};
use crate::random::Random;
use crate::work::Workload;
use anyhow::Result;
use rusqlite::{Connection, params};
use std::rc::Rc;

/// How the report calls it.
pub const NAME: &str = "bare axum + rusqlite";

pub fn start(bench: &Bench) -> Result<Target> {
    let directory = bench.directory.join("bare");
    fresh(&directory)?;
    let file = directory.join("bare.db");
    let people: Vec<String> = (0..data::PEOPLE)
        .map(|index| uuid(stranger(index)))
        .collect();
    let owners = owners(&people, uuid);
    let mut connection = Connection::open(&file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch(
        "create table items (id text primary key not null, owner text not null, title text not null, body text not null, category integer not null, score integer not null, created_at text not null) strict;
         create index items_category_score on items (category, score desc);
         create table todos (id text primary key not null, owner text not null, title text not null, done integer not null, created_at text not null) strict;
         create index todos_owner_created_at on todos (owner, created_at desc);
         create table notes (id text primary key not null, owner text not null, title text not null, body text not null, created_at text not null) strict;
         create table diary (id text primary key not null, owner text not null, title text not null, body text not null, created_at text not null) strict;",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut item =
            transaction.prepare("insert into items values (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        let mut todo = transaction.prepare("insert into todos values (?1, ?2, ?3, 0, ?4)")?;
        for row in bench.items.iter() {
            let (id, owner, created) = (uuid(row.id), &owners[row.owner], instant(row.second));
            item.execute(params![
                id,
                owner,
                row.title,
                row.body,
                row.category,
                row.score,
                created
            ])?;
            todo.execute(params![id, owner, row.title, created])?;
        }
    }
    transaction.commit()?;
    drop(connection);
    let address = free_address()?;
    let arguments = [address.to_string(), file.display().to_string()];
    let process = Process::start(
        &bench.executables.join("ceiling-axum"),
        &arguments,
        &[],
        bench.core,
        address,
        &directory.join("log"),
    )?;
    let ids: Rc<Vec<String>> = Rc::new(bench.items.iter().map(|item| uuid(item.id)).collect());
    let people = Rc::new(people);
    // Headers of the size Pando's clients send.
    let headers = Rc::new(vec![
        format!("apikey: sb_publishable_{}", "x".repeat(32)),
        format!("authorization: Bearer {}", "x".repeat(700)),
        "accept: application/json".to_owned(),
    ]);
    Ok(Target {
        name: NAME,
        own: None,
        process,
        requests: Box::new(move |workload| {
            let (ids, people, headers) = (ids.clone(), people.clone(), headers.clone());
            Some(match workload {
                Workload::Read => Rc::new(move |random: &mut Random| {
                    render(
                        "GET",
                        &format!("/items/{}", ids[random.below(ids.len() as u64) as usize]),
                        &headers,
                        None,
                    )
                }) as Requests,
                Workload::List => Rc::new(move |random: &mut Random| {
                    render(
                        "GET",
                        &format!("/items?category={}", random.below(data::CATEGORIES)),
                        &headers,
                        None,
                    )
                }),
                Workload::OwnerList => Rc::new(move |random: &mut Random| {
                    render(
                        "GET",
                        &format!(
                            "/todos/{}",
                            people[random.below(people.len() as u64) as usize]
                        ),
                        &headers,
                        None,
                    )
                }),
                Workload::Insert | Workload::OwnerInsert => {
                    let table = if workload == Workload::Insert {
                        "/notes"
                    } else {
                        "/diary"
                    };
                    Rc::new(move |random: &mut Random| {
                        let owner = &people[random.below(people.len() as u64) as usize];
                        let body = format!(
                            r#"{{"owner":"{owner}","title":"{}","body":"{}"}}"#,
                            words(random, 30),
                            words(random, 190)
                        );
                        render("POST", table, &headers, Some(&body))
                    })
                }
                Workload::SignIn => return None,
            })
        }),
    })
}
