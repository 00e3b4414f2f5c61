//! Compares a server that was started again with what the ledger says.

use crate::accounts::Accounts;
use crate::model::Model;
use crate::operation::Content;
use crate::random::Random;
use anyhow::{Context, Result, bail};
use pando_testkit::{Client, Keys, Pando};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// What kind of promise was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breach {
    /// An acknowledged write is not there, or not as it was acknowledged.
    Lost,
    /// A write is there more than once.
    Doubled,
    /// A deleted row is back.
    Resurrected,
    /// A request is there by half.
    Half,
    /// Something is there that was refused or never sent.
    Ghost,
    /// SQLite finds the file damaged.
    Corrupt,
    /// A session whose tokens no longer work.
    Session,
    /// The server did not start.
    Start,
    /// It did not behave as it promises while the fault was there.
    Conduct,
}

/// A broken promise.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub breach: Breach,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.breach, self.seen)
    }
}

/// A violation of this kind.
pub fn violation(breach: Breach, seen: impl Into<String>) -> Violation {
    Violation {
        breach,
        seen: seen.into(),
    }
}

/// Sessions that are tried after each round; all of them at the end of a life.
const SESSIONS_TRIED: usize = 12;

/// Compares, and settles in the model what was unknown. `thorough` tries every session.
pub fn check(
    pando: &Pando,
    keys: &Keys,
    model: &mut Model,
    accounts: &mut Accounts,
    random: &mut Random,
    thorough: bool,
) -> Result<Vec<Violation>> {
    let mut client = pando.client().keyed(&keys.secret, None);
    let mut found = Vec::new();
    check_rows(&mut client, model, &mut found)?;
    check_marks(&mut client, model, &mut found)?;
    let mut users: Vec<String> = model.sessions.keys().cloned().collect();
    if !thorough {
        random.shuffle(&mut users);
        users.truncate(SESSIONS_TRIED);
    }
    for user in users {
        let Some(session) = model.sessions.get(&user) else {
            continue;
        };
        match accounts.prove(session)? {
            Ok(next) => drop(model.sessions.insert(user, next)),
            Err(why) => {
                found.push(violation(Breach::Session, why));
                // Told once is enough.
                model.sessions.remove(&user);
            }
        }
    }
    for email in std::mem::take(&mut model.unknown_emails) {
        match accounts.settle_account(&email)? {
            Ok(session) => {
                model.emails.insert(email, session.user.clone());
                model.sessions.insert(session.user.clone(), session);
            }
            Err(why) => found.push(violation(Breach::Half, why)),
        }
    }
    Ok(found)
}

fn check_rows(client: &mut Client, model: &mut Model, found: &mut Vec<Violation>) -> Result<()> {
    let rows = read_rows(client)?;
    for changes in std::mem::take(&mut model.unknown) {
        let holds = |id: i64, content: &Option<Content>| match (rows.get(&id), content) {
            (None, None) => true,
            (Some((text, count)), Some(content)) => {
                *count == content.count && *text == content.text()
            }
            _ => false,
        };
        let all_after = changes.iter().all(|change| holds(change.id, &change.after));
        let all_before = changes
            .iter()
            .all(|change| holds(change.id, &change.before));
        if all_after {
            model.apply(&changes);
        } else if !all_before {
            let there = changes
                .iter()
                .filter(|change| holds(change.id, &change.after))
                .count();
            found.push(violation(
                Breach::Half,
                format!(
                    "of {} rows written by one request nobody knows of, {there} are as written and the others neither so nor as before: {}; \
                     refused before: {:?}",
                    changes.len(),
                    brief(&changes),
                    changes.iter().find_map(|change| model.refusals.get(&change.id))
                ),
            ));
            // What is there counts from here on.
            for change in &changes {
                model.rows.remove(&change.id);
            }
        }
    }
    for (id, content) in &model.rows {
        match rows.get(id) {
            None => found.push(violation(
                Breach::Lost,
                format!("row {id}, which was to hold {content:?}, is not there"),
            )),
            Some((text, count)) => {
                if *count != content.count || *text != content.text() {
                    // A counter beyond what was acknowledged ran twice.
                    let breach = if *count > content.count {
                        Breach::Doubled
                    } else {
                        Breach::Lost
                    };
                    found.push(violation(
                        breach,
                        format!(
                            "row {id} holds {} bytes of {:.16}.. counted {count}, and not {content:?}; refused: {:?}",
                            text.len(),
                            text,
                            model.refusals.get(id)
                        ),
                    ));
                }
            }
        }
    }
    for id in rows.keys().filter(|id| !model.rows.contains_key(id)) {
        let (breach, why) = if model.deleted.contains(id) {
            (Breach::Resurrected, "was deleted")
        } else {
            (Breach::Ghost, "was refused or never sent")
        };
        let refusal = model.refusals.get(id);
        found.push(violation(
            breach,
            format!("row {id} is there and {why}: {refusal:?}"),
        ));
    }
    // From here on the file is what counts, so that each breach is told once.
    if !found.is_empty() {
        model.rows = rows
            .into_iter()
            .filter_map(|(id, (text, count))| {
                let tag = u64::from_str_radix(text.get(..16)?, 16).ok()?;
                let length = text.len();
                Some((id, Content { tag, length, count }))
            })
            .collect();
    }
    Ok(())
}

