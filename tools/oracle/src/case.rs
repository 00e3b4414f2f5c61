//! A case: steps that lead to a statement which the engines answered differently. Kept as a file, it is run again for ever.
//!
//! ```text
//! -- what it is about
//! --- schema
//! create table t (id int primary key);
//! --- as service_role
//! insert into t values (1);
//! --- as authenticated 11111111-1111-4111-8111-111111111111, ordered
//! select id from t order by id;
//! ```

use crate::compare::{Difference, Verdict, compare};
use crate::engine::{Engine, Outcome, Who};
use crate::node::Node;
use crate::on_embedded::OnEmbedded;
use crate::on_postgres::OnPostgres;
use anyhow::{Context as _, Result, bail};
use std::fmt::Write as _;

/// One thing that is asked of both engines.
#[derive(Clone, Debug)]
pub struct Step {
    /// Who asks; none for a statement of a migration.
    pub who: Option<Who>,
    /// What is asked.
    pub node: Node,
    /// Whether the order of the rows is given whole.
    pub ordered: bool,
}

/// What both engines said to a step.
#[derive(Clone, Debug)]
pub struct Answers {
    /// Postgres.
    pub postgres: Outcome,
    /// The embedded engine.
    pub embedded: Outcome,
    /// What to make of it.
    pub verdict: Verdict,
    /// What the tables hold afterwards, where they differ.
    pub effects: String,
    /// Whether Postgres fails like this already when it plans the statement: it computes constants then, whatever the rows are.
    pub planned: bool,
    /// Whether Postgres' plan does not read the table that the embedded engine says no right is held on.
    pub left_out: bool,
    /// Whether a policy calls a function of the schema's own.
    pub calling_policies: bool,
}

/// The two engines, in the same state.
pub struct Pair<'p> {
    /// The oracle.
    pub postgres: &'p mut OnPostgres,
    /// What is compared with it.
    pub embedded: OnEmbedded,
    /// The tables that were made.
    tables: Vec<String>,
    /// The functions that were made, as they are called.
    functions: Vec<String>,
    calling_policies: bool,
}

impl<'p> Pair<'p> {
    /// Both empty.
    pub fn open(postgres: &'p mut OnPostgres) -> Result<Pair<'p>> {
        postgres.reset()?;
        postgres.types = true;
        Ok(Pair {
            postgres,
            embedded: OnEmbedded::open()?,
            tables: Vec::new(),
            functions: Vec::new(),
            calling_policies: false,
        })
    }

    /// Runs a step on both. What the embedded engine refuses is not run on Postgres, so that they stay alike.
    pub fn step(&mut self, step: &Step) -> Answers {
        let sql = step.node.sql();
        let embedded = match &step.who {
            Some(who) => self.embedded.run(who, &sql),
            None => self.embedded.migrate(&sql),
        };
        if let Outcome::Refused { construct } = &embedded {
            return Answers {
                postgres: Outcome::Done {
                    rows: Vec::new(),
                    types: Vec::new(),
                },
                verdict: Verdict::Refused(construct.clone()),
                embedded,
                effects: String::new(),
                planned: false,
                left_out: false,
                calling_policies: self.calling_policies,
            };
        }
        let postgres = match &step.who {
            Some(who) => self.postgres.run(who, &sql),
            None => self.postgres.migrate(&sql),
        };
        let mut verdict = compare(&postgres, &embedded, step.ordered);
        let worded = verdict == Verdict::Different(Difference::Message);
        let mut effects = String::new();
        if step.who.is_none() {
            if let Some(rest) = sql.strip_prefix("create function ") {
                let name = rest.split('(').next().unwrap_or_default();
                self.functions.push(format!("{name}("));
            }
            self.calling_policies |= sql.starts_with("create policy ")
                && self.functions.iter().any(|call| sql.contains(call));
            if let Some(rest) = sql.strip_prefix("create table ")
                && verdict == Verdict::Same
                && matches!(postgres, Outcome::Done { .. })
            {
                let name = rest.split([' ', '(']).next().unwrap_or_default();
                self.tables.push(name.to_owned());
            }
            // A migration names what is wrong in words of its own.
            let both = |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. });
            if both(&postgres) && both(&embedded) {
                verdict = Verdict::Same;
            }
        } else if (verdict == Verdict::Same || worded) && changes(&sql) {
            effects = self.differing();
            if !effects.is_empty() {
                verdict = Verdict::Different(Difference::Effects);
            }
        }
        let planned = match (&verdict, &postgres, &step.who) {
            (Verdict::Different(_), Outcome::Failed { state, .. }, Some(who)) => {
                let explained = self.postgres.run(who, &format!("explain {sql}"));
                matches!(explained, Outcome::Failed { state: again, .. } if again == *state)
            }
            _ => false,
        };
        let left_out = match (&postgres, &embedded, &step.who) {
            (Outcome::Done { .. }, Outcome::Failed { state, message }, Some(who))
                if state == "42501" =>
            {
                let function = message.strip_prefix("permission denied for function ");
                if let Some(function) = function {
                    !self
                        .postgres
                        .plan(who, &sql)
                        .contains(&format!("{function}("))
                } else {
                    message
                        .strip_prefix("permission denied for table ")
                        .is_some_and(|table| {
                            !self
                                .postgres
                                .plan(who, &sql)
                                .contains(&format!(" on public.{table}"))
                        })
                }
            }
            _ => false,
        };
        Answers {
            postgres,
            embedded,
            verdict,
            effects,
            planned,
            left_out,
            calling_policies: self.calling_policies,
        }
    }

    /// What the tables hold where it differs, a line for each row that only one of them has.
    fn differing(&mut self) -> String {
        let mut out = String::new();
        for table in self.tables.clone() {
            let (one, other) = (self.postgres.content(&table), self.embedded.content(&table));
            for (engine, rows, others) in [("postgres", &one, &other), ("embedded", &other, &one)] {
                for row in rows.iter().filter(|row| !others.contains(row)) {
                    let _ = writeln!(out, "-- {table}, {engine}: {row}");
                }
            }
        }
        out
    }
}

