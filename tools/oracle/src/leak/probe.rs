//! Requests that try to see what must not be seen, each with the SQL that means the same.

use super::rest::Ask;
use super::world::{Row, TABLES, canary, number};
use crate::random::Random;
use crate::ty::{USERS, quoted};
use http::Method;

/// A request, and what it means.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What is sent.
    pub ask: Ask,
    /// What Postgres is asked for the same; its rows have a column `id`.
    pub sql: Option<String>,
    /// What Postgres is asked for the total, when it is asked for.
    pub count: Option<String>,
    /// Whether the answer's rows are to be compared with Postgres'.
    pub rows: bool,
    /// Whether their order is to be compared too.
    pub ordered: bool,
    /// Whether rows may change.
    pub writes: bool,
    /// The way it takes, for the count.
    pub path: &'static str,
}

/// A filter in both languages.
struct Filter {
    query: String,
    sql: String,
}

/// Makes a probe; `rows` are those there are, hidden ones too.
pub fn probe(random: &mut Random, rows: &[Row]) -> Probe {
    match random.below(20) {
        0..=5 => list(random, rows),
        6..=7 => embed(random, rows),
        8 => head(random, rows),
        9 => single(random, rows),
        10..=12 => insert(random, rows),
        13..=14 => upsert(random, rows),
        15..=17 => update(random, rows),
        18 => delete(random, rows),
        _ => odd(random, rows),
    }
}

fn ask(method: Method, path: String) -> Ask {
    Ask {
        method,
        path,
        headers: Vec::new(),
        body: String::new(),
    }
}

fn table(random: &mut Random) -> &'static str {
    random.word(TABLES)
}

/// A value somebody may have guessed: one of a row there is, rather a hidden one.
fn guess(random: &mut Random, rows: &[Row]) -> String {
    if rows.is_empty() || random.chance(20) {
        return canary(random);
    }
    let row = random.pick(rows);
    let texts: Vec<&String> = row
        .canaries
        .iter()
        .filter(|canary| canary.starts_with("canary"))
        .collect();
    match texts.is_empty() {
        true => canary(random),
        false => (*random.pick(&texts)).clone(),
    }
}

fn filter(random: &mut Random, rows: &[Row]) -> Filter {
    let made = |query: String, sql: String| Filter { query, sql };
    match random.below(12) {
        0 => {
            let id = random.between(1, 7);
            made(format!("id=eq.{id}"), format!("id = {id}"))
        }
        1 => {
            let value = guess(random, rows);
            let column = random.word(&["secret", "tag"]);
            made(
                format!("{column}=eq.{value}"),
                format!("{column} = {}", quoted(&value)),
            )
        }
        2 => {
            let value = guess(random, rows);
            let start = &value[..random.between(6, 8)];
            made(
                format!("secret=like.{start}*"),
                format!("secret like {}", quoted(&format!("{start}%"))),
            )
        }
        3 => {
            let bound = number(random);
            let (op, sign) = *random.pick(&[("gt", ">"), ("lt", "<"), ("gte", ">=")]);
            made(format!("n={op}.{bound}"), format!("n {sign} {bound}"))
        }
        4 => {
            let owner = *random.pick(USERS);
            made(
                format!("owner=eq.{owner}"),
                format!("owner = {}", quoted(owner)),
            )
        }
        5 => made("parent=is.null".to_owned(), "parent is null".to_owned()),
        6 => made(
            "parent=not.is.null".to_owned(),
            "parent is not null".to_owned(),
        ),
        7 => made("id=in.(1,3,5)".to_owned(), "id in (1, 3, 5)".to_owned()),
        8 => {
            let value = guess(random, rows);
            made(
                format!("or=(secret.eq.{value},id.lt.3)"),
                format!("(secret = {} or id < 3)", quoted(&value)),
            )
        }
        9 => {
            let value = guess(random, rows);
            made(
                format!("tag=neq.{value}"),
                format!("tag <> {}", quoted(&value)),
            )
        }
        10 => {
            let value = guess(random, rows);
            made(
                format!("not.and=(tag.eq.{value},n.gt.5)"),
                format!("not (tag = {} and n > 5)", quoted(&value)),
            )
        }
        _ => made(
            "secret=ilike.*CANARY*".to_owned(),
            "secret ilike '%CANARY%'".to_owned(),
        ),
    }
}

