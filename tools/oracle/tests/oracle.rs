//! The proof that Postgres SQL means the same on both engines, in the length that suits a CI. `cargo x oracle --long` goes on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pando_oracle::{Case, OnPostgres, Random, Verdict, differential, leak};
use pando_testkit::Postgres;
use std::path::Path;
use std::{env, fs};

/// How many statements, and how many probes.
const CASES: usize = 10_000;
/// How many of them may be answered differently until none is: each is printed, to be mended and kept as a case.
const UNEXPLAINED_MAX: usize = CASES / 2_000;
/// How many probes may differ in something that shows nothing hidden: all probes of a schema meet what is its policies' fault, which the
/// comparison of statements is there to find. A leak is never taken.
const DIFFERENT_MAX: usize = CASES / 100;

/// Runs the test with a connection to a fresh database, or says that it does not.
fn with_postgres(test: impl FnOnce(&mut OnPostgres)) {
    if Postgres::is_absent() {
        eprintln!("not run: PostgreSQL 15 is not to be had here");
        return;
    }
    let server = Postgres::shared().unwrap();
    let database = server.database().unwrap();
    test(&mut OnPostgres::open(&database).unwrap());
}

#[test]
fn generated_statements_are_answered_as_postgres_answers_them() {
    with_postgres(|postgres| {
        let seed = Random::fresh_seed();
        println!("seed {seed}");
        let options = differential::Options {
            seed,
            cases: CASES,
            failures_max: 10,
            shrink_attempts: 300,
        };
        let report = differential::run(options, postgres).unwrap();
        println!("{report}");
        let unexplained: usize = report.found.iter().map(|found| 1 + found.others).sum();
        assert!(
            unexplained <= UNEXPLAINED_MAX && report.misnamed.is_empty(),
            "seed {seed}\n{report}"
        );
        // A run in which all is refused, or nothing is found, would prove nothing.
        assert!(report.same > CASES / 3, "seed {seed}\n{report}");
        assert!(report.writes > CASES / 20, "seed {seed}\n{report}");
        assert!(report.refused_total() < CASES / 8, "seed {seed}\n{report}");
    });
}

#[test]
fn no_answer_holds_what_is_hidden() {
    with_postgres(|postgres| {
        let seed = Random::fresh_seed();
        println!("seed {seed}");
        let options = leak::Options {
            seed,
            probes: CASES,
            findings_max: 10,
        };
        let report = leak::run(options, postgres).unwrap();
        println!("{report}");
        assert!(report.leaks.is_empty(), "seed {seed}\n{report}");
        assert!(
            report.differences.len() + report.more <= DIFFERENT_MAX,
            "seed {seed}\n{report}"
        );
        assert!(
            report.hidden > CASES && report.shown > CASES,
            "seed {seed}\n{report}"
        );
    });
}

#[test]
fn kept_cases_are_answered_as_postgres_answers_them() {
    with_postgres(|postgres| {
        let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("cases");
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        let mut wrong = String::new();
        for path in &paths {
            let case = Case::parse(&fs::read_to_string(path).unwrap()).unwrap();
            for (step, answers) in case.steps.iter().zip(case.run(postgres).unwrap()) {
                if let Verdict::Different(kind) = answers.verdict {
                    wrong.push_str(&format!(
                        "{}: {kind}: {}\n  postgres: {}\n  embedded: {}\n{}",
                        path.display(),
                        step.node.sql(),
                        answers.postgres.show(),
                        answers.embedded.show(),
                        answers.effects,
                    ));
                }
            }
        }
        assert!(!paths.is_empty());
        assert!(wrong.is_empty(), "\n{wrong}");
    });
}