fn changes(sql: &str) -> bool {
    ["insert", "update", "delete", "with"]
        .iter()
        .any(|word| sql.starts_with(word))
}

/// Steps, the last of which is what it is about.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about, for people.
    pub title: String,
    /// In order.
    pub steps: Vec<Step>,
}

impl Case {
    /// Runs it from the start, on engines that are empty; answers what was said to each step.
    pub fn run(&self, postgres: &mut OnPostgres) -> Result<Vec<Answers>> {
        let mut pair = Pair::open(postgres)?;
        Ok(self.steps.iter().map(|step| pair.step(step)).collect())
    }

    /// How the last step differs without being meant to, provided that no step before it does.
    pub fn difference(&self, postgres: &mut OnPostgres) -> Result<Option<(Difference, Answers)>> {
        let mut pair = Pair::open(postgres)?;
        for (at, step) in self.steps.iter().enumerate() {
            let answers = pair.step(step);
            let last = at + 1 == self.steps.len();
            match answers.verdict {
                Verdict::Different(difference) if last => {
                    let sql = step.node.sql();
                    let meant = crate::explained::reason(&sql, difference, &answers).is_some()
                        || crate::probe::wrongly_an_error(&answers);
                    return Ok((!meant).then_some((difference, answers)));
                }
                Verdict::Different(Difference::Message) => {}
                Verdict::Different(_) => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }

    /// As a case file.
    pub fn write(&self) -> String {
        let mut out = String::new();
        for line in self.title.lines() {
            let _ = writeln!(out, "-- {line}");
        }
        let mut before: Option<String> = None;
        for step in &self.steps {
            let ordered = if step.ordered { ", ordered" } else { "" };
            let heading = match &step.who {
                None => "--- schema".to_owned(),
                Some(who) => format!("--- as {who}{ordered}"),
            };
            if before.as_ref() != Some(&heading) {
                let _ = writeln!(out, "{heading}");
                before = Some(heading);
            }
            let _ = writeln!(out, "{};", step.node.sql());
        }
        out
    }

    /// A case file, read. A statement ends with a semicolon at the end of a line.
    pub fn parse(text: &str) -> Result<Case> {
        let mut case = Case {
            title: String::new(),
            steps: Vec::new(),
        };
        let mut heading = None;
        let mut statement = String::new();
        for line in text.lines() {
            if let Some(words) = line.strip_prefix("--- ") {
                heading = Some(words.to_owned());
            } else if let Some(comment) = line.strip_prefix("--") {
                if heading.is_none() {
                    case.title.push_str(comment.trim());
                    case.title.push('\n');
                }
            } else {
                statement.push_str(if statement.is_empty() { "" } else { "\n" });
                statement.push_str(line);
                let Some(sql) = statement.trim_end().strip_suffix(';') else {
                    continue;
                };
                let heading = heading
                    .as_deref()
                    .context("a statement before any heading")?;
                let (words, ordered) = match heading.strip_suffix(", ordered") {
                    Some(words) => (words, true),
                    None => (heading, false),
                };
                let who = match words.strip_prefix("as ") {
                    Some(who) => Some(Who::parse(who).with_context(|| format!("who is {who:?}?"))?),
                    None if words == "schema" => None,
                    None => bail!("{heading:?} is neither `schema` nor `as <role>`"),
                };
                case.steps.push(Step {
                    who,
                    node: Node::text(sql.trim()),
                    ordered,
                });
                statement.clear();
            }
        }
        if !statement.trim().is_empty() {
            bail!("the last statement has no semicolon");
        }
        Ok(case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_file_reads_as_it_was_written() {
        let text = "-- nulls in lists\n--- schema\ncreate table t (id int primary key);\ncreate policy p on t using (true);\n--- as service_role\ninsert into t values (1);\n--- as authenticated u, ordered\nselect id\nfrom t order by id;\n";
        let case = Case::parse(text).expect("it reads");
        assert_eq!(case.steps.len(), 4);
        assert_eq!(case.write(), text);
        assert!(case.steps[3].ordered && case.steps[3].who == Some(Who::user("u")));
        assert!(Case::parse("select 1;").is_err());
        assert!(Case::parse("--- as nobody\nselect 1;").is_err());
    }
}
