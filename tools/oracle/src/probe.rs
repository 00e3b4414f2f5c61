//! Finds what the embedded engine refuses by name, construct by construct, so that it is known and tried seldom.

use crate::engine::{Engine, Outcome, Who};
use crate::generate::{Generator, Language};
use crate::on_embedded::OnEmbedded;
use crate::random::Random;
use crate::ty::{MOODS, Ty, quoted};
use anyhow::{Result, bail};

/// The language, with what is refused marked in it.
pub fn language() -> Result<Language> {
    let mut language = Language::default();
    let mut engine = OnEmbedded::open()?;
    let labels: Vec<String> = MOODS.iter().map(|label| quoted(label)).collect();
    for sql in [
        format!("create type mood as enum ({})", labels.join(", ")),
        "create table t1 (id int primary key, a int, b text)".to_owned(),
    ] {
        if let other @ (Outcome::Failed { .. } | Outcome::Refused { .. }) = engine.migrate(&sql) {
            bail!("the tables to ask about were not made: {}", other.show());
        }
    }
    let service = Who::service();
    for feature in &mut language.features {
        let answer = engine.run(&service, feature.probe);
        feature.refused = matches!(answer, Outcome::Refused { .. });
    }
    let plain = language.clone();
    let mut random = Random::new(1);
    for rule in language.rules.each() {
        let mut generator = Generator::new(&mut random, &plain, &[]);
        let gives = rule.gives.clone().unwrap_or(Ty::Text);
        let node = generator.by(rule, &gives, 0);
        let answer = engine.run(&service, &format!("select {} as v from t1 x", node.sql()));
        rule.refused = matches!(answer, Outcome::Refused { .. });
    }
    Ok(language)
}
