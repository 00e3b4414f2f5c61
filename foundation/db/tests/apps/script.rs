//! `requests.txt`: what is asked of an app, and by whom.
//!
//! ```text
//! # A sentence for the reader.
//! sign up ada {"name": "Ada"}
//!
//! as ada
//! select name from profiles
//! where id = :ada;
//! ```
//!
//! A line of its own is one of these, or part of a statement, which ends with the line that ends with a semicolon.
//! - `sign up <name> [user metadata]` makes a user, whose mail is `<name>@example.com`. Users get the ids
//!   `00000000-0000-4000-8000-000000000001` and on.
//! - `as <name>|anon|service [further claims]` says who asks what follows.
//! - `:<name>` in a statement stands for that user's id, quoted.

use serde_json::{Value, json};
use std::collections::BTreeMap;

pub struct Script {
    pub steps: Vec<Step>,
}

pub enum Step {
    SignUp(User),
    Ask(Request),
}

pub struct User {
    pub name: String,
    pub id: String,
    pub metadata: String,
}

pub struct Request {
    pub line: usize,
    pub caller: String,
    /// `anon`, `authenticated` or `service_role`.
    pub role: &'static str,
    /// The token's claims, JSON.
    pub claims: String,
    pub sql: String,
}

impl Request {
    /// Whether the order of its rows is part of the answer.
    pub fn is_ordered(&self) -> bool {
        let outer = self.sql.rsplit(')').next().unwrap_or(&self.sql);
        outer.to_lowercase().contains("order by")
    }
}

impl User {
    /// The statement that makes it, for both engines.
    pub fn sign_up(&self) -> String {
        format!(
            "insert into auth.users (id, aud, role, email, raw_app_meta_data, raw_user_meta_data, created_at, updated_at) \
             values ('{}', 'authenticated', 'authenticated', '{}@example.com', '{{}}', '{}', now(), now());",
            self.id,
            self.name,
            self.metadata.replace('\'', "''")
        )
    }
}

impl Script {
    /// The statements asked, in order.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.steps.iter().filter_map(|step| match step {
            Step::Ask(request) => Some(request),
            Step::SignUp(_) => None,
        })
    }

    pub fn parse(text: &str) -> Script {
        let mut steps = Vec::new();
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        let mut caller = ("anon".to_owned(), json!({}));
        let mut open: Option<(usize, String)> = None;
        for (at, line) in text.lines().enumerate() {
            if open.is_none() {
                if line.trim().is_empty() || line.starts_with('#') {
                    continue;
                }
                if let Some(rest) = line.strip_prefix("sign up ") {
                    let (name, metadata) = named(rest);
                    let id = format!("00000000-0000-4000-8000-{:012}", ids.len() + 1);
                    ids.insert(name.clone(), id.clone());
                    steps.push(Step::SignUp(User {
                        name,
                        id,
                        metadata: metadata.to_string(),
                    }));
                    continue;
                }
                if let Some(rest) = line.strip_prefix("as ") {
                    caller = named(rest);
                    continue;
                }
            }
            let (first, mut sql) = open.take().unwrap_or((at + 1, String::new()));
            sql.push_str(line);
            sql.push('\n');
            if line.ends_with(';') {
                steps.push(Step::Ask(request(first, &caller, &sql, &ids)));
            } else {
                open = Some((first, sql));
            }
        }
        assert!(open.is_none(), "the last statement has no semicolon");
        Script { steps }
    }
}

/// A name, and the JSON object after it.
fn named(rest: &str) -> (String, Value) {
    match rest.split_once(' ') {
        Some((name, object)) => (name.to_owned(), serde_json::from_str(object).unwrap()),
        None => (rest.to_owned(), json!({})),
    }
}

fn request(
    line: usize,
    (caller, further): &(String, Value),
    sql: &str,
    ids: &BTreeMap<String, String>,
) -> Request {
    let (role, subject) = match caller.as_str() {
        "anon" => ("anon", None),
        "service" => ("service_role", None),
        user => ("authenticated", Some(ids[user].clone())),
    };
    let mut claims = json!({"role": role});
    if let Some(subject) = &subject {
        claims["sub"] = json!(subject);
        claims["email"] = json!(format!("{caller}@example.com"));
    }
    for (name, value) in further.as_object().unwrap() {
        claims[name] = value.clone();
    }
    Request {
        line,
        caller: caller.clone(),
        role,
        claims: claims.to_string(),
        sql: with_ids(sql.trim().trim_end_matches(';'), ids),
    }
}

/// `:ada` becomes Ada's id. A second colon before it makes it a cast.
fn with_ids(sql: &str, ids: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find(':') {
        let name: String = rest[at + 1..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        match ids.get(&name) {
            Some(id) if at > 0 || !out.ends_with(':') => {
                out.push_str(&rest[..at]);
                out.push_str(&format!("'{id}'"));
            }
            _ => out.push_str(&rest[..=at + name.len()]),
        }
        rest = &rest[at + 1 + name.len()..];
    }
    out + rest
}

#[test]
fn a_script_is_read_as_it_is_written() {
    let script = Script::parse(
        "# About.\nsign up ada {\"name\": \"Ada\"}\n\nas ada {\"plan\": \"pro\"}\nselect ':)' , ::ada\nwhere id = :ada and b = :b;\nas anon\nselect 1;\n",
    );
    let asked: Vec<(usize, &str, &str)> = script
        .requests()
        .map(|request| (request.line, request.role, request.sql.as_str()))
        .collect();
    assert_eq!(
        asked,
        [
            (
                5,
                "authenticated",
                "select ':)' , ::ada\nwhere id = '00000000-0000-4000-8000-000000000001' and b = :b"
            ),
            (8, "anon", "select 1")
        ]
    );
    let claims = &script.requests().next().unwrap().claims;
    assert!(claims.contains("\"plan\":\"pro\""), "{claims}");
}
