//! Every target for a while: a minute where `CI` is set, a few seconds elsewhere. `cargo x fuzz` goes on.

use pando_fuzz::{Options, corpus, regressions, replay, run};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

fn fuzz(target: &'static str) {
    let seconds = if std::env::var_os("CI").is_some() {
        60
    } else {
        5
    };
    let seed = RandomState::new().hash_one(target);
    println!("seed {seed}");
    let report = run(
        target,
        &Options {
            seed,
            time: Duration::from_secs(seconds),
            findings_max: 5,
            more: Vec::new(),
        },
    );
    println!("{report}");
    assert!(
        report.findings.is_empty(),
        "{report}\ncargo x fuzz {target} --seed {seed} keeps what it finds"
    );
    // A run in which all is refused would prove nothing.
    assert!(report.runs > corpus(target).len() as u64, "{report}");
    assert!(report.taken * 10 > report.runs, "{report}");
}

fn still_passes(target: &'static str) {
    let inputs = regressions(target);
    assert!(
        !inputs.is_empty(),
        "{target} has no inputs that failed once"
    );
    let found = replay(target, &inputs);
    assert!(found.is_empty(), "{found:#?}");
}

macro_rules! targets {
    ($($name:ident),*) => {
        $(mod $name {
            #[test]
            fn keeps_its_promises_whatever_it_is_given() {
                super::fuzz(stringify!($name));
            }

            #[test]
            fn what_failed_once_passes() {
                super::still_passes(stringify!($name));
            }
        })*
    };
}

targets!(sql, literals, rest);