fn filters(random: &mut Random, rows: &[Row], least: usize) -> (Vec<String>, String) {
    let mut query = Vec::new();
    let mut sql = Vec::new();
    for _ in 0..random.between(least, 2) {
        let one = filter(random, rows);
        // A name that stands twice in a query is fine; the same filter twice says nothing.
        if !query.contains(&one.query) {
            query.push(one.query);
            sql.push(one.sql);
        }
    }
    let sql = if sql.is_empty() {
        String::new()
    } else {
        format!(" where {}", sql.join(" and "))
    };
    (query, sql)
}

fn path(table: &str, query: &[String]) -> String {
    format!("/{table}?{}", query.join("&"))
}

fn counted(random: &mut Random, ask: &mut Ask, table: &str, sql: &str) -> Option<String> {
    if !random.chance(50) {
        return None;
    }
    prefer(ask, "count=exact");
    Some(format!("select count(*)::int as id from {table}{sql}"))
}

fn prefer(ask: &mut Ask, word: &str) {
    match ask.headers.iter_mut().find(|(name, _)| *name == "prefer") {
        Some((_, value)) => {
            value.push(',');
            value.push_str(word);
        }
        None => ask.headers.push(("prefer", word.to_owned())),
    }
}

fn list(random: &mut Random, rows: &[Row]) -> Probe {
    let table = table(random);
    let (mut query, sql) = filters(random, rows, 0);
    query.push(format!(
        "select={}",
        random.word(&["*", "id", "id,secret", "id,n,tag", "id,x:secret,owner"])
    ));
    let order = random.word(&[
        "",
        "id",
        "secret,id",
        "n.desc,id",
        "tag.desc.nullslast,id",
        "owner,id.desc",
    ]);
    let mut statement = format!("select id from {table}{sql}");
    if !order.is_empty() {
        query.push(format!("order={order}"));
        let order = order
            .replace(".desc", " desc")
            .replace(".nullslast", " nulls last");
        statement = format!("{statement} order by {order}");
    }
    if !order.is_empty() && random.chance(30) {
        let limit = random.between(1, 3);
        query.push(format!("limit={limit}"));
        statement = format!("{statement} limit {limit}");
    }
    let mut ask = ask(Method::GET, path(table, &query));
    let count = counted(random, &mut ask, table, &sql);
    let csv = random.chance(10);
    if csv {
        ask.headers.push(("accept", "text/csv".to_owned()));
    }
    Probe {
        ask,
        sql: Some(statement),
        count,
        rows: !csv,
        ordered: !order.is_empty(),
        writes: false,
        path: "list",
    }
}

fn embed(random: &mut Random, rows: &[Row]) -> Probe {
    let (child, parent) = *random.pick(&[("t2", "t1"), ("t3", "t2")]);
    let downwards = random.chance(50);
    let (outer, inner) = if downwards {
        (parent, child)
    } else {
        (child, parent)
    };
    let joined = if downwards {
        format!("{inner}.parent = {outer}.id")
    } else {
        format!("{outer}.parent = {inner}.id")
    };
    let one = filter(random, rows);
    let must = random.chance(60);
    let mark = if must { "!inner" } else { "" };
    let mut query = vec![format!("select=id,secret,{inner}{mark}(id,secret,tag,n)")];
    let mut sql = String::new();
    // What is embedded is read too, and may fail to be.
    let also = format!("(select count(*) from {inner} where {joined}) as embedded");
    if must {
        let filtered =
            random.chance(60) && !one.query.starts_with("or=") && !one.query.starts_with("not.");
        let mut condition = joined;
        if filtered {
            query.push(format!("{inner}.{}", one.query));
            let column = one.sql.split(' ').next().unwrap_or_default();
            condition = format!("{condition} and {inner}.{}", one.sql);
            debug_assert!(one.sql.starts_with(column));
        }
        sql = format!(" where exists (select 1 from {inner} where {condition})");
    }
    let mut ask = ask(Method::GET, path(outer, &query));
    let count = counted(random, &mut ask, outer, &sql);
    Probe {
        ask,
        sql: Some(format!("select {outer}.id, {also} from {outer}{sql}")),
        count,
        rows: true,
        ordered: false,
        writes: false,
        path: "embed",
    }
}

