//! Text search beside Postgres: generated texts and queries, what is read of them, and which has which.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_sql::search::{Config, Mode, holds, read_document, read_query};
use pando_testkit::Postgres;
use postgres::Client;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many texts, and queries of each kind.
const CASES: usize = 400;

const WORDS: &[&str] = &[
    "the",
    "The",
    "a",
    "cat",
    "cats",
    "Running",
    "ran",
    "and",
    "or",
    "not",
    "on",
    "mats",
    "fat",
    "rats",
    "quickly",
    "organization",
    "can't",
    "it's",
    "O'Brien",
    "well-known",
    "e-mail",
    "state-of-the-art",
    "covid-19",
    "wi-fi6",
    "24/7",
    "and/or",
    "TCP/IP",
    "3D",
    "2nd",
    "1.5",
    "-2.5",
    "+3",
    "1e5",
    "1,000",
    "2024-01-15",
    "12:30",
    "v1.2",
    "10.0.0.1",
    "node.js",
    "e.g.",
    "U.S.A.",
    "me.you@example.com",
    "a@b.c",
    "info@x-y.co.uk",
    "example.com",
    "www.example.com/a/b.html?x=y",
    "http://example.com",
    "https://example.com:8080/path.",
    "ftp://x.y",
    "/usr/local/bin",
    "../z",
    "naïve",
    "café-bar",
    "straße",
    "привет",
    "мир-город",
    "日本語",
    "<b>bold</b>",
    "<br/>",
    "a<b",
    "&amp;",
    "AT&T",
    "C++",
    "#tag",
    "@user",
    "$5.00",
    "50%",
    "foo_bar",
    "__init__",
    "x=y",
    "end.Start",
    "foo--bar",
    "-foo",
    "bar-",
    "abc-123",
    "12-abc",
    "12abc-def",
    "beta-1x",
    "5kg",
    "\"quoted\"",
    "(paren)",
    "one,two;three",
    "...",
    "!",
    "don't",
    "generously",
    "skies",
    "dying",
    "relational",
    "happily",
    "university",
    "localhost:3000/x",
    "not_a_word@x.com",
    "7",
    "-7",
    "x.y.z",
    "half-açaí",
    "a.b",
    "1.2.3.",
    "file.txt",
    "path/to/file.txt",
    "user@host",
    "10km/h",
    "x/y",
];

const OPERANDS: &[&str] = &[
    "cat",
    "cats",
    "the",
    "fat",
    "running",
    "rat",
    "mat",
    "well-known",
    "covid-19",
    "café-bar",
    "24/7",
    "'fat cats'",
    "'it''s'",
    "ca:*",
    "ru:*",
    "me.you@example.com",
    "example.com",
    "3D",
    "a",
    "organ:*",
    "mats:D",
    "rats:A",
    "on",
    "quickli",
    "naïve",
    "привет",
];

/// A generator of our own, so that a failure names its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn text(&mut self) -> String {
        let count = 1 + self.below(12);
        let separators = [" ", " ", " ", " ", ", ", ". ", "\n", " - "];
        let mut text = String::new();
        for index in 0..count {
            if index > 0 {
                text.push_str(self.pick(&separators));
            }
            text.push_str(self.pick(WORDS));
        }
        text
    }

    fn operators(&mut self, depth: usize) -> String {
        match self.below(if depth > 3 { 3 } else { 9 }) {
            0..=2 => self.pick(OPERANDS).to_owned(),
            3 => format!("!{}", self.operand(depth)),
            4 => format!(
                "{} & {}",
                self.operators(depth + 1),
                self.operators(depth + 1)
            ),
            5 => format!(
                "{} | {}",
                self.operators(depth + 1),
                self.operators(depth + 1)
            ),
            6 | 7 => format!("{} <-> {}", self.operand(depth), self.operand(depth)),
            _ => format!(
                "{} <{}> {}",
                self.operand(depth),
                self.below(4),
                self.operand(depth)
            ),
        }
    }

    fn operand(&mut self, depth: usize) -> String {
        if self.below(3) == 0 {
            format!("({})", self.operators(depth + 1))
        } else {
            self.pick(OPERANDS).to_owned()
        }
    }

    fn web(&mut self) -> String {
        let count = 1 + self.below(5);
        let mut text = String::new();
        for index in 0..count {
            if index > 0 {
                text.push(' ');
            }
            match self.below(8) {
                0 => text.push_str("or"),
                1 => text.push_str(&format!("-{}", self.pick(WORDS))),
                2 => text.push_str(&format!("\"{} {}\"", self.pick(WORDS), self.pick(WORDS))),
                3 => text.push_str("OR "),
                _ => text.push_str(self.pick(WORDS)),
            }
        }
        text
    }

    fn query(&mut self, mode: Mode) -> String {
        match mode {
            Mode::Operators => self.operators(0),
            Mode::Plain | Mode::Phrase => {
                let count = 1 + self.below(3);
                let words: Vec<&str> = (0..count).map(|_| self.pick(WORDS)).collect();
                words.join(" ")
            }
            Mode::Web => self.web(),
        }
    }
}

