//! Looks for leaks: requests over REST by those who may not see a row, none of whose answers may hold what is in it.
//!
//! Which rows somebody sees is asked of Postgres, as that role with those claims. What a request means is asked of it too, so that
//! an answer with too few or too many rows, or a count that tells of hidden ones, is found as well.

mod probe;
mod rest;
mod world;

use crate::case::Pair;
use crate::engine::{Engine as _, Outcome, Who};
use crate::generate::Language;
use crate::on_postgres::OnPostgres;
use crate::probe as constructs;
use crate::random::Random;
use crate::ty::USERS;
use anyhow::Result;
use probe::Probe;
use rest::{Answer, Rest};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};
use world::{Row, TABLES};

/// How many probes are sent to a set of tables.
const PROBES: usize = 100;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What everything follows from.
    pub seed: u64,
    /// How many probes.
    pub probes: usize,
    /// After how many findings to stop.
    pub findings_max: usize,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Probes sent.
    pub probes: usize,
    /// How many of each way.
    pub paths: BTreeMap<&'static str, usize>,
    /// Hidden rows that could have been shown, over all probes.
    pub hidden: usize,
    /// Rows that Postgres showed, over all probes: a run in which there was nothing to see would prove nothing.
    pub shown: usize,
    /// Values of hidden rows in answers.
    pub leaks: Vec<String>,
    /// Answers that mean something else than Postgres'.
    pub differences: Vec<String>,
    /// How many more differences there were.
    pub more: usize,
    /// How long it took.
    pub took: Duration,
}

/// Sends probes until there were enough of them, or enough was found.
pub fn run(options: Options, postgres: &mut OnPostgres) -> Result<Report> {
    let began = Instant::now();
    let language = constructs::language(postgres)?.language;
    let mut report = Report::default();
    let mut seeds = Random::new(options.seed);
    while report.probes < options.probes && report.leaks.len() < options.findings_max {
        let mut random = Random::new(seeds.number());
        let most = PROBES.min(options.probes - report.probes);
        batch(&mut random, &language, postgres, &mut report, most, options)?;
    }
    report.took = began.elapsed();
    Ok(report)
}

