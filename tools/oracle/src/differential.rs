//! Runs generated statements on both engines and counts what comes of it.

use crate::case::{Answers, Case, Pair, Step};
use crate::compare::{Difference, Verdict, skeleton};
use crate::engine::{Outcome, Who};
use crate::explained;
use crate::generate::{self, Generator, Language};
use crate::node::Node;
use crate::on_postgres::OnPostgres;
use crate::probe;
use crate::random::Random;
use crate::shrink::shrink;
use anyhow::Result;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// How many statements are asked of a schema.
const STATEMENTS: usize = 50;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What everything follows from.
    pub seed: u64,
    /// How many statements.
    pub cases: usize,
    /// After how many differences of different kinds to stop.
    pub failures_max: usize,
    /// How often each is tried to be made smaller.
    pub shrink_attempts: usize,
}

/// A difference, made small.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is not alike.
    pub kind: Difference,
    /// What shows it.
    pub case: Case,
    /// What both said.
    pub answers: Answers,
    /// How many others looked alike before they were made small.
    pub others: usize,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Statements asked.
    pub cases: usize,
    /// Statements of migrations.
    pub ddl: usize,
    /// Both gave the same rows.
    pub same: usize,
    /// Both gave the same error.
    pub same_errors: usize,
    /// Statements that changed rows, alike.
    pub writes: usize,
    /// Refused by name, by construct.
    pub refused: BTreeMap<String, usize>,
    /// Differences that are known and written down, by their reason.
    pub explained: BTreeMap<&'static str, usize>,
    /// Operators, functions and clauses the embedded engine refuses altogether.
    pub not_portable: Vec<String>,
    /// Constructs the embedded engine calls an error of the statement rather than refusing them by name.
    pub misnamed: BTreeMap<String, (usize, String)>,
    /// Errors alike but for their words, one of each kind, with how many there were.
    pub worded: BTreeMap<String, usize>,
    /// What nobody has explained.
    pub found: Vec<Found>,
    /// How long it took.
    pub took: Duration,
}

/// Runs until `cases` statements were asked, or enough differences were found.
pub fn run(options: Options, postgres: &mut OnPostgres) -> Result<Report> {
    let began = Instant::now();
    let probe::Probed { language, misnamed } = probe::language(postgres)?;
    let mut report = Report {
        not_portable: language
            .features
            .iter()
            .filter(|feature| feature.refused)
            .map(|feature| feature.name)
            .chain(language.rules.refused())
            .map(str::to_owned)
            .collect(),
        misnamed: misnamed
            .into_iter()
            .map(|(error, sql)| (skeleton(&error), (1, sql)))
            .collect(),
        ..Report::default()
    };
    let mut seeds = Random::new(options.seed);
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    while report.cases < options.cases && report.found.len() < options.failures_max {
        let left = options.cases - report.cases;
        let mut random = Random::new(seeds.number());
        let found = batch(&mut random, &language, postgres, &mut report, left)?;
        for (kind, case, answers) in found {
            let looks = signature(kind, &case, &answers);
            if let Some(at) = known.get(&looks) {
                report.found[*at].others += 1;
                continue;
            }
            let small = shrink(&case, kind, postgres, options.shrink_attempts)?;
            let answers = small
                .difference(postgres)?
                .map_or(answers, |(_, answers)| answers);
            let small_looks = signature(kind, &small, &answers);
            let at = known.get(&small_looks).copied();
            let at = at.unwrap_or(report.found.len());
            known.insert(looks, at);
            known.insert(small_looks, at);
            match report.found.get_mut(at) {
                Some(known) => known.others += 1,
                None => report.found.push(Found {
                    kind,
                    case: small,
                    answers,
                    others: 0,
                }),
            }
        }
    }
    report.took = began.elapsed();
    Ok(report)
}

/// What two differences of one cause have in common, more or less.
fn signature(kind: Difference, case: &Case, answers: &Answers) -> String {
    let last = case.steps.last().map(|step| step.node.sql());
    let error = |outcome: &Outcome| match outcome {
        Outcome::Failed { .. } => skeleton(&outcome.show()),
        _ => String::new(),
    };
    let (postgres, embedded) = (error(&answers.postgres), error(&answers.embedded));
    // The words of an error tell its cause better than the statement does.
    let cause = if embedded.is_empty() && postgres.is_empty() {
        skeleton(&last.unwrap_or_default())
    } else {
        String::new()
    };
    format!("{kind} {postgres} {embedded} {cause}")
}

type Differs = (Difference, Case, Answers);