fn brief(changes: &[crate::operation::Change]) -> String {
    let shown: Vec<String> = changes
        .iter()
        .take(5)
        .map(|change| {
            format!(
                "{} {:?} -> {:?}",
                change.id,
                change.before.as_ref().map(|content| content.tag),
                change.after.as_ref().map(|content| content.tag)
            )
        })
        .collect();
    shown.join(", ")
}

fn check_marks(client: &mut Client, model: &mut Model, found: &mut Vec<Violation>) -> Result<()> {
    let mut times: HashMap<String, u32> = HashMap::new();
    let mut echoes: HashMap<String, u32> = HashMap::new();
    for (table, counts) in [("marks", &mut times), ("echoes", &mut echoes)] {
        for row in read_table(client, table, "id,mark")? {
            let mark = row["mark"].as_str().context("read a mark")?;
            *counts.entry(mark.to_owned()).or_default() += 1;
        }
    }
    for marks in std::mem::take(&mut model.unknown_marks) {
        let there = marks.iter().filter(|mark| times.contains_key(*mark));
        match there.count() {
            0 => {}
            count if count == marks.len() => model.marks.extend(marks),
            count => {
                found.push(violation(
                    Breach::Half,
                    format!(
                        "{count} of {} rows of one request are there: {marks:?}",
                        marks.len()
                    ),
                ));
                let there = marks.into_iter().filter(|mark| times.contains_key(mark));
                model.marks.extend(there);
            }
        }
    }
    let lost: Vec<String> = model
        .marks
        .iter()
        .filter(|mark| !times.contains_key(*mark))
        .cloned()
        .collect();
    for mark in lost {
        found.push(violation(Breach::Lost, format!("mark {mark} is not there")));
        model.marks.remove(&mark);
    }
    for (mark, count) in &times {
        if *count > 1 {
            found.push(violation(
                Breach::Doubled,
                format!("mark {mark} is there {count} times"),
            ));
        }
        if model.marks.insert(mark.clone()) {
            found.push(violation(
                Breach::Ghost,
                format!("mark {mark} was refused or never sent, and is there"),
            ));
        }
    }
    // A trigger copies each mark in the same transaction.
    if times != echoes {
        let differing = times
            .iter()
            .find(|(mark, count)| echoes.get(*mark) != Some(count));
        found.push(violation(
            Breach::Half,
            format!(
                "{} marks and {} copies made by their trigger; for one, {differing:?}",
                times.len(),
                echoes.len()
            ),
        ));
    }
    Ok(())
}

fn read_rows(client: &mut Client) -> Result<BTreeMap<i64, (String, i64)>> {
    let mut rows = BTreeMap::new();
    for row in read_table(client, "items", "id,value,count")? {
        let id = row["id"].as_i64().context("read an id")?;
        let value = row["value"].as_str().context("read a text")?;
        let count = row["count"].as_i64().context("read a count")?;
        if rows.insert(id, (value.to_owned(), count)).is_some() {
            bail!("row {id} is in one answer twice");
        }
    }
    Ok(rows)
}

fn read_table(client: &mut Client, table: &str, columns: &str) -> Result<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), i64::MIN);
    loop {
        let path = format!("/rest/v1/{table}?select={columns}&id=gt.{after}&order=id&limit=1000");
        let answer = client.get(&path)?;
        if answer.status != 200 {
            bail!("read {table}: {} {}", answer.status, answer.text());
        }
        let Value::Array(rows) = answer.json() else {
            bail!("read {table}: {}", answer.text());
        };
        let Some(last) = rows.last() else {
            return Ok(all);
        };
        after = last["id"].as_i64().context("read an id")?;
        all.extend(rows);
    }
}
