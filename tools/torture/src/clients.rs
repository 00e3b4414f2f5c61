//! The load: threads that write through the public API, each on rows of its own, and one that signs people up.

use crate::accounts::Accounts;
use crate::checker::{Breach, Violation, violation};
use crate::ledger::{Book, Ledger};
use crate::model::Model;
use crate::operation::{Change, Content, Operation, Outcome, Session, Verb};
use crate::random::Random;
use anyhow::Result;
use pando_testkit::{Client, Keys, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How many clients write rows.
pub const WRITERS: u64 = 6;
/// Ids a client may use.
const IDS: i64 = 1 << 32;
/// Rows a client keeps; beyond them it deletes more than it adds.
const ROWS_MAX: usize = 120;

/// What sort of load.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// Long texts, so that the log grows fast.
    pub heavy: bool,
}

/// What the clients saw, while they run.
#[derive(Debug, Default)]
pub struct Seen {
    /// Writes that were acknowledged.
    pub done: AtomicU64,
    /// Writes that were refused or failed.
    pub failed: AtomicU64,
    /// Statuses of refusals, with how many there were.
    pub statuses: Mutex<BTreeMap<u16, u64>>,
    violations: Mutex<Vec<Violation>>,
}

impl Seen {
    /// Something that must not be.
    pub fn complain(&self, breach: Breach, text: String) {
        let mut all = self
            .violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // One is enough to look into; a hundred hide it.
        if all.len() < 20 {
            all.push(violation(breach, text));
        }
    }

    /// All that must not have been.
    pub fn violations(&self) -> Vec<Violation> {
        let mut all = self
            .violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut all)
    }

    /// How often this was the status of a refusal.
    pub fn status(&self, status: u16) -> u64 {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        statuses.get(&status).copied().unwrap_or(0)
    }

    /// A status of failure that is no refusal for now, if there was one.
    pub fn other_failures(&self) -> Option<u16> {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = statuses.keys();
        all.find(|status| !matches!(**status, 503 | 507)).copied()
    }

    fn count(&self, answer: &Result<Response>, outcome: &Outcome) {
        match outcome {
            Outcome::Done | Outcome::Granted(_) => self.done.fetch_add(1, Ordering::Relaxed),
            _ => self.failed.fetch_add(1, Ordering::Relaxed),
        };
        let Ok(answer) = answer else { return };
        if answer.status >= 400 {
            let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
            *statuses.entry(answer.status).or_default() += 1;
        }
        if matches!(answer.status, 503 | 507) && answer.header("retry-after").is_none() {
            self.complain(
                Breach::Conduct,
                format!("a {} without retry-after: {}", answer.status, answer.text()),
            );
        }
        // Each client writes what is its own and knows what is there.
        if (400..500).contains(&answer.status) {
            self.complain(
                Breach::Conduct,
                format!("a write was answered {} {}", answer.status, answer.text()),
            );
        }
    }
}

/// What is known of an operation by its answer: one that was answered with an error did nothing, unless its time was over before
/// the database had answered.
pub fn outcome(answer: &Result<Response>) -> Outcome {
    match answer {
        Ok(answer) if answer.status < 300 => Outcome::Done,
        Ok(answer) if answer.status == 504 => Outcome::Unknown("504".to_owned()),
        Ok(answer) => Outcome::Refused(answer.status),
        // The client says so when it had no connection to send over.
        Err(error) if error.to_string() == "connect" => Outcome::NotSent,
        Err(error) => Outcome::Unknown(format!("{error:#}")),
    }
}

/// Runs the load beside `during`, and stops it when that returns.
pub fn run<T>(
    address: SocketAddr,
    keys: &Keys,
    load: Load,
    model: &Model,
    ledger: &Ledger,
    random: &mut Random,
    during: impl FnOnce(&Seen) -> T,
) -> Result<(T, Seen)> {
    let (seen, stop) = (Seen::default(), AtomicBool::new(false));
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        writers.push(Writer {
            number,
            client: Client::new(address).keyed(&keys.secret, None),
            book: ledger.book(&format!("writer-{number}"))?,
            rows: rows_of(model, number),
            parked: HashMap::new(),
            next: next_id(model, number),
            load,
            random: random.fork(),
        });
    }
    let accounts = Accounts::new(address, &keys.publishable, ledger.book("accounts")?);
    let sessions: Vec<Session> = model.sessions.values().cloned().collect();
    let mut fate = random.fork();
    let round = random.bits();
    let result = thread::scope(|scope| {
        let (seen, stop) = (&seen, &stop);
        let mut threads: Vec<_> = writers
            .into_iter()
            .map(|mut writer| scope.spawn(move || writer.work(seen, stop)))
            .collect();
        threads.push(
            scope.spawn(move || keep_sessions(accounts, sessions, round, &mut fate, seen, stop)),
        );
        let result = during(seen);
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            match thread.join() {
                Ok(done) => done?,
                Err(_) => anyhow::bail!("a client panicked"),
            }
        }
        Ok(result)
    })?;
    Ok((result, seen))
}