/// One schema with its rows, and statements over it.
fn batch(
    random: &mut Random,
    language: &Language,
    postgres: &mut OnPostgres,
    report: &mut Report,
    most: usize,
) -> Result<Vec<Differs>> {
    let schema = generate::schema(random, language);
    let mut pair = Pair::open(postgres)?;
    let mut steps: Vec<Step> = Vec::new();
    let mut found = Vec::new();
    let migration = |node: &Node| Step {
        who: None,
        node: node.clone(),
        ordered: false,
    };
    for node in &schema.ddl {
        report.ddl += 1;
        let step = migration(node);
        let answers = pair.step(&step);
        let made = matches!(answers.embedded, Outcome::Done { .. });
        let different = matches!(answers.verdict, Verdict::Different(_));
        if let Some(differs) = count(report, &steps, &step, answers) {
            // Whatever comes after would differ too.
            found.push(differs);
        }
        if different {
            return Ok(found);
        }
        if made {
            steps.push(step);
        }
    }
    let service = Some(Who::service());
    let rows = generate::rows(random, &schema);
    let rows = rows.into_iter().map(|node| Step {
        who: service.clone(),
        node,
        ordered: false,
    });
    let mut fill: Vec<Step> = rows.collect();
    fill.reverse();
    let asked = report.cases;
    while report.cases - asked < STATEMENTS.min(most) {
        let step = fill.pop().unwrap_or_else(|| {
            let statement = Generator::new(random, language, &schema.tables)
                .calling(&schema.routines)
                .statement();
            Step {
                who: Some(statement.who),
                node: statement.node,
                ordered: statement.ordered,
            }
        });
        report.cases += 1;
        pair.postgres.types = report.cases.is_multiple_of(4);
        let answers = pair.step(&step);
        let changes = !step.node.sql().starts_with("select");
        let done = matches!(answers.embedded, Outcome::Done { .. });
        // The words of an error are all that differs in a `Message`.
        let different =
            matches!(&answers.verdict, Verdict::Different(kind) if *kind != Difference::Message);
        found.extend(count(report, &steps, &step, answers));
        if different && changes {
            // The engines hold other rows from here on.
            return Ok(found);
        }
        if changes && done {
            report.writes += 1;
            steps.push(step);
        }
    }
    Ok(found)
}

/// Counts what came of a step; a difference that nobody has explained is given back with what led to it.
fn count(report: &mut Report, before: &[Step], step: &Step, answers: Answers) -> Option<Differs> {
    match &answers.verdict {
        Verdict::Same => {
            if matches!(answers.postgres, Outcome::Failed { .. }) {
                report.same_errors += 1;
            } else {
                report.same += 1;
            }
            None
        }
        Verdict::Refused(construct) => {
            *report.refused.entry(skeleton(construct)).or_default() += 1;
            None
        }
        Verdict::Different(Difference::Message) => {
            report.same_errors += 1;
            let pair = format!(
                "{} <> {}",
                skeleton(&answers.postgres.show()),
                skeleton(&answers.embedded.show())
            );
            *report.worded.entry(pair).or_default() += 1;
            None
        }
        Verdict::Different(kind)
            if probe::wrongly_an_error(&answers)
                && explained::reason(&step.node.sql(), *kind, &answers).is_none() =>
        {
            // Each is one thing to do, wherever it stands.
            let error = skeleton(&answers.embedded.show());
            let known = report.misnamed.entry(error);
            known.or_insert_with(|| (0, step.node.sql())).0 += 1;
            None
        }
        Verdict::Different(kind) => {
            let kind = *kind;
            if let Some(reason) = explained::reason(&step.node.sql(), kind, &answers) {
                *report.explained.entry(reason).or_default() += 1;
                return None;
            }
            let mut steps = before.to_vec();
            steps.push(step.clone());
            let case = Case {
                title: kind.to_string(),
                steps,
            };
            Some((kind, case, answers))
        }
    }
}

impl Report {
    /// How many statements were refused by name.
    pub fn refused_total(&self) -> usize {
        self.refused.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = self.refused_total();
        let asked = (self.cases + self.ddl).max(1);
        writeln!(
            f,
            "{} statements and {} of migrations in {:.1} s: {} alike ({} of them writes), {} errors alike, {refused} refused by name ({:.1} %), {} different",
            self.cases,
            self.ddl,
            self.took.as_secs_f64(),
            self.same,
            self.writes,
            self.same_errors,
            100.0 * refused as f64 / asked as f64,
            self.found
                .iter()
                .map(|found| found.others + 1)
                .sum::<usize>(),
        )?;
        for (reason, count) in &self.explained {
            writeln!(f, "  explained: {count} x {reason}")?;
        }
        writeln!(
            f,
            "  not available, and tried seldom: {}",
            self.not_portable.join("; ")
        )?;
        let mut constructs: Vec<(&String, &usize)> = self.refused.iter().collect();
        constructs.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (construct, count) in constructs.iter().take(25) {
            writeln!(f, "  refused: {count} x {construct}")?;
        }
        for (words, count) in &self.worded {
            writeln!(f, "  worded otherwise: {count} x {words}")?;
        }
        for (error, (count, sql)) in &self.misnamed {
            writeln!(f, "  called an error: {count} x {error}\n    {sql}")?;
        }
        for found in &self.found {
            writeln!(
                f,
                "\n### {} (and {} that look alike)",
                found.kind, found.others
            )?;
            write!(f, "{}", found.case.write())?;
            writeln!(f, "-- postgres: {}", found.answers.postgres.show())?;
            writeln!(f, "-- embedded: {}", found.answers.embedded.show())?;
            write!(f, "{}", found.answers.effects)?;
        }
        Ok(())
    }
}