fn head(random: &mut Random, rows: &[Row]) -> Probe {
    let table = table(random);
    let (query, sql) = filters(random, rows, 1);
    let mut ask = ask(Method::HEAD, path(table, &query));
    prefer(&mut ask, "count=exact");
    Probe {
        ask,
        sql: Some(format!("select id from {table}{sql}")),
        count: Some(format!("select count(*)::int as id from {table}{sql}")),
        rows: false,
        ordered: false,
        writes: false,
        path: "count",
    }
}

fn single(random: &mut Random, rows: &[Row]) -> Probe {
    let table = table(random);
    let (query, _) = filters(random, rows, 1);
    let mut ask = ask(Method::GET, path(table, &query));
    let accept = random.word(&["application/vnd.pgrst.object+json", "text/csv"]);
    ask.headers.push(("accept", accept.to_owned()));
    Probe {
        ask,
        sql: None,
        count: None,
        rows: false,
        ordered: false,
        writes: false,
        path: "single",
    }
}

/// A row to write, as JSON and as SQL: names, values.
struct Written {
    json: String,
    names: String,
    values: String,
    sets: Vec<&'static str>,
}

fn written(random: &mut Random, rows: &[Row]) -> Written {
    let id = random.between(1, 9);
    let secret = canary(random);
    let mut json = format!("{{\"id\":{id},\"secret\":\"{secret}\"");
    let mut names = "id, secret".to_owned();
    let mut values = format!("{id}, {}", quoted(&secret));
    let mut sets = vec!["id", "secret"];
    if random.chance(50) {
        let tag = guess(random, rows);
        json.push_str(&format!(",\"tag\":\"{tag}\""));
        names.push_str(", tag");
        values.push_str(&format!(", {}", quoted(&tag)));
        sets.push("tag");
    }
    if random.chance(50) {
        let owner = *random.pick(USERS);
        json.push_str(&format!(",\"owner\":\"{owner}\""));
        names.push_str(", owner");
        values.push_str(&format!(", {}", quoted(owner)));
        sets.push("owner");
    }
    if random.chance(30) {
        let n = random.word(&["666", "5", "null"]);
        json.push_str(&format!(",\"n\":{n}"));
        names.push_str(", n");
        values.push_str(&format!(", {n}"));
        sets.push("n");
    }
    if random.chance(30) {
        let parent = random.between(1, 9);
        json.push_str(&format!(",\"parent\":{parent}"));
        names.push_str(", parent");
        values.push_str(&format!(", {parent}"));
        sets.push("parent");
    }
    json.push('}');
    Written {
        json,
        names,
        values,
        sets,
    }
}

fn returning(random: &mut Random, ask: &mut Ask) -> &'static str {
    if random.chance(60) {
        prefer(ask, "return=representation");
        " returning *"
    } else {
        ""
    }
}

fn insert(random: &mut Random, rows: &[Row]) -> Probe {
    let table = table(random);
    let row = written(random, rows);
    let mut ask = ask(Method::POST, format!("/{table}"));
    ask.body = row.json;
    let returning = returning(random, &mut ask);
    Probe {
        ask,
        sql: Some(format!(
            "insert into {table} ({}) values ({}){returning}",
            row.names, row.values
        )),
        count: None,
        rows: !returning.is_empty(),
        ordered: false,
        writes: true,
        path: "insert",
    }
}