fn batch(
    random: &mut Random,
    language: &Language,
    postgres: &mut OnPostgres,
    report: &mut Report,
    most: usize,
    options: Options,
) -> Result<()> {
    let mut pair = Pair::open(postgres)?;
    let mut history = match world::make(random, language, &mut pair) {
        Ok(history) => history,
        Err(difference) => {
            report.differ(options, difference.to_string());
            return Ok(());
        }
    };
    let rest = Rest::over(&pair.embedded);
    let mut rows = world::rows(&mut pair)?;
    let mut seen: BTreeMap<String, Vec<(&'static str, Vec<i32>)>> = BTreeMap::new();
    for _ in 0..most {
        let who = match random.below(5) {
            0 | 1 => Who::anon(),
            2 => Who::user(USERS[1]),
            _ => Who::user(USERS[0]),
        };
        let probe = probe::probe(random, &rows);
        report.probes += 1;
        *report.paths.entry(probe.path).or_default() += 1;
        let before = seen
            .entry(who.to_string())
            .or_insert_with(|| visible(&mut pair, &who))
            .clone();
        let answer = rest.send(&pair.embedded, &who, &probe.ask)?;
        let said = probe.sql.as_ref().map(|sql| pair.postgres.run(&who, sql));
        let counted = probe.count.as_ref().map(|sql| pair.postgres.run(&who, sql));
        let mut after = before.clone();
        let mut all = rows.clone();
        let mut apart = false;
        if probe.writes {
            seen.clear();
            after = visible(&mut pair, &who);
            rows = world::rows(&mut pair)?;
            all.extend(rows.clone());
            apart = TABLES
                .iter()
                .any(|table| pair.postgres.content(table) != pair.embedded.content(table));
        }
        report.shown += before.iter().map(|(_, ids)| ids.len()).sum::<usize>();
        let hidden: Vec<&Row> = all
            .iter()
            .filter(|row| !sees(&before, row) && !sees(&after, row))
            .collect();
        report.hidden += hidden.len();
        let told = |history: &[String]| {
            format!(
                "{}\n-- as {who}\n-- {}\n-- answer: {} {}\n{}",
                history
                    .iter()
                    .map(|sql| format!("{sql};\n"))
                    .collect::<String>(),
                probe.ask,
                answer.status,
                answer.body.chars().take(600).collect::<String>(),
                said.iter()
                    .map(|said| format!(
                        "-- postgres: {} -> {}\n",
                        probe.sql.as_deref().unwrap_or_default(),
                        said.show()
                    ))
                    .collect::<String>(),
            )
        };
        // A guess that was written where it may be seen tells nothing.
        let known: Vec<&String> = all
            .iter()
            .filter(|row| sees(&before, row) || sees(&after, row))
            .flat_map(|row| &row.canaries)
            .collect();
        if let Some(leak) = leaked(&probe, &answer, &hidden, &known) {
            report.leaks.push(format!("{leak}\n{}", told(&history)));
        } else if let Some(what) = differs(&probe, &answer, said.as_ref(), counted.as_ref(), apart)
        {
            report.differ(options, format!("{what}\n{}", told(&history)));
        }
        if apart {
            // The engines hold other rows from here on.
            return Ok(());
        }
        if probe.writes && answer.status < 300 {
            history.extend(probe.sql.map(|sql| format!("-- as {who}\n{sql}")));
        }
    }
    Ok(())
}

fn visible(pair: &mut Pair<'_>, who: &Who) -> Vec<(&'static str, Vec<i32>)> {
    let mut found = Vec::new();
    for table in TABLES {
        found.push((*table, world::visible(pair, who, table)));
    }
    found
}

fn sees(visible: &[(&'static str, Vec<i32>)], row: &Row) -> bool {
    visible
        .iter()
        .any(|(table, ids)| *table == row.table && ids.contains(&row.id))
}

/// A value of a hidden row in the answer, but for those the request holds itself, and those that rows in sight hold too.
fn leaked(probe: &Probe, answer: &Answer, hidden: &[&Row], known: &[&String]) -> Option<String> {
    let sent = |canary: &str| probe.ask.path.contains(canary) || probe.ask.body.contains(canary);
    for row in hidden {
        for canary in row.canaries.iter().filter(|canary| !known.contains(canary)) {
            let canary = canary.as_str();
            if !sent(canary) && (answer.body.contains(canary) || answer.headers.contains(canary)) {
                return Some(format!(
                    "LEAK: {canary} of {} {} is in the answer",
                    row.table, row.id
                ));
            }
        }
    }
    None
}

/// How the answer says another thing than Postgres does.
fn differs(
    probe: &Probe,
    answer: &Answer,
    said: Option<&Outcome>,
    counted: Option<&Outcome>,
    apart: bool,
) -> Option<String> {
    // What Postgres calls a recursion of policies is a 500 to PostgREST too.
    if answer.status >= 500
        && !matches!(said, Some(Outcome::Failed { .. }))
        && !answer.body.contains("\"42P17\"")
    {
        return Some(format!("an answer of {}", answer.status));
    }
    if apart {
        return Some("the tables hold other rows afterwards".to_owned());
    }
    let failed = answer.status >= 400 && answer.status != 416;
    match said {
        // Times are kept within the years 1 to 9999; beyond them is an error, never another row.
        Some(Outcome::Done { .. }) if failed && answer.body.contains("\"22008\"") => {
            return None;
        }
        Some(Outcome::Done { .. }) if failed => {
            return Some("an error, where Postgres has none".to_owned());
        }
        Some(Outcome::Failed { state, .. }) => {
            if !failed {
                return Some("no error, where Postgres has one".to_owned());
            }
            // Closed first: who may not write a row, or read a table that a policy asks, is told that before what else is wrong.
            let closed =
                (state.starts_with("23") || state == "42P17") && answer.body.contains("\"42501\"");
            if !closed
                && !probe.ask.method.eq(&http::Method::HEAD)
                && !answer.body.contains(&format!("\"code\":\"{state}\""))
            {
                return Some("another error than Postgres'".to_owned());
            }
            return None;
        }
        _ => {}
    }
    if let Some(Outcome::Done { rows, .. }) = counted {
        let total = rows.first().and_then(|row| world::id_of(row));
        let ours = answer.total().and_then(|total| i32::try_from(total).ok());
        if total != ours {
            return Some(format!("a count of {ours:?}, where Postgres has {total:?}"));
        }
    }
    if let (true, Some(Outcome::Done { rows, .. })) = (probe.rows, said) {
        let ids = |rows: &[String]| -> Vec<Option<i32>> {
            let mut ids: Vec<Option<i32>> = rows.iter().map(|row| world::id_of(row)).collect();
            if !probe.ordered {
                ids.sort_unstable();
            }
            ids
        };
        let ours = crate::json::members(&answer.body);
        if ids(rows) != ids(&ours) {
            return Some("other rows than Postgres'".to_owned());
        }
    }
    None
}

impl Report {
    fn differ(&mut self, options: Options, what: String) {
        if self.differences.len() < options.findings_max {
            self.differences.push(what);
        } else {
            self.more += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} probes in {:.1} s ({} hidden rows to be shown by mistake, {} to be seen): {} leaks, {} other differences",
            self.probes,
            self.took.as_secs_f64(),
            self.hidden,
            self.shown,
            self.leaks.len(),
            self.differences.len() + self.more,
        )?;
        let paths: Vec<String> = self
            .paths
            .iter()
            .map(|(path, count)| format!("{path} {count}"))
            .collect();
        writeln!(f, "  {}", paths.join(", "))?;
        for finding in self.leaks.iter().chain(&self.differences) {
            writeln!(f, "\n### {finding}")?;
        }
        Ok(())
    }
}
