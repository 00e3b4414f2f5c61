//! Tables with something to hide: every row carries values that stand nowhere else.

use crate::case::{Pair, Step};
use crate::compare::Verdict;
use crate::engine::{Engine as _, Outcome, Who};
use crate::generate::{Generator, Language};
use crate::node::Node;
use crate::random::Random;
use crate::schema::{Column, Table};
use crate::ty::{Ty, USERS, quoted};
use anyhow::{Result, bail};

/// The columns of every table, in order.
const COLUMNS: &[(&str, Ty)] = &[
    ("id", Ty::Int4),
    ("owner", Ty::Uuid),
    ("parent", Ty::Int4),
    ("secret", Ty::Text),
    ("tag", Ty::Text),
    ("n", Ty::Int4),
];

/// The tables; each but the first refers to the one before.
pub const TABLES: &[&str] = &["t1", "t2", "t3"];

/// A row, as the superuser of Postgres sees it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its table.
    pub table: &'static str,
    /// Its key.
    pub id: i32,
    /// What stands nowhere else.
    pub canaries: Vec<String>,
}

/// Makes the tables, their policies and their rows on both engines. The statements that did it are answered.
pub fn make(random: &mut Random, language: &Language, pair: &mut Pair<'_>) -> Result<Vec<String>> {
    let mut history = Vec::new();
    let mut step = |pair: &mut Pair<'_>, node: Node| -> Result<()> {
        let sql = node.sql();
        let answers = pair.step(&Step {
            who: None,
            node,
            ordered: false,
        });
        match answers.verdict {
            Verdict::Different(kind) => bail!(
                "{kind}: {sql}\n  postgres: {}\n  embedded: {}",
                answers.postgres.show(),
                answers.embedded.show()
            ),
            Verdict::Refused(_) => {}
            Verdict::Same => history.push(sql),
        }
        Ok(())
    };
    step(pair, Node::text("create type mood as enum ('sad', 'ok')"))?;
    let mut tables = Vec::new();
    for (at, name) in TABLES.iter().enumerate() {
        let parent = if at == 0 { "t1" } else { TABLES[at - 1] };
        step(
            pair,
            Node::text(format!(
                "create table {name} (id int primary key, owner uuid default auth.uid(), parent int references {parent} (id), \
                 secret text not null, tag text unique, n int check (n <> 666))"
            )),
        )?;
        tables.push(Table {
            name: (*name).to_owned(),
            columns: COLUMNS.iter().map(column).collect(),
            keys: vec![vec!["id".to_owned()], vec!["tag".to_owned()]],
            view: false,
        });
    }
    for at in 0..tables.len() {
        let asked = if random.chance(85) { at } else { tables.len() };
        let policies = Generator::new(random, language, &tables[..asked]).policies(&tables[at]);
        for policy in policies {
            // A table whose rows nothing protects is not reachable by REST at all, which tests of the service show. A right to some
            // of the columns makes `select=*` an error, and then the rows that Postgres shows say nothing.
            let sql = policy.sql();
            let of_columns = sql.starts_with("grant ") && sql.contains(" (");
            if !sql.contains("disable row level security") && !of_columns {
                step(pair, policy)?;
            }
        }
    }
    for name in TABLES {
        for id in 1..=random.between(3, 6) {
            let owner = random.pick(USERS);
            let parent = random.pick(&["null", "1", "2", "3"]);
            step(
                pair,
                Node::text(format!(
                    "insert into {name} (id, owner, parent, secret, tag, n) values ({id}, {}, {parent}, {}, {}, {})",
                    quoted(owner),
                    quoted(&canary(random)),
                    quoted(&canary(random)),
                    number(random),
                )),
            )?;
        }
    }
    Ok(history)
}

fn column((name, ty): &(&str, Ty)) -> Column {
    Column {
        name: (*name).to_owned(),
        ty: ty.clone(),
        not_null: matches!(*name, "id" | "secret"),
        has_default: *name == "owner",
        generated: false,
        refers: None,
    }
}

/// A text that stands nowhere else.
pub fn canary(random: &mut Random) -> String {
    format!("canary{:012x}", random.number() >> 16)
}

/// A number that stands nowhere else.
pub fn number(random: &mut Random) -> String {
    (1_000_000_000 + random.below(1_000_000_000)).to_string()
}

/// All rows there are.
pub fn rows(pair: &mut Pair<'_>) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    for table in TABLES {
        let sql = format!("select concat_ws('|', id, secret, tag, n) from {table}");
        for line in pair.postgres.ask(&sql)?.into_iter().flatten() {
            let mut parts = line.split('|').map(str::to_owned);
            let id = parts.next().and_then(|id| id.parse().ok());
            found.push(Row {
                table,
                id: id.unwrap_or_default(),
                canaries: parts.filter(|part| part.len() >= 10).collect(),
            });
        }
    }
    Ok(found)
}

/// The keys of the rows that somebody sees in a table, says Postgres; none when reading it is an error.
pub fn visible(pair: &mut Pair<'_>, who: &Who, table: &str) -> Vec<i32> {
    match pair
        .postgres
        .run(who, &format!("select id from {table} order by id"))
    {
        Outcome::Done { rows, .. } => rows.iter().filter_map(|row| id_of(row)).collect(),
        _ => Vec::new(),
    }
}

/// The number after `"id":`.
pub fn id_of(row: &str) -> Option<i32> {
    let rest = row.split_once("\"id\":")?.1;
    let end = rest.find([',', '}']).unwrap_or(rest.len());
    rest[..end].trim().parse().ok()
}