fn rows_of(model: &Model, number: u64) -> BTreeMap<i64, Content> {
    let start = number as i64 * IDS;
    let own = model.rows.range(start..start + IDS);
    own.map(|(id, content)| (*id, content.clone())).collect()
}

/// An id that was never used: not by a row that is there, nor by one that was deleted.
fn next_id(model: &Model, number: u64) -> i64 {
    let start = number as i64 * IDS;
    let own = |id: &&i64| (start..start + IDS).contains(*id);
    let there = model.rows.keys().filter(own).max();
    let gone = model.deleted.iter().filter(own).max();
    // Ids of unknown and of refused writes are passed over too.
    there.max(gone).copied().unwrap_or(start) + 1_000
}

struct Writer {
    number: u64,
    client: Client,
    book: Book,
    /// What is there, as far as this client knows.
    rows: BTreeMap<i64, Content>,
    /// Rows of which it does not know, left alone until the check.
    parked: HashMap<i64, ()>,
    next: i64,
    load: Load,
    random: Random,
}

impl Writer {
    fn work(&mut self, seen: &Seen, stop: &AtomicBool) -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let operation = self.decide();
            let number = self.book.intend(&operation)?;
            let answer = self.ask(&operation);
            if let Ok(answer) = &answer
                && answer.status < 300
                && let Err(why) = confirmed(&operation, answer)
            {
                seen.complain(Breach::Lost, why);
            }
            let outcome = outcome(&answer);
            self.book.settle(number, &outcome)?;
            seen.count(&answer, &outcome);
            self.learn(&operation, &outcome);
            if !matches!(outcome, Outcome::Done) {
                // It may be starting, stopping or out of room; asking in a loop helps nobody.
                thread::sleep(Duration::from_millis(8));
            }
        }
        self.book.flush()
    }

    fn content(&mut self, count: i64) -> Content {
        let length = match (self.load.heavy, self.random.below(20)) {
            (true, _) => self.random.between(20_000, 120_000),
            (false, 0) => self.random.between(5_000, 40_000),
            (false, _) => self.random.between(16, 300),
        };
        Content {
            tag: self.random.bits(),
            length: length as usize,
            count,
        }
    }

    fn fresh(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    fn known(&mut self) -> Option<(i64, Content)> {
        let free: Vec<i64> = self
            .rows
            .keys()
            .filter(|id| !self.parked.contains_key(id))
            .copied()
            .collect();
        let id = *self.random.pick(&free)?;
        Some((id, self.rows.get(&id)?.clone()))
    }

    fn insert(&mut self, rows: u64) -> Vec<Change> {
        (0..rows)
            .map(|_| Change {
                id: self.fresh(),
                before: None,
                after: Some(self.content(0)),
            })
            .collect()
    }

    fn decide(&mut self) -> Operation {
        let crowded = self.rows.len() > ROWS_MAX;
        let (verb, changes) = match (self.random.below(100), self.known()) {
            (0..20, _) => {
                let parts = if self.random.chance(40) { 5 } else { 1 };
                let stem = self.random.bits();
                return Operation::Mark(
                    (0..parts)
                        .map(|part| format!("{}-{stem:016x}-{part}of{parts}", self.number))
                        .collect(),
                );
            }
            (20..50, _) if !crowded => (Verb::Insert, self.insert(1)),
            (50..58, _) if !crowded => (Verb::Insert, self.insert(5)),
            (58..72, Some((id, before))) => {
                let after = Some(self.content(before.count));
                let before = Some(before);
                (Verb::Update, vec![Change { id, before, after }])
            }
            (72..80, Some((id, before))) => {
                let mut changes = self.insert(2);
                let after = Some(self.content(before.count));
                changes.push(Change {
                    id,
                    before: Some(before),
                    after,
                });
                (Verb::Upsert, changes)
            }
            (80..88, Some((id, before))) => {
                let mut after = before.clone();
                after.count += 1;
                let (before, after) = (Some(before), Some(after));
                (Verb::Bump, vec![Change { id, before, after }])
            }
            (_, Some((id, before))) => {
                let before = Some(before);
                let after = None;
                (Verb::Delete, vec![Change { id, before, after }])
            }
            (_, None) => (Verb::Insert, self.insert(1)),
        };
        Operation::Write { verb, changes }
    }

    fn ask(&mut self, operation: &Operation) -> Result<Response> {
        let (verb, changes) = match operation {
            Operation::Write { verb, changes } => (*verb, changes),
            Operation::Mark(marks) => {
                let rows: Vec<Value> = marks.iter().map(|mark| json!({"mark": mark})).collect();
                return self.client.post("/rest/v1/marks", &Value::Array(rows));
            }
            Operation::SignUp { .. } | Operation::Refresh { .. } => {
                anyhow::bail!("a writer signs nobody in")
            }
        };
        let rows: Vec<Value> = changes
            .iter()
            .filter_map(|change| {
                let content = change.after.as_ref()?;
                Some(json!({"id": change.id, "value": content.text(), "count": content.count}))
            })
            .collect();
        let one = changes.first().map_or(0, |change| change.id);
        let by_id = format!("/rest/v1/items?id=eq.{one}&select=id");
        let (method, path, prefer, body) = match verb {
            Verb::Insert => (
                "POST",
                "/rest/v1/items",
                "return=minimal",
                Value::Array(rows),
            ),
            Verb::Upsert => (
                "POST",
                "/rest/v1/items",
                "return=minimal,resolution=merge-duplicates",
                Value::Array(rows),
            ),
            Verb::Update => (
                "PATCH",
                by_id.as_str(),
                "return=representation",
                rows.into_iter()
                    .next()
                    .map_or(Value::Null, |row| json!({"value": row["value"]})),
            ),
            Verb::Delete => (
                "DELETE",
                by_id.as_str(),
                "return=representation",
                Value::Null,
            ),
            Verb::Bump => (
                "POST",
                "/rest/v1/rpc/bump",
                "return=representation",
                json!({"item": one}),
            ),
        };
        let body = (verb != Verb::Delete).then(|| body.to_string());
        self.client.send(
            method,
            path,
            &[("content-type", "application/json"), ("prefer", prefer)],
            body.as_deref().map(str::as_bytes),
        )
    }

    fn learn(&mut self, operation: &Operation, outcome: &Outcome) {
        let Operation::Write { changes, .. } = operation else {
            return;
        };
        for change in changes {
            match (outcome, &change.after) {
                (Outcome::Unknown(_), _) => drop(self.parked.insert(change.id, ())),
                (Outcome::Done, Some(content)) => {
                    let _earlier = self.rows.insert(change.id, content.clone());
                }
                (Outcome::Done, None) => drop(self.rows.remove(&change.id)),
                _ => {}
            }
        }
    }
}