fn upsert(random: &mut Random, rows: &[Row]) -> Probe {
    let table = table(random);
    let row = written(random, rows);
    let by = if row.sets.contains(&"tag") {
        random.word(&["id", "tag"])
    } else {
        "id"
    };
    let mut ask = ask(Method::POST, format!("/{table}?on_conflict={by}"));
    ask.body = row.json;
    let action = if random.chance(60) {
        prefer(&mut ask, "resolution=merge-duplicates");
        let sets: Vec<String> = row
            .sets
            .iter()
            .map(|name| format!("{name} = excluded.{name}"))
            .collect();
        format!("do update set {}", sets.join(", "))
    } else {
        prefer(&mut ask, "resolution=ignore-duplicates");
        "do nothing".to_owned()
    };
    let returning = returning(random, &mut ask);
    Probe {
        ask,
        sql: Some(format!(
            "insert into {table} ({}) values ({}) on conflict ({by}) {action}{returning}",
            row.names, row.values
        )),
        count: None,
        rows: !returning.is_empty(),
        ordered: false,
        writes: true,
        path: "upsert",
    }
}

fn update(random: &mut Random, rows: &[Row]) -> Probe {
    let table = table(random);
    let (query, sql) = filters(random, rows, 1);
    let mut ask = ask(Method::PATCH, path(table, &query));
    let (body, set) = match random.below(6) {
        0 | 1 => {
            let secret = canary(random);
            (
                format!("{{\"secret\":\"{secret}\"}}"),
                format!("secret = {}", quoted(&secret)),
            )
        }
        2 => {
            let tag = guess(random, rows);
            (
                format!("{{\"tag\":\"{tag}\"}}"),
                format!("tag = {}", quoted(&tag)),
            )
        }
        3 => ("{\"n\":666}".to_owned(), "n = 666".to_owned()),
        4 => {
            let owner = *random.pick(USERS);
            (
                format!("{{\"owner\":\"{owner}\"}}"),
                format!("owner = {}", quoted(owner)),
            )
        }
        _ => {
            let parent = random.between(1, 9);
            (
                format!("{{\"parent\":{parent}}}"),
                format!("parent = {parent}"),
            )
        }
    };
    ask.body = body;
    let returning = returning(random, &mut ask);
    Probe {
        ask,
        sql: Some(format!("update {table} set {set}{sql}{returning}")),
        count: None,
        rows: !returning.is_empty(),
        ordered: false,
        writes: true,
        path: "update",
    }
}

fn delete(random: &mut Random, rows: &[Row]) -> Probe {
    let table = table(random);
    let (mut query, mut sql) = filters(random, rows, 1);
    query.push("id=gt.2".to_owned());
    sql.push_str(" and id > 2");
    let mut ask = ask(Method::DELETE, path(table, &query));
    let returning = returning(random, &mut ask);
    Probe {
        ask,
        sql: Some(format!("delete from {table}{sql}{returning}")),
        count: None,
        rows: !returning.is_empty(),
        ordered: false,
        writes: true,
        path: "delete",
    }
}

/// Requests that are wrong, whose errors may say too much.
fn odd(random: &mut Random, rows: &[Row]) -> Probe {
    let table = table(random);
    let value = guess(random, rows);
    let ask = match random.below(8) {
        0 => ask(Method::GET, format!("/{table}?n=eq.{value}")),
        1 => ask(Method::GET, format!("/{table}?secrets=eq.{value}")),
        2 => ask(Method::GET, format!("/{table}?select=id,secret::int")),
        3 => ask(Method::GET, format!("/{table}?secret=fts.{value}")),
        4 => Ask {
            headers: vec![
                ("range", "5-9".to_owned()),
                ("prefer", "count=exact".to_owned()),
            ],
            ..ask(Method::GET, format!("/{table}?select=id"))
        },
        5 => Ask {
            body: "{\"id\":1,\"secret\":null}".to_owned(),
            ..ask(Method::POST, format!("/{table}"))
        },
        6 => Ask {
            body: "{\"id\":2,\"secret\":\"x\",\"n\":\"many\"}".to_owned(),
            ..ask(Method::POST, format!("/{table}"))
        },
        _ => ask(
            Method::GET,
            format!("/{table}?order=secret->>x&tag=match.^{value}"),
        ),
    };
    Probe {
        ask,
        sql: None,
        count: None,
        rows: false,
        ordered: false,
        writes: false,
        path: "error",
    }
}
