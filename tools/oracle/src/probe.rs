//! Finds what the embedded engine refuses by name, construct by construct, so that it is known and tried seldom.

use crate::case::{Answers, Pair, Step};
use crate::compare::Verdict;
use crate::engine::{Outcome, Who};
use crate::generate::{Generator, Language};
use crate::node::Node;
use crate::on_postgres::OnPostgres;
use crate::random::Random;
use crate::ty::{MOODS, Ty, quoted};
use anyhow::{Result, bail};

/// What was found out about the language.
pub struct Probed {
    /// The language, with what the embedded engine does not run marked in it.
    pub language: Language,
    /// What Postgres runs, and the embedded engine calls an error of the statement rather than refusing it by name.
    /// The error, and the statement.
    pub misnamed: Vec<(String, String)>,
}

/// Asks both engines for each construct alone.
pub fn language(postgres: &mut OnPostgres) -> Result<Probed> {
    let mut language = Language::default();
    let mut misnamed = Vec::new();
    let mut pair = Pair::open(postgres)?;
    let labels: Vec<String> = MOODS.iter().map(|label| quoted(label)).collect();
    for sql in [
        format!("create type mood as enum ({})", labels.join(", ")),
        "create table t1 (id int primary key, a int, b text)".to_owned(),
    ] {
        let step = Step {
            who: None,
            node: Node::text(sql),
            ordered: false,
        };
        let answers = pair.step(&step);
        if !matches!(answers.embedded, Outcome::Done { .. }) {
            bail!(
                "the tables to ask about were not made: {}",
                answers.embedded.show()
            );
        }
    }
    let mut refused = |sql: String| {
        let answers = pair.step(&Step {
            who: Some(Who::service()),
            node: Node::text(sql.clone()),
            ordered: false,
        });
        if wrongly_an_error(&answers) {
            misnamed.push((answers.embedded.show(), sql));
            return true;
        }
        matches!(answers.verdict, Verdict::Refused(_))
    };
    for feature in &mut language.features {
        feature.refused = refused(feature.probe.to_owned());
    }
    let plain = language.clone();
    let mut random = Random::new(1);
    for rule in language.rules.each() {
        let mut generator = Generator::new(&mut random, &plain, &[]);
        let gives = rule.gives.clone().unwrap_or(Ty::Text);
        let node = generator.by(rule, &gives, 0);
        rule.refused = refused(format!("select {} as v from t1 x", node.sql()));
    }
    language.revokes = pair.revokes();
    if !language.revokes {
        misnamed.push((
            "who lost a right still has it".to_owned(),
            "revoke all on t2 from anon".to_owned(),
        ));
    }
    Ok(Probed { language, misnamed })
}

impl Pair<'_> {
    /// Whether a right that was revoked is gone.
    fn revokes(&mut self) -> bool {
        for sql in [
            "create table t2 (id int primary key)",
            "revoke all on t2 from anon",
        ] {
            self.step(&Step {
                who: None,
                node: Node::text(sql),
                ordered: false,
            });
        }
        let answers = self.step(&Step {
            who: Some(Who::anon()),
            node: Node::text("select id from t2"),
            ordered: false,
        });
        answers.verdict == Verdict::Same
    }
}

/// Postgres runs it, and the embedded engine says that Postgres does not.
pub fn wrongly_an_error(answers: &Answers) -> bool {
    const STATES: &[&str] = &["42883", "42846", "42804", "42601", "42P17", "XX000"];
    let wrong = matches!(&answers.embedded, Outcome::Failed { state, .. } if STATES.contains(&state.as_str()));
    wrong && matches!(answers.postgres, Outcome::Done { .. })
}