/// An acknowledged change of a row that the client knows to be there names that row.
fn confirmed(operation: &Operation, answer: &Response) -> Result<(), String> {
    let Operation::Write { verb, changes } = operation else {
        return Ok(());
    };
    let id = changes.first().map_or(0, |change| change.id);
    let told = answer.json();
    let right = match verb {
        Verb::Insert | Verb::Upsert => true,
        Verb::Update | Verb::Delete => told == json!([{ "id": id }]),
        Verb::Bump => {
            let count = changes
                .first()
                .and_then(|change| Some(change.after.as_ref()?.count));
            told.as_i64() == count
        }
    };
    if right {
        Ok(())
    } else {
        Err(format!(
            "{verb:?} of row {id} was acknowledged with {told}, as if the row were not as it was"
        ))
    }
}

fn keep_sessions(
    mut accounts: Accounts,
    mut sessions: Vec<Session>,
    round: u64,
    random: &mut Random,
    seen: &Seen,
    stop: &AtomicBool,
) -> Result<()> {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let outcome = if sessions.is_empty() || random.chance(30) {
            number += 1;
            // Addresses cost a hash of the password, so most are anonymous.
            let email = random
                .chance(20)
                .then(|| format!("{round:016x}-{number}@example.com"));
            let outcome = accounts.sign_up(email)?;
            if let Outcome::Granted(session) = &outcome {
                sessions.push(session.clone());
            }
            outcome
        } else {
            let at = random.below(sessions.len() as u64) as usize;
            let outcome = accounts.refresh(&sessions[at])?;
            if let Outcome::Granted(session) = &outcome {
                let parent = std::mem::replace(&mut sessions[at], session.clone()).refresh;
                if random.chance(30)
                    && let Some(why) = accounts.ask_again(&parent, session)
                {
                    seen.complain(Breach::Session, why);
                }
            }
            outcome
        };
        match &outcome {
            Outcome::Granted(_) => drop(seen.done.fetch_add(1, Ordering::Relaxed)),
            Outcome::Refused(status @ 400..500) => seen.complain(
                Breach::Session,
                format!("a sign-up or refresh was refused with {status}"),
            ),
            _ => {}
        }
        thread::sleep(Duration::from_millis(
            if matches!(outcome, Outcome::Granted(_)) {
                2
            } else {
                10
            },
        ));
    }
    accounts.close()
}