fn ask(client: &mut Client, sql: &str, params: &[&(dyn postgres::types::ToSql + Sync)]) -> String {
    match client.query_one(sql, params) {
        Ok(row) => row.get::<_, Option<String>>(0).unwrap_or_default(),
        Err(error) => error.code().unwrap().code().to_owned(),
    }
}

#[test]
fn texts_and_queries_are_read_as_postgres_reads_them() {
    if Postgres::is_absent() {
        eprintln!("NOT RUN: PostgreSQL 15 is not to be had here");
        return;
    }
    let database = Postgres::shared().unwrap().database().unwrap();
    let mut client = database.connect().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = std::env::var("PANDO_SEARCH_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(now.as_secs() | 1);
    let mut random = Random(seed);
    let mut different = Vec::new();
    let mut compared = 0;
    for config in [Config::English, Config::Simple] {
        let name = config.name();
        let texts: Vec<String> = (0..CASES).map(|_| random.text()).collect();
        for text in &texts {
            compared += 1;
            let sql = format!("select to_tsvector('{name}', $1)::text");
            let theirs = ask(&mut client, &sql, &[text]);
            let ours = read_document(text, config);
            // Postgres prints shorter lexemes first where bytes are equal; which stand where is what counts.
            if sorted(&theirs) != sorted(&ours) {
                different.push(format!("text {text:?}\n  theirs {theirs}\n  ours   {ours}"));
            }
        }
        for mode in [Mode::Operators, Mode::Plain, Mode::Phrase, Mode::Web] {
            for _ in 0..CASES {
                let query = random.query(mode);
                let function = mode.function();
                let sql = format!("select {function}('{name}', $1)::text");
                let theirs = ask(&mut client, &sql, &[&query]);
                let read = read_query(&query, config, mode);
                let ours = match &read {
                    Ok(printed) => printed.clone(),
                    Err(error) => error.state.to_string(),
                };
                compared += 1;
                if theirs != ours {
                    different.push(format!(
                        "{function} {query:?}\n  theirs {theirs}\n  ours   {ours}"
                    ));
                    continue;
                }
                let Ok(printed) = read else { continue };
                for _ in 0..4 {
                    let text = &texts[random.below(texts.len())];
                    let sql = format!(
                        "select (to_tsvector('{name}', $1) @@ {function}('{name}', $2))::text"
                    );
                    let theirs = ask(&mut client, &sql, &[text, &query]);
                    let ours = holds(text, config, &printed).unwrap().to_string();
                    compared += 1;
                    if theirs != ours {
                        different.push(format!(
                            "{text:?} @@ {query:?}\n  theirs {theirs}\n  ours   {ours}"
                        ));
                    }
                }
            }
        }
    }
    eprintln!("{compared} texts, queries and matches compared, seed {seed}");
    assert!(
        different.is_empty(),
        "{} of {compared} differ, seed {seed}:\n{}",
        different.len(),
        different[..different.len().min(40)].join("\n")
    );
}

fn sorted(vector: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = vector.split(' ').collect();
    parts.sort_unstable();
    parts
}
